"""Finetune a language model to write a text for another one: its translation, or its summary.

An encoder-decoder reads the one and writes the other. A causal decoder goes on: what is read, a token that ends it,
what is written, and the end.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.data.text.batches import IGNORED
from zoo.engine.modes import evaluating
from zoo.engine.recipe import Batch, Loss
from zoo.errors import UsageError
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.token_loop import generate_ids
from zoo.specs.backbones import CausalLanguageModel, EncoderDecoder
from zoo.tasks.one_network import OneNetwork
from zoo.tasks.text.scores import rouge_scores, translation_scores, translation_signature
from zoo.tasks.text.settings import Seq2SeqSettings
from zoo.weights.tokenizer import TextInputs

_SHOWN = 20


class Seq2SeqRecipe(OneNetwork):
    """Cross-entropy of what is to be written, a mean over its tokens; a subclass says how good what is written is."""

    settings: Seq2SeqSettings

    def __init__(
        self, settings: Seq2SeqSettings, model: nn.Module, classes: tuple[str, ...], inputs: TextInputs
    ) -> None:
        if not isinstance(model, CausalLanguageModel | EncoderDecoder):
            raise UsageError(
                f"{type(model).__name__} cannot write texts, which translation and summarization take; give weights of "
                "an encoder-decoder or a decoder: `zoo list --capability encode-decode`, or `--capability generate`"
            )
        super().__init__(settings, model, classes)
        self.inputs = inputs
        self.end = inputs.tokenizer.needed("end")
        self.pad = inputs.tokenizer.role("pad") or 0

    def compare(self, generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        """Return how near what was written comes to what should have been, in percent."""
        raise NotImplementedError

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        logits, targets = self._foretold(batch)
        count = (targets != IGNORED).sum()
        total = F.cross_entropy(
            logits.flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.settings.label_smoothing,
        )
        yield Loss("model", total / count.clamp(min=1), count=count)

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return how near the texts that are written come to the references, and the loss in nats a token."""
        loss, generated, references = self._compared(batches)
        return self._scored(loss, generated, references)

    def evaluate_each(self, batches: Iterable[Batch]) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the scores, and what is written for each text beside the reference."""
        loss, generated, references = self._compared(batches)
        rows = [{"prediction": mine, "reference": true} for mine, true in zip(generated, references, strict=True)]
        return self._scored(loss, generated, references), rows

    def _scored(self, loss: float, generated: list[str], references: list[str]) -> dict[str, float]:
        return {**self.compare(generated, references), "loss": loss, "perplexity": math.exp(min(loss, 700))}

    def _compared(self, batches: Iterable[Batch]) -> tuple[float, list[str], list[str]]:
        """Return the loss, what is written, and the references."""
        sums = torch.zeros(2, dtype=torch.float64)
        generated: list[str] = []
        references: list[str] = []
        with evaluating(self.model):
            for batch in batches:
                logits, targets = self._foretold(batch)
                total = F.cross_entropy(
                    logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
                )
                sums += torch.stack([total.double(), (targets != IGNORED).sum()]).cpu()
                generated += self._written(batch)
                references += _texts(batch["references"], batch["reference_lengths"])
        self.learner.train()
        return float(sums[0] / sums[1].clamp(min=1)), generated, references

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        """Write some texts beside what should have been written."""
        batch = {name: tensor[:_SHOWN] for name, tensor in next(iter(batches)).items()}
        with evaluating(self.model):
            generated = self._written(batch)
        self.learner.train()
        rows = zip(self._read(batch), _texts(batch["references"], batch["reference_lengths"]), generated, strict=True)
        cells = ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
        path = folder / "samples.md"
        path.write_text("\n".join(["| read | reference | written |", "| --- | --- | --- |", *cells]) + "\n", "utf-8")
        return [path]

    def _foretold(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return logits and the tokens that they should foretell, (batch, tokens)."""
        ids, mask = batch["input_ids"], batch["attention_mask"]
        if "target_ids" in batch:
            targets = batch["target_ids"].masked_fill(batch["target_mask"] == 0, IGNORED)
            begun = F.pad(batch["target_ids"][:, :-1], (1, 0), value=self.model.start_token)
            memory = self.model.forward_features(ids, mask)
            return self.model.lm_logits(self.model.decode(begun, memory, mask)), targets
        indices = torch.arange(ids.shape[1], device=ids.device)
        foretold = (indices >= batch["prompt_lengths"][:, None]) & (mask != 0)
        targets = ids.masked_fill(~foretold, IGNORED)[:, 1:]
        return self.model.lm_logits(self.model.forward_features(ids[:, :-1], mask[:, :-1])), targets

    def _prompts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what is read, and its mask; that of a causal decoder lies at the right end."""
        ids, mask = batch["input_ids"], batch["attention_mask"]
        if "target_ids" in batch:
            return ids, mask
        lengths = batch["prompt_lengths"]
        longest = int(lengths.max())
        indices = torch.arange(longest, device=ids.device) - (longest - lengths[:, None])
        inside = indices >= 0
        return ids.gather(1, indices.clamp(min=0)).masked_fill(~inside, self.pad), inside.long()

    def _written(self, batch: Batch) -> list[str]:
        ids, mask = self._prompts(batch)
        joined = "target_ids" not in batch
        room = (
            min(self.settings.max_target_tokens, self.model.context - ids.shape[1])
            if joined
            else self.settings.max_target_tokens
        )
        decoding = Decoding(max_new_tokens=room, beams=self.settings.beams)
        found = generate_ids(self.model, ids, mask, decoding, end=frozenset([self.end]), pad=self.pad)
        return [self.inputs.tokenizer.decode(row) for row in found]

    def _read(self, batch: Batch) -> list[str]:
        ids, mask = self._prompts(batch)
        return [
            self.inputs.tokenizer.decode(row[seen != 0].tolist())
            for row, seen in zip(ids.cpu(), mask.cpu(), strict=True)
        ]


class Translation(Seq2SeqRecipe):
    """Scored by BLEU and chrF."""

    def compare(self, generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        return translation_scores(generated, references)

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        (path,) = super().pictures(batches, folder)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\nBLEU: {translation_signature()}\n")
        return [path]


class Summarization(Seq2SeqRecipe):
    """Scored by ROUGE."""

    def compare(self, generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        return rouge_scores(generated, references)


def _texts(content: Tensor, lengths: Tensor) -> list[str]:
    """Return the texts whose bytes these are."""
    rows = zip(content.cpu().numpy(), lengths.tolist(), strict=True)
    return [row[:length].tobytes().decode() for row, length in rows]


def _cell(text: str) -> str:
    """Return a text for a cell of a table in Markdown, a long one cut."""
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= 300 else f"{flat[:300]} …"
