"""SimCSE (Gao et al., EMNLP 2021): a text seen twice attracts itself, and repels all others of the batch.

L = -mean over texts i of log( exp(z_i z'_i / t) / sum over k of exp(z_i z'_k / t) ) + w · L_mlm, with z and z' what the
model makes of a text under two dropouts, through a layer and a tanh, of length 1, and t the temperature. L_mlm is that
of guessing tokens that are hidden (the paper's appendix), which a model that begins at random weights needs.

Differs from the paper: texts lie in a row, as all pretraining has them, and each that begins in a window is one; of the
two times that a text is seen each shows another span of it, since texts of the same length would be told from all
others by that alone (Wu et al., 2022), and hides other tokens, which are guessed there, as in DeCLUTR (Giorgi et al.,
2021), and not a third time. Each process tells its own texts apart.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.pretraining.hidden import IGNORED, Texts, at_places, hide, summed_cross_entropy, texts_in
from zoo_transformer.pretraining.settings import SimCSESettings

_FEWEST = 4
"""A text of fewer tokens, of which two are often special, is like others."""


class SimCSE(zoo.OneNetwork):
    """Tell each text from all others in the batch, and guess hidden tokens."""

    settings: SimCSESettings

    def __init__(
        self, settings: SimCSESettings, model: nn.Module, classes: tuple[str, ...], inputs: zoo.TextInputs
    ) -> None:
        if not isinstance(model, zoo.TextBackbone):
            raise zoo.UsageError("recipe simcse makes vectors of texts, and this model takes none; use another")
        guesses = isinstance(model, zoo.LanguageModel) and not isinstance(model, zoo.EncoderDecoder)
        if settings.mlm_weight and not guesses:
            raise zoo.UsageError(
                "this model cannot guess hidden tokens beside; leave that out: --set mlm_weight=0 --set masked=0"
            )
        if settings.mlm_weight and not settings.masked:
            raise zoo.UsageError("with masked=0 no token is hidden to be guessed; set mlm_weight=0, too")
        model.reset_classifier(0)
        super().__init__(settings, model, classes)
        self.inputs = inputs
        width, like = model.num_features, next(model.parameters())
        self.projector = nn.Sequential(nn.Linear(width, width), nn.Tanh()).to(like.device)
        self.dropouts = [(module, module.p) for module in model.modules() if isinstance(module, nn.Dropout)]
        for module, _ in self.dropouts:
            module.p = settings.dropout

    def modules(self) -> Mapping[str, nn.Module]:
        return {**super().modules(), "projector": self.projector}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        groups = [
            group for module in (self.model, self.projector) for group in zoo.parameter_groups(module, self.settings)
        ]
        return {"model": zoo.make_optimizer(self.settings.optimizer, groups, self.settings)}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        loss, guessing, count = self._losses(batch, draws)
        weighed = loss + self.settings.mlm_weight * guessing
        yield zoo.Loss("model", weighed, count=count, metrics={"contrast": loss.detach(), "mlm": guessing.detach()})

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the loss among the texts of each batch, without dropout, and its two parts.

        The same tokens are hidden each time.
        """
        sums, count = torch.zeros(2, dtype=torch.float64), 0
        with zoo.evaluating(self.model), zoo.evaluating(self.projector):
            for batch in batches:
                loss, guessing, texts = self._losses(batch, zoo.Draws(self.settings.seed, -1, batch["index"]))
                sums += int(texts) * torch.stack([loss, guessing]).double().cpu()
                count += int(texts)
        contrast, guessing = (sums / max(count, 1)).tolist()
        return {"loss": contrast + self.settings.mlm_weight * guessing, "contrast": contrast, "mlm": guessing}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return []

    def export(self) -> nn.Module:
        for module, rate in self.dropouts:
            module.p = rate
        return super().export()

    def _losses(self, batch: zoo.Batch, draws: zoo.Draws) -> tuple[Tensor, Tensor, Tensor]:
        """Return how badly texts are told apart, how badly tokens are guessed, and the number of texts."""
        texts = texts_in(batch["input_ids"], batch.get("attention_mask"), _FEWEST)
        own, first = self._seen(batch, draws.within("first"), texts)
        other, second = self._seen(batch, draws.within("second"), texts)
        indices = torch.arange(len(own), device=own.device)
        loss = F.cross_entropy(own @ other.T / self.settings.temperature, indices)
        return loss, (first + second) / 2, texts.whole.sum()

    def _seen(self, batch: zoo.Batch, draws: zoo.Draws, texts: Texts) -> tuple[Tensor, Tensor]:
        """Return unit vectors of texts, seen once, and how badly the tokens hidden there are guessed."""
        ids, numbers = batch["input_ids"], batch.get("attention_mask")
        span = texts.spans(draws, self.settings.span, ids.shape)
        mask = (torch.ones_like(ids) if numbers is None else numbers).masked_fill(~span, 0)
        hidden = hide(ids, draws, self.settings.masked, self.inputs) if self.settings.masked else None
        features = self.model.forward_features(ids if hidden is None else hidden.seen, mask)
        rows, inside = texts.rows(features, span)
        pooled = self.model.forward_head(rows, pre_logits=True, attention_mask=inside)
        vectors = F.normalize(self.projector(pooled).float(), dim=1)
        if hidden is None or not self.settings.mlm_weight:
            return vectors, vectors.new_zeros(())
        targets = hidden.targets.masked_fill(~span.gather(1, hidden.places), IGNORED)
        total = summed_cross_entropy(self.model.lm_logits(at_places(features, hidden.places)), targets)
        return vectors, total / (targets != IGNORED).sum().clamp(min=1)
