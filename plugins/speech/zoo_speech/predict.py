"""Say of sounds what weights were finetuned to say."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import zoo
from zoo_speech.decoding import Samples, Source
from zoo_speech.heard import batched, distinct_names, listed, sound_files, sound_of, source_of, typed_source
from zoo_speech.pictures import sound_picture
from zoo_speech.sound import Sound
from zoo_speech.writers import writer_of

_AT_ONCE = 32


class SoundClasses:
    """The classes of sounds, the most probable one first."""

    columns = ("label", "score")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Sound) -> None:
        self.model = model
        self.labels = labels

    def __call__(self, inputs: Tensor, lengths: Tensor) -> list[dict[str, Any]]:
        scores, places = self.model(inputs).float().softmax(1).sort(1, descending=True)
        rows = zip(scores.tolist(), places.tolist(), strict=True)
        return [
            {"predictions": [{"label": self.labels[place], "score": score} for score, place in zip(*row, strict=True)]}
            for row in rows
        ]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        first = result["predictions"][0]
        return [first["label"], f"{first['score']:.3f}"]

    def drawn(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the title of a picture."""
        return {"title": " ".join(self.row(result))}

    def written(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return files beside the picture: none."""
        return {}


class PredictSounds:
    """Bound to a loaded model as `model.predict`; keeps `zoo.Predicts`."""

    modality: ClassVar[str] = "audio"

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded

    @cached_property
    def predictor(self) -> Any:
        """What the model writes, or what the task makes of it. Raise UsageError where it says nothing of sounds."""
        if (writer := writer_of(self._loaded)) is not None:
            return writer
        return zoo.task_predictor(self._loaded.model, self._loaded.description, sound_of(self._loaded))

    def __call__(self, sounds: Any, *, rate: int | None = None, **options: Any) -> list[dict[str, Any]]:
        """Return a result for each sound: a file, or samples of one channel at `rate`; `options` are the task's."""
        sources = [source_of(item, rate) for item in listed(sounds)]
        return [result for result, _, _ in self._results(sources, options)]

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
        """Yield what is heard in the files that were typed, and in those of folders; with `out` draw each there.

        Raise DataError when all others are done, where some could not be read.
        """
        bad: list[zoo.DataError] = []
        paths = sound_files(arguments)
        predictor = self.predictor
        names = distinct_names(paths)
        others = {name: value for name, value in options.items() if name != "rate"}
        for path, name in zip(paths, names, strict=True):
            try:
                source = typed_source(path, options.get("rate"))
                result, wave, inputs = next(iter(self._results([source], others)))
            except zoo.DataError as error:
                bad.append(error)
                continue
            if out is not None:
                self._write(wave, inputs, predictor, result, out / name)
            yield str(path), {key: value for key, value in result.items() if not isinstance(value, Tensor)}
        if bad:
            left_out = "" if len(paths) == 1 else f"{len(bad)} of {len(paths)} sounds were left out, first: "
            raise zoo.DataError(f"{left_out}{bad[0]}")

    def _results(
        self, sources: Sequence[Source], options: Mapping[str, Any]
    ) -> Iterator[tuple[dict[str, Any], Samples, Tensor]]:
        predictor, model = self.predictor, self._loaded.model
        known = inspect.signature(predictor).parameters
        if strange := next((name for name in options if name not in known), None):
            raise zoo.UsageError(
                f"{strange} says nothing to these weights, for {self._loaded.description.task}; omit it"
            )
        sound = getattr(predictor, "sound", None) or sound_of(self._loaded)
        with zoo.evaluating(model), torch.inference_mode():
            at_once = 1 if sound.log_mel is None else _AT_ONCE  # of waves, what is beside them changes what is heard
            for waves, inputs, lengths in batched(sources, sound, at_once, next(model.parameters())):
                results = predictor(inputs, lengths, **options)
                yield from zip(results, waves, inputs, strict=True)

    def _write(self, wave: Samples, inputs: Tensor, predictor: Any, result: dict[str, Any], out: Path) -> None:
        """Write a picture of a sound, and what else the task writes of it."""
        sound = sound_of(self._loaded)
        spectrogram = None if inputs.ndim == 1 else inputs.float().cpu().numpy()
        drawn = predictor.drawn(result)
        title = drawn.pop("title")
        with zoo.storage_errors(f"writing to {out.parent}"):
            out.parent.mkdir(parents=True, exist_ok=True)
            sound_picture(wave, sound.rate, spectrogram, title, out.with_name(f"{out.name}.png"), **drawn)
            for suffix, text in predictor.written(result).items():
                zoo.write_file(out.with_name(out.name + suffix), text.encode())
