"""ELECTRA (Clark et al., ICLR 2020): a small network fills hidden places in, and the model tells which it did.

L = L_mlm + w · mean over tokens of -log p(whether the token was replaced), w = 50. Every token teaches, and not only
those that were hidden.

Differs from the paper: the small network has the embeddings of the model, of their full width, and fewer blocks, where
the paper's is narrower; a token that happens to be the right one counts as not replaced, as there.
"""

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import look
from zoo_transformer.bert import BERT, MaskedWords
from zoo_transformer.pretraining.hidden import IGNORED, Hidden, at_places, hide, summed_cross_entropy
from zoo_transformer.pretraining.settings import ReplacedTokenSettings
from zoo_transformer.text import initialize


class Guesses(NamedTuple):
    """What was guessed of hidden tokens (logits), what was put there, and for each token of windows how replaced."""

    logits: Tensor
    targets: Tensor
    replaced: Tensor
    said: Tensor


class Discriminator(nn.Module):
    """A BERT without a classifier, the blocks that fill in, and the head that tells what was replaced."""

    def __init__(self, backbone: BERT, depth: int) -> None:
        super().__init__()
        width, like = backbone.num_features, next(backbone.parameters())
        words: Any = backbone.embeddings.word_embeddings
        first: Any = backbone.encoder["layer"][0]  # type: ignore[index]
        self.backbone = backbone
        self.generator = nn.ModuleList(copy.deepcopy(first) for _ in range(depth))
        self.words = MaskedWords(words.num_embeddings, width, backbone.embeddings.LayerNorm.eps)
        self.detector = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))
        for part in (self.generator, self.words, self.detector):
            initialize(part.to(like.device, like.dtype))

    def forward(self, ids: Tensor, mask: Tensor | None, hidden: Hidden, chance: Tensor) -> Guesses:
        """Fill hidden places of windows in, as `chance` in [0, 1) draws, and tell what was replaced."""
        backbone = self.backbone
        sight = look(hidden.seen, mask, causal=False)
        x = backbone.embeddings(hidden.seen, None, sight.positions)
        for block in self.generator:
            x = backbone.run(block, x, sight)
        logits = self.words(at_places(x, hidden.places), backbone.embeddings.word_embeddings.weight)
        with torch.no_grad():
            shares = logits.float().softmax(-1).cumsum(-1)
            drawn = torch.searchsorted(shares, chance[..., None] * shares[..., -1:], right=True)[..., 0]
            drawn = drawn.clamp(max=logits.shape[-1] - 1)
            there = ids.gather(1, hidden.places)
            filled = ids.scatter(1, hidden.places, there.where(hidden.targets == IGNORED, drawn))
        said = self.detector(backbone.forward_features(filled, mask))[..., 0]
        return Guesses(logits, hidden.targets, filled != ids, said)


class ReplacedTokenDetection(zoo.OneNetwork):
    """Tell which tokens a small network has put in place of others."""

    settings: ReplacedTokenSettings

    def __init__(
        self, settings: ReplacedTokenSettings, model: nn.Module, classes: tuple[str, ...], inputs: zoo.TextInputs
    ) -> None:
        if not isinstance(model, BERT):
            raise zoo.UsageError(
                "recipe replaced_token_detection teaches a bert, whose tokens see all others; use another for others"
            )
        inputs.tokenizer.needed("mask")
        model.reset_classifier(0)
        if model.cls is not None:
            model.cls.requires_grad_(False)  # its guesses are of another network's features, and it does not learn
        super().__init__(settings, Discriminator(model, settings.generator_depth), classes)
        self.inputs = inputs

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        guesses = self._guesses(batch, draws)
        guessing, detecting = _losses(guesses)
        loss = guessing + self.settings.detection_weight * detecting
        metrics = {"mlm": guessing.detach(), "detection": detecting.detach()}
        yield zoo.Loss("model", loss, metrics=metrics)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the loss and its two parts, and how many replaced tokens and others are told, in percent.

        What is hidden, and what stands in its place, is the same each time.
        """
        sums, told, count = torch.zeros(2, dtype=torch.float64), torch.zeros(4, dtype=torch.float64), 0
        with zoo.evaluating(self.model):
            for batch in batches:
                guesses = self._guesses(batch, zoo.Draws(self.settings.seed, -1, batch["index"]))
                sums += len(batch["input_ids"]) * torch.stack(_losses(guesses)).double().cpu()
                count += len(batch["input_ids"])
                right = (guesses.said > 0) == guesses.replaced
                parts = (right & guesses.replaced, guesses.replaced, right & ~guesses.replaced, ~guesses.replaced)
                told += torch.stack([part.sum() for part in parts]).double().cpu()
        guessing, detecting = (sums / count).tolist()
        found, replaced, kept, others = told.tolist()
        return {
            "loss": guessing + self.settings.detection_weight * detecting,
            "mlm": guessing,
            "detection": detecting,
            "found": 100 * found / max(replaced, 1),
            "kept": 100 * kept / max(others, 1),
        }

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return []

    def export(self) -> nn.Module:
        backbone: nn.Module = self.model.backbone
        return backbone.requires_grad_(True).eval()

    def _guesses(self, batch: zoo.Batch, draws: zoo.Draws) -> Guesses:
        hidden = hide(batch["input_ids"], draws, self.settings.masked, self.inputs)
        chance = draws.uniform("what instead", hidden.places.shape[1])
        guesses: Guesses = self.model(batch["input_ids"], batch.get("attention_mask"), hidden, chance)
        return guesses


def _losses(guesses: Guesses) -> tuple[Tensor, Tensor]:
    """Return what guessing costs a hidden token, and what telling costs a token, in nats."""
    count = (guesses.targets != IGNORED).sum().clamp(min=1)
    guessing = summed_cross_entropy(guesses.logits, guesses.targets) / count
    return guessing, F.binary_cross_entropy_with_logits(guesses.said.float(), guesses.replaced.float())
