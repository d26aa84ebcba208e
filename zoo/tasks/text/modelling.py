"""Learn language from text alone: what follows, what is hidden, what was taken out, what was damaged."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.data.text.batches import IGNORED
from zoo.engine.modes import evaluating
from zoo.engine.recipe import Batch, Loss
from zoo.errors import UsageError
from zoo.specs.settings import TrainingSettings
from zoo.tasks.one_network import OneNetwork
from zoo.tasks.text.settings import DenoisingSettings, FillMaskSettings, MaskedSettings, SpanSettings
from zoo.tasks.text.spans import cut_spans
from zoo.weights.tokenizer import TextInputs

_HIDDEN, _REPLACED = 0.8, 0.9
"""Of the tokens to be guessed 8 in 10 become the mask, 1 in 10 another token, and 1 stays (Devlin et al., 2019)."""


class LanguageModelling(OneNetwork):
    """Cross-entropy of tokens, a mean over all that are foretold. A subclass says which those are."""

    settings: TrainingSettings

    def __init__(
        self, settings: TrainingSettings, model: nn.Module, classes: tuple[str, ...], inputs: TextInputs
    ) -> None:
        super().__init__(settings, model, classes)
        self.inputs = inputs

    def foretold(self, batch: Batch, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return logits (..., vocabulary) and the tokens that they should foretell (...), IGNORED where none."""
        raise NotImplementedError

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        logits, targets = self.foretold(batch, draws)
        count = (targets != IGNORED).sum()
        total = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        yield Loss("model", total / count.clamp(min=1), count=count)

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the loss in nats a token, its exponential, and the share of tokens that were foretold, in percent."""
        return self._scored(*self._sums(batches))

    def evaluate_each(self, batches: Iterable[Batch]) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the scores, and of each window its loss, how many tokens were foretold, and how many of them right."""
        rows: list[dict[str, Any]] = []
        sums = self._sums(batches, rows)
        return self._scored(*sums), rows

    def _scored(self, loss: float, right: float, count: float, num_bytes: float) -> dict[str, float]:
        return {"loss": loss / count, "perplexity": math.exp(min(loss / count, 700)), "accuracy": 100 * right / count}

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        return []

    def _told(self, guessed: Tensor, wanted: Tensor) -> dict[str, Any]:
        """Return what else is said of a window, of the tokens that were guessed and those that there are."""
        return {}

    def _sums(
        self, batches: Iterable[Batch], rows: list[dict[str, Any]] | None = None
    ) -> tuple[float, float, float, float]:
        """Return over all batches the loss in nats, how many tokens were right, of how many, and the bytes of text.

        What is to be said of each window goes into `rows`.
        """
        sums = torch.zeros(4, dtype=torch.float64)
        with evaluating(self.model):
            for batch in batches:
                # epoch -1 is none of training: what is hidden for the scores is hidden each time
                logits, targets = self.foretold(batch, Draws(self.settings.seed, -1, batch["index"]))
                flat, wanted = logits.float().flatten(0, -2), targets.flatten()
                kept = wanted != IGNORED
                loss = F.cross_entropy(flat, wanted, ignore_index=IGNORED, reduction="sum")
                right = ((flat.argmax(-1) == wanted) & kept).sum()
                sums += torch.stack([loss.double(), right, kept.sum(), batch["num_bytes"].sum()]).cpu()
                if rows is not None:
                    rows += self._rows(logits.float(), targets)
        self.learner.train()
        loss, right, count, num_bytes = sums.tolist()
        return loss, right, max(count, 1.0), num_bytes

    def _rows(self, logits: Tensor, targets: Tensor) -> list[dict[str, Any]]:
        losses = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none").cpu()
        guessed, targets = logits.argmax(-1).cpu(), targets.cpu()
        found = []
        for row, mine, true in zip(losses, guessed, targets, strict=True):
            kept = true != IGNORED
            count, right = int(kept.sum()), int((mine == true)[kept].sum())
            scored = {"loss": float(row.sum()) / max(count, 1), "tokens": count, "right": right}
            found.append({**scored, **self._told(mine[kept], true[kept])})
        return found


class CausalLanguageModelling(LanguageModelling):
    """Each token is foretold from those before it, of its own text alone."""

    def foretold(self, batch: Batch, draws: Draws) -> tuple[Tensor, Tensor]:
        features = self.model.forward_features(batch["input_ids"], batch.get("attention_mask"))
        return self.model.lm_logits(features), batch["targets"]

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the loss in nats a token, its exponential, and in bits a byte of text."""
        loss, _, count, num_bytes = self._sums(batches)
        return {
            "loss": loss / count,
            "perplexity": math.exp(min(loss / count, 700)),
            "bits_per_byte": loss / math.log(2) / num_bytes,
        }


class MaskedLanguageModelling(LanguageModelling):
    """Some tokens are hidden and guessed from all others of their text (Devlin et al., 2019)."""

    def __init__(
        self, settings: TrainingSettings, model: nn.Module, classes: tuple[str, ...], inputs: TextInputs
    ) -> None:
        super().__init__(settings, model, classes, inputs)
        self.mask = inputs.tokenizer.needed("mask")
        self.special = torch.tensor(sorted(inputs.tokenizer.special))
        self.share = cast(MaskedSettings | FillMaskSettings, settings).masked

    def foretold(self, batch: Batch, draws: Draws) -> tuple[Tensor, Tensor]:
        ids = batch["input_ids"]
        length = ids.shape[1]
        hidden = max(1, round(length * self.share))  # as many of each window, so that shapes never change
        special = torch.isin(ids, self.special.to(ids.device))
        indices = (draws.uniform("places", length) - special.float()).topk(hidden, dim=1).indices
        targets = ids.gather(1, indices).masked_fill(special.gather(1, indices), IGNORED)
        chance = draws.uniform("what instead", hidden)
        others = draws.integers("other tokens", 0, self.inputs.tokenizer.num_tokens, hidden)
        instead = torch.where(chance < _HIDDEN, self.mask, torch.where(chance < _REPLACED, others, targets))
        instead = torch.where(targets == IGNORED, ids.gather(1, indices), instead)
        seen = ids.scatter(1, indices, instead)
        features = self.model.forward_features(seen, batch.get("attention_mask"))
        wanted = features.gather(1, indices[..., None].expand(-1, -1, features.shape[-1]))
        return self.model.lm_logits(wanted), targets

    def _told(self, guessed: Tensor, wanted: Tensor) -> dict[str, Any]:
        """Return the hidden tokens, in no order, and what was guessed for each."""
        name = self.inputs.tokenizer.inner.id_to_token
        return {
            "prediction": [name(token) for token in guessed.tolist()],
            "reference": [name(token) for token in wanted.tolist()],
        }


class ReadingAndWriting(LanguageModelling):
    """What an encoder-decoder writes of a window, having read a part of it."""

    def logits(self, batch: Batch, read: Tensor, kept: Tensor | None, targets: Tensor) -> Tensor:
        """Return logits (batch, tokens, vocabulary); `kept` says where in the window stood what is read, None: all."""
        mask = batch.get("attention_mask")
        if mask is not None and kept is not None:
            mask = mask.gather(1, kept)
        memory = self.model.forward_features(read, mask)
        begun = F.pad(targets[:, :-1], (1, 0), value=self.model.start_token)
        logits: Tensor = self.model.lm_logits(self.model.decode(begun, memory, mask))
        return logits


class SpanCorruption(ReadingAndWriting):
    """Spans are taken out of what is read, a token of its own in place of each, and written (Raffel et al., 2020)."""

    def __init__(self, settings: SpanSettings, model: nn.Module, classes: tuple[str, ...], inputs: TextInputs) -> None:
        super().__init__(settings, model, classes, inputs)
        self.spans = settings
        self.end = inputs.tokenizer.needed("end")
        self.first = inputs.tokenizer.num_tokens - settings.sentinels
        maximum = settings.max_tokens * settings.masked / settings.span_length
        if maximum + 1 > settings.sentinels:
            raise UsageError(
                f"{settings.max_tokens} tokens need {maximum:.0f} spans, more than sentinels={settings.sentinels}; "
                f"set more: --set sentinels={math.ceil(maximum) + 1}"
            )

    def foretold(self, batch: Batch, draws: Draws) -> tuple[Tensor, Tensor]:
        cut = cut_spans(
            batch["input_ids"], draws, share=self.spans.masked, span_length=self.spans.span_length, first=self.first
        )
        targets = F.pad(cut.target_ids, (0, 1), value=self.end)
        return self.logits(batch, cut.read, cut.kept, targets), targets


class TextDenoising(ReadingAndWriting):
    """Tokens are hidden, and the beginning of the text is written, which teaches to copy (BART; Lewis et al., 2020).

    BART writes all of it. Each hidden token becomes a mask, or, as infilling, each hidden span one.
    """

    def __init__(
        self, settings: DenoisingSettings, model: nn.Module, classes: tuple[str, ...], inputs: TextInputs
    ) -> None:
        super().__init__(settings, model, classes, inputs)
        self.denoising = settings
        self.mask = inputs.tokenizer.needed("mask")

    def foretold(self, batch: Batch, draws: Draws) -> tuple[Tensor, Tensor]:
        ids, share = batch["input_ids"], self.denoising.masked
        kept = None
        if self.denoising.corruption == "infilling":
            beyond = self.inputs.tokenizer.num_tokens
            cut = cut_spans(ids, draws, share=share, span_length=self.denoising.span_length, first=beyond)
            read, kept = cut.read.masked_fill(cut.read >= beyond, self.mask), cut.kept
        else:
            length = ids.shape[1]
            hidden = draws.uniform("places", length).topk(max(1, round(length * share)), dim=1).indices
            read = ids.scatter(1, hidden, self.mask)
        targets = ids[:, : self.denoising.target_tokens or None]
        return self.logits(batch, read, kept, targets), targets
