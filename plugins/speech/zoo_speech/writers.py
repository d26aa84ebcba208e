"""Models that write down what they hear as others stored them, without a head of ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from msgspec.structs import replace
from torch import Tensor

import zoo
from zoo_speech.beside import folder_of, read_letters
from zoo_speech.features import as_inputs
from zoo_speech.heard import sound_of
from zoo_speech.recognition import Transcripts
from zoo_speech.sound import Sound
from zoo_speech.subtitles import subtitles
from zoo_speech.wav2vec2 import Wav2Vec2
from zoo_speech.whisper import Whisper
from zoo_speech.whisper_writing import Writer, read_rules

_TOKENIZER = "tokenizer.json"


def writer_of(loaded: zoo.Loaded) -> Any | None:
    """Return the predictor of a model that writes by itself, None for one that does not."""
    model = loaded.model
    if isinstance(model, Wav2Vec2) and model.letters is not None:
        letters = read_letters(loaded.folder, model.letters.out_features)
        places = [place for place in range(len(letters)) if place != model.blank]
        own = tuple(letters[place] for place in places)
        return Transcripts(StoredLetters(model, [model.blank, *places]), own, sound_of(loaded))
    if isinstance(model, Whisper) and model.decoder is not None:
        return WhisperTexts(model, loaded.folder, sound_of(loaded))
    return None


class StoredLetters:
    """The letters of a stored head, in the order of ours: the blank first."""

    def __init__(self, model: Wav2Vec2, order: list[int]) -> None:
        self.model, self.order, self.frame_steps = model, order, model.frame_steps

    def __call__(self, waves: Tensor, lengths: Tensor) -> Tensor:
        """Return logits of letters over time; waves are heard one by one, so that nothing lies behind `lengths`."""
        logits: Tensor = self.model(waves)
        return logits[..., self.order]


class WhisperTexts:
    """What Whisper writes of sounds of any length, greedily: text, and segments with their seconds.

    Up to 30 s are written at once; longer ones, or any that are `timestamps` wanted of, segment after segment.
    """

    columns = ("language", "text")

    def __init__(self, model: Whisper, place: Path, sound: Sound) -> None:
        self.model, self.hears = model, sound
        self.sound = Sound(rate=sound.rate)  # all of a wave: spectrograms are made here
        path = folder_of(place) / _TOKENIZER
        if not path.is_file():
            raise zoo.NotFoundError(f"no {_TOKENIZER} beside {place}, which makes text of tokens; get it")
        try:
            self.tokenizer = zoo.Tokenizer.of(path.read_text(encoding="utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise zoo.IntegrityError(f"{path} is not UTF-8 at byte {error.start:,}; get a fresh copy") from None
        self.rules = read_rules(place, model.vocab_size)

    def __call__(
        self, inputs: Tensor, lengths: Tensor, *, language: str | None = None, timestamps: bool = False, beams: int = 1
    ) -> list[dict[str, Any]]:
        if beams != 1:
            raise zoo.UsageError(f"beams={beams}: Whisper writes greedily here; leave it out")
        return [
            self._result(wave[None, :length], language, timestamps)
            for wave, length in zip(inputs, lengths.tolist(), strict=True)
        ]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        return [result["language"] or "", result["text"]]

    def drawn(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the title of a picture, and where segments are."""
        return {"title": result["text"], "spans": [(part["start"], part["end"]) for part in result["segments"]]}

    def written(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return files by their suffix: the text, and subtitles."""
        lines = [(part["start"], part["end"], part["text"]) for part in result["segments"]]
        return {".txt": result["text"] + "\n", **subtitles(lines)}

    def _result(self, wave: Tensor, language: str | None, timestamps: bool) -> dict[str, Any]:
        at_once, samples = self.hears.samples or 0, wave.shape[1]
        spectrogram = self.spectrogram(wave)
        writer = Writer(self.model, self.rules, language, timed=timestamps or samples > at_once)
        segments = writer.write(spectrogram.to(next(self.model.parameters()).dtype))
        codes = {token: name.strip("<|>") for name, token in self.rules.languages.items()}
        seconds = samples / self.hears.rate
        return {
            "language": codes.get(-1 if writer.language is None else writer.language),
            "text": self._text([token for part in segments for token in part.tokens]),
            "segments": [
                {
                    "start": round(min(part.start, seconds), 3),
                    "end": round(min(part.end, seconds), 3),
                    "text": self._text(part.tokens),
                }
                for part in segments
            ],
            "tokens": [token for part in segments for token in part.tokens],
        }

    def spectrogram(self, wave: Tensor) -> Tensor:
        """Return the log-mel spectrogram of a wave (1, samples): of 30 s with silence behind it, or of all of it."""
        assert self.hears.log_mel is not None
        at_once = self.hears.samples or 0
        wave = F.pad(wave.float(), (0, max(0, at_once - wave.shape[1])))
        anew = replace(self.hears, samples=None, log_mel=replace(self.hears.log_mel, frames=None))
        return as_inputs(wave, lengths_of(wave), anew)

    def _text(self, tokens: list[int]) -> str:
        """Return what is text of tokens: those before the one that ends it."""
        return self.tokenizer.decode([token for token in tokens if token < self.rules.end]).strip()


def lengths_of(waves: Tensor) -> Tensor:
    """Return the lengths of waves that are whole."""
    return torch.full((len(waves),), waves.shape[1], device=waves.device)
