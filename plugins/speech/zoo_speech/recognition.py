"""Sounds learnt with transcripts: a head of letters over time on a backbone, trained by CTC."""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_speech.augmentation import augmented_whole, input_lengths, lengths_in, model_inputs
from zoo_speech.ctc import beam_search, check_room, ctc_loss, greedy, spoken, words_of
from zoo_speech.features import floats
from zoo_speech.frames import frames_after
from zoo_speech.pictures import sound_picture
from zoo_speech.settings import RecognitionSettings
from zoo_speech.sound import Sound
from zoo_speech.subtitles import subtitles

_SHOWN = 12
_KERNEL = 5


class Recognizer(nn.Module):
    """Letters over time, (batch, frames, letters + 1), the first of them no letter; keeps `zoo.Network`.

    With `hidden` convolutions of that width, each reaching further, stand between backbone and letters. They halve the
    frames of a backbone that keeps all of a spectrogram; of one that leaves some out, letters need each that is left.
    """

    def __init__(self, backbone: Any, num_classes: int, *, hidden: int | None = 64) -> None:
        super().__init__()
        backbone.reset_classifier(0)
        self.backbone, self.num_classes = backbone, num_classes
        self.arguments = {"hidden": hidden}
        width = backbone.frame_features
        stride = 2 if math.prod(stride for _, stride, _ in backbone.frame_steps) == 1 else 1
        entry = (_KERNEL, stride, _KERNEL // 2)
        self.entry = nn.Conv1d(width, hidden, *entry) if hidden else None
        self.mixing = nn.ModuleList(
            nn.Conv1d(hidden, hidden, _KERNEL, padding=_KERNEL // 2 * dilation, dilation=dilation)
            for dilation in (1, 2, 4)
            if hidden
        )
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in self.mixing)
        self.letters = nn.Linear(hidden or width, num_classes + 1)
        self.frame_steps = (*backbone.frame_steps, *([entry] if hidden else []))
        like = next(backbone.parameters())
        self.to(like.device, like.dtype)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits; behind `lengths`, in frames or samples of the input, is silence."""
        found = self.backbone.frame_vectors(x)
        inside = None
        if self.entry is not None:
            found = self.entry(found.transpose(1, 2)).transpose(1, 2).relu()
            if lengths is not None:
                inside = (
                    torch.arange(found.shape[1], device=x.device) < frames_after(lengths, self.frame_steps)[:, None]
                )
            for layer, norm in zip(self.mixing, self.norms, strict=True):
                if inside is not None:
                    found = found * inside[..., None]
                found = found + F.gelu(layer(norm(found).transpose(1, 2))).transpose(1, 2)
        logits: Tensor = self.letters(found)
        return logits


class Recognition(zoo.OneNetwork):
    """CTC over letters."""

    def __init__(self, settings: RecognitionSettings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        if not (isinstance(model, Recognizer) and model.num_classes == len(classes)):
            backbone = model.backbone if isinstance(model, zoo.Network) else model
            model = Recognizer(backbone, len(classes), hidden=settings.hidden or None)
        super().__init__(settings, model, classes)
        self.inputs, self._fits = inputs, False

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        inputs, lengths = augmented_whole(batch, self.inputs, self.settings, draws)
        logits, frames = self._logits(inputs, lengths)
        if not self._fits:
            check_room(frames, batch["transcripts"], batch["transcripts_lengths"])
            self._fits = True
        yield zoo.Loss("model", self._loss(batch, logits, frames))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return word and character error rates in percent, of the most probable paths, and the loss."""
        heard, said, losses, count = [], [], 0.0, 0
        with zoo.evaluating(self.model):
            for batch in batches:
                inputs = model_inputs(batch, self.inputs)
                logits, lengths = self._logits(inputs, input_lengths(batch, inputs, self.inputs))
                losses += float(self._loss(batch, logits, lengths)) * len(inputs)
                count += len(inputs)
                heard += self._texts(logits, lengths)
                rows = zip(batch["transcripts"].tolist(), batch["transcripts_lengths"].tolist(), strict=True)
                said += [spoken(row[:length], self.classes) for row, length in rows]
        return {**error_rates(said, heard), "loss": losses / count}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        """Draw the first clip with its letters over time, and tell what was heard in some."""
        batch = next(iter(batches))
        with zoo.evaluating(self.model):
            inputs = model_inputs(batch, self.inputs)
            logits, lengths = self._logits(inputs, input_lengths(batch, inputs, self.inputs))
            heard = self._texts(logits, lengths)[:_SHOWN]
        rows = zip(batch["transcripts"].tolist(), batch["transcripts_lengths"].tolist(), strict=True)
        said = [spoken(row[:length], self.classes) for row, length in rows][:_SHOWN]
        table = folder / "heard.md"
        lines = [
            "| said | heard |",
            "|---|---|",
            *(f"| {_cell(a)} | {_cell(b)} |" for a, b in zip(said, heard, strict=True)),
        ]
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if "waves" not in batch:
            return [table]
        samples = int(batch["waves_lengths"][0])
        wave = floats(batch["waves"][0, :samples]).cpu().numpy()
        shown = logits[0, : int(lengths[0])].float().softmax(1).T.cpu().numpy()
        spectrogram = None if inputs.ndim == 2 else self._frames(batch, inputs)
        picture = sound_picture(
            wave, self.inputs.rate, spectrogram, heard[0], folder / "alignment.png", lines=(shown, ("", *self.classes))
        )
        return [table, picture]

    def _frames(self, batch: zoo.Batch, inputs: Tensor) -> Any:
        return inputs[0, :, : int(input_lengths(batch, inputs, self.inputs)[0])].float().cpu().numpy()

    def _loss(self, batch: zoo.Batch, logits: Tensor, lengths: Tensor) -> Tensor:
        return ctc_loss(logits, lengths, batch["transcripts"], batch["transcripts_lengths"])

    def _texts(self, logits: Tensor, lengths: Tensor) -> list[str]:
        return [
            spoken([letter.place for letter in greedy(row, length)], self.classes)
            for row, length in zip(logits.cpu(), lengths.tolist(), strict=True)
        ]

    def _logits(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.model(inputs, lengths)
        return logits, frames_after(lengths, self.model.frame_steps)


def error_rates(said: list[str], heard: list[str]) -> dict[str, float]:
    """Return how many words and characters must be changed for each that was said, in percent."""
    import jiwer

    kept = [(true, mine) for true, mine in zip(said, heard, strict=True) if true.strip()]
    if not kept:
        return {"wer": 0.0, "cer": 0.0}
    true, mine = map(list, zip(*kept, strict=True))
    return {"wer": 100 * float(jiwer.wer(true, mine)), "cer": 100 * float(jiwer.cer(true, mine))}


class Transcripts:
    """What is said in sounds; with `beams` the most probable text of so many, else that of the most probable path."""

    columns = ("text",)

    def __init__(self, model: Any, labels: tuple[str, ...], inputs: Sound) -> None:
        self.model, self.labels, self.sound = model, labels, inputs

    def __call__(self, inputs: Tensor, lengths: Tensor, *, beams: int = 1) -> list[dict[str, Any]]:
        if beams < 1:
            raise zoo.UsageError(f"beams={beams}; give 1 or more")
        frames = lengths_in(lengths, inputs, self.sound)
        logits = self.model(inputs, frames).float().cpu()
        kept = frames_after(frames, self.model.frame_steps).tolist()
        results = []
        for row, length, samples in zip(logits, kept, lengths.tolist(), strict=True):
            seconds = samples / self.sound.rate / max(length, 1)
            path = greedy(row, length)
            places = [letter.place for letter in path] if beams == 1 else beam_search(row, length, beams)
            words = [
                {"word": word, "start": round(start * seconds, 3), "end": round(end * seconds, 3)}
                for word, start, end in words_of(path, self.labels)
            ]
            results.append(
                {"text": spoken(places, self.labels).strip(), "words": words, "letters": row[:length].softmax(1)}
            )
        return results

    def row(self, result: Mapping[str, Any]) -> list[str]:
        return [result["text"]]

    def drawn(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the title of a picture, where words are, and the letters over time."""
        spans = [(word["start"], word["end"]) for word in result["words"]]
        return {"title": result["text"], "spans": spans, "lines": (result["letters"].T.numpy(), ("", *self.labels))}

    def written(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return files by their suffix: the text, and subtitles."""
        return {
            ".txt": result["text"] + "\n",
            **subtitles([(w["start"], w["end"], w["word"]) for w in result["words"]]),
        }


def _cell(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text).replace("|", "\\|")
