"""Say what is heard in sounds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import zoo
from zoo_tones.data import as_inputs, read_wave, wave_files
from zoo_tones.sound import Sound, floats, inputs_of


class SoundClasses:
    """The classes of sounds, the most probable one first."""

    columns = ("label", "score")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Sound) -> None:
        self.model = model
        self.labels = labels

    def __call__(self, sounds: Tensor) -> list[dict[str, Any]]:
        scores, places = self.model(sounds).softmax(1).sort(1, descending=True)
        rows = zip(scores.tolist(), places.tolist(), strict=True)
        return [
            {"predictions": [{"label": self.labels[place], "score": score} for score, place in zip(*row, strict=True)]}
            for row in rows
        ]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        first = result["predictions"][0]
        return [first["label"], f"{first['score']:.3f}"]


class PredictSounds:
    """Bound to a loaded model as `model.predict`; keeps `zoo.Predicts`."""

    modality: ClassVar[str] = "tone"

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded

    @property
    def predictor(self) -> Any:
        return zoo.task_predictor(self._loaded.model, self._loaded.description, inputs_of(self._loaded))

    def __call__(self, paths: Sequence[str | Path]) -> list[dict[str, Any]]:
        """Return a result for each wave file."""
        predictor, model = self.predictor, self._loaded.model
        sounds = torch.from_numpy(as_inputs([read_wave(Path(path)) for path in paths], inputs_of(self._loaded)))
        with zoo.evaluating(model), torch.inference_mode():
            found: list[dict[str, Any]] = predictor(floats(sounds, next(model.parameters())))
        return found

    @property
    def columns(self) -> Sequence[str]:
        names: Sequence[str] = self.predictor.columns
        return names

    def row(self, result: Mapping[str, Any]) -> Sequence[str]:
        cells: Sequence[str] = self.predictor.row(result)
        return cells

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what is heard in the files that were typed, and in those of folders."""
        if out is not None:
            raise zoo.UsageError("there is nothing to draw of a sound; leave --out out")
        paths = wave_files(arguments)
        yield from zip(map(str, paths), self(paths), strict=True)
