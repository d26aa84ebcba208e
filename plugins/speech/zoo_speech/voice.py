"""Where there is speech in a sound, of any length: files are read, judged and forgotten piece by piece."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

import zoo
from zoo_speech.decoding import Samples, Source, blocks, read
from zoo_speech.heard import distinct_names, listed, sound_files, source_of, typed_source
from zoo_speech.pictures import sound_picture
from zoo_speech.silero import CHUNK, RATE, SileroVAD, spans

_DRAWN = 600
"""Seconds up to which a sound is drawn whole."""
_BLOCK = CHUNK * 1000


class PredictVoice:
    """Bound to weights that tell speech, as `model.predict`; keeps `zoo.Predicts`."""

    modality: ClassVar[str] = "audio"
    columns = ("speech", "spans")

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._model: SileroVAD = loaded.model

    def __call__(self, sounds: Any, *, rate: int | None = None, threshold: float = 0.5) -> list[dict[str, Any]]:
        """Return for each sound, a file or samples at `rate`, its spans of speech in seconds."""
        if not 0 < threshold < 1:
            raise zoo.UsageError(f"threshold={threshold}; give one between 0 and 1")
        return [self._result(source_of(item, rate), threshold) for item in listed(sounds)]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        found = result["spans"]
        shown = " ".join(f"{span['start']:.2f}-{span['end']:.2f}" for span in found[:5]) + (" …" if found[5:] else "")
        return [f"{result['speech']:.2f} of {result['seconds']:.2f} s", shown]

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the spans of the files that were typed; with `out` draw those that are not too long."""
        paths = sound_files(arguments)
        others = {name: value for name, value in options.items() if name != "rate"}
        for path, name in zip(paths, distinct_names(paths), strict=True):
            source = typed_source(path, options.get("rate"))
            (result,) = self([source], **others)
            if out is not None and result["seconds"] <= _DRAWN:
                found = [(span["start"], span["end"]) for span in result["spans"]]
                title = f"{result['speech']:.1f} s of speech"
                with zoo.storage_errors(f"writing to {out}"):
                    sound_picture(read(source, RATE), RATE, None, title, out / f"{name}.png", spans=found)
            yield str(path), result

    def _result(self, source: Source, threshold: float) -> dict[str, Any]:
        counted = 0

        def pieces() -> Iterator[Samples]:
            nonlocal counted
            for block in blocks(source, RATE, _BLOCK):
                counted += len(block)
                yield block

        probabilities = list(self.probabilities(pieces()))
        found = spans(probabilities, counted, threshold=threshold)
        return {
            "seconds": round(counted / RATE, 3),
            "speech": round(sum(end - start for start, end in found) / RATE, 3),
            "spans": [{"start": round(start / RATE, 3), "end": round(end / RATE, 3)} for start, end in found],
        }

    def probabilities(self, pieces: Iterator[Samples]) -> Iterator[float]:
        """Yield how probable speech is in each chunk of a sound at 16 kHz that comes in pieces."""
        like = next(self._model.parameters())
        rest = np.zeros(0, np.float32)
        with zoo.evaluating(self._model), torch.inference_mode():
            heard = self._model.start(1, like)
            for piece in pieces:
                wave = np.concatenate([rest, piece])
                whole = len(wave) // CHUNK * CHUNK
                rest = wave[whole:]
                if whole:
                    found, heard = self._model.listen(torch.from_numpy(wave[:whole])[None].to(like), heard)
                    yield from found[0].tolist()
            if len(rest):
                last = np.pad(rest, (0, CHUNK - len(rest)))
                yield from self._model.listen(torch.from_numpy(last)[None].to(like), heard)[0][0].tolist()
