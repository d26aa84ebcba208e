"""What a class of sounds rests on: integrated gradients over spectrograms or waves; keeps `zoo.Explainer`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_speech.heard import batched, listed, sound_files, sound_of, source_of

_STEPS = 50
_INK = "#20262e"


class SoundGradients:
    """Gradients summed on the way from silence (Sundararajan et al., 2017), in 50 steps.

    A result has `target`, its `score`, and `map`: what each number of the spectrogram (mels, frames), or of the wave,
    adds to the class's logit; and `input`, the spectrogram or wave itself.
    """

    columns: ClassVar[tuple[str, ...]] = ("target", "score", "when")

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded
        self._sound = sound_of(loaded)
        self._labels: tuple[str, ...] = loaded.description.labels
        if not self._labels:
            raise zoo.UsageError(f"{loaded.description.architecture!r} has no classes of sounds; finetune it first")

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        """Return a result for each sound, a file. Raise UsageError for a class that there is not."""
        if target is not None and target not in self._labels:
            raise zoo.UsageError(f"no class {target!r}; choose one of {', '.join(self._labels)}")
        model, found = self._loaded.model, []
        sources = [source_of(item, None) for item in listed(items)]
        for _, inputs, _ in batched(sources, self._sound, batch_size, next(model.parameters())):
            with zoo.evaluating(model):
                likely = model(inputs).float().softmax(1)
                places = likely.argmax(1) if target is None else torch.full_like(likely[:, 0], 0).long()
                if target is not None:
                    places += self._labels.index(target)
                maps = self._summed(inputs, places)
            for row, own, scores, place in zip(maps.cpu(), inputs.cpu(), likely.tolist(), places.tolist(), strict=True):
                name = self._labels[place]
                found.append({"target": name, "score": scores[place], "map": row.numpy(), "input": own.numpy()})
        return found

    def items(self, arguments: Sequence[str]) -> list[tuple[str, Any]]:
        """Return the files that were typed, and those of folders."""
        return [(str(path), path) for path in sound_files(arguments)]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        """Return the class, how likely it is, and when most of what speaks for it is heard."""
        over_time = np.maximum(result["map"], 0)
        over_time = over_time.sum(0) if over_time.ndim == 2 else over_time
        if not over_time.any():
            return [result["target"], f"{result['score']:.3f}", "never"]
        shares = over_time.cumsum() / over_time.sum()
        start, end = (int(np.searchsorted(shares, share)) / len(shares) for share in (0.25, 0.75))
        return [result["target"], f"{result['score']:.3f}", f"half of it from {start:.0%} to {end:.0%}"]

    def draw(self, item: Any, results: Mapping[str, Mapping[str, Any]], out: Path) -> list[Path]:
        """Draw what the model hears above what of it speaks for the class."""
        path = out.with_name(f"{out.name}.png")
        first = next(iter(results.values()))
        with zoo.figure_at(path, 8, 2.2 * (1 + len(results))) as figure:
            axes = list(figure.subplots(1 + len(results), 1, squeeze=False)[:, 0])
            _panel(axes[0], first["input"], "input", "gray")
            for axis, (name, result) in zip(axes[1:], results.items(), strict=True):
                title = (
                    f"{name.replace('_', ' ')}: {result['target']} {result['score']:.2f} (yellow speaks most for it)"
                )
                _panel(axis, np.maximum(result["map"], 0), title, "viridis")
            axes[-1].set_xlabel("share of the time")
        return [path]

    def _summed(self, inputs: Tensor, places: Tensor) -> Tensor:
        """Return the mean gradient between silence and the sound, times what lies between them."""
        quiet = (
            inputs.amin(tuple(range(1, inputs.ndim)), keepdim=True) if inputs.ndim == 3 else torch.zeros_like(inputs)
        )
        between, total = inputs - quiet, torch.zeros_like(inputs)
        for step in range(_STEPS):
            with torch.enable_grad():
                at = (quiet + (step + 0.5) / _STEPS * between).detach().requires_grad_()
                score = self._loaded.model(at).gather(1, places[:, None]).sum()
                (gradient,) = torch.autograd.grad(score, at)
            total += gradient
        return between * total / _STEPS


def _panel(axis: Any, values: Any, title: str, colors: str) -> None:
    if values.ndim == 1:
        axis.plot(np.linspace(0, 1, len(values)), values, color=_INK, linewidth=0.5)
        axis.set_xlim(0, 1)
    else:
        top = float(np.quantile(values, 0.995)) if colors == "viridis" else None
        low = 0 if colors == "viridis" else None
        extent = (0, 1, 0, len(values))
        axis.imshow(values, origin="lower", aspect="auto", cmap=colors, extent=extent, vmin=low, vmax=top or None)
        axis.set_ylabel("mel")
    axis.set_title("".join(letter if letter.isprintable() else "�" for letter in title), parse_math=False)
