"""The step that all recipes share: the discriminator learns on real and made pictures, the generator on its scores.

As in Goodfellow et al., 2014, algorithm 1: each of the discriminator's steps sees other real pictures and latents. What
the generator makes for it carries no gradients. Made pictures get the classes of the real ones beside them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import zoo
from zoo_gan.augmentation import Changes, change, draw_changes
from zoo_gan.objectives import Objective, between, distance_from_one, squared_slopes
from zoo_gan.observation import Observer
from zoo_gan.settings import AdversarialSettings


@dataclass(frozen=True)
class Penalty:
    """What the discriminator's gradients by pictures cost: their size at both kinds, or not to be 1 between them."""

    at: Literal["nowhere", "both", "between"] = "nowhere"
    weight: float = 0.0


@dataclass(frozen=True)
class DiscriminatorBatch:
    """What one step of the discriminator sees of a batch, a row for each sample."""

    real: Tensor
    labels: Tensor | None
    latents: Tensor
    between: Tensor
    real_changes: Changes
    made_changes: Changes


class AdversarialTraining:
    """Train the two networks of a `zoo.Adversarial` by an objective."""

    def __init__(
        self,
        settings: AdversarialSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
        *,
        objective: Objective,
        penalty: Penalty = Penalty(),
    ) -> None:
        if not isinstance(model, zoo.Adversarial):
            raise zoo.UsageError(
                f"this recipe trains a generator against a discriminator, {type(model).__name__} has none; choose "
                "another model (`zoo list --capability sample`)"
            )
        if model.classes and classes and model.classes != len(classes):
            raise zoo.UsageError(
                f"the model has {model.classes} classes, the data has {len(classes)}; pretrain with --arg "
                f"classes={len(classes)}, or classes=0 for an unconditional model"
            )
        if penalty.weight and any(isinstance(part, _BatchNorm) for part in model.discriminator.modules()):
            raise zoo.UsageError(
                f"penalty={penalty.weight} is on the gradient of each picture, and batch norm in the discriminator "
                "mixes pictures; make the model without it (dcgan: --arg discriminator_norm=none), or train by hinge"
            )
        self.settings = settings
        self.objective = objective
        self.penalty = penalty
        self.model = cast(Any, model).train()
        self.generator: nn.Module = model.generator
        self.discriminator: nn.Module = model.discriminator
        self.observer = Observer(settings, model, classes, preprocessing)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, **self.observer.modules()}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        self.observer.check()
        if self.penalty.at != "nowhere" and _in_parts(self.discriminator):
            raise zoo.UsageError(
                "a gradient penalty needs the weights twice, and FSDP2 frees them in between; train with "
                "--sharding ddp, or by another recipe, such as hinge"
            )
        # two, because one player answers the other's weights of after its step, several to one: only the rates are
        # given here; groups, decay and fusion are the engine's, and so is what it does by these names in `step` and
        # `modules`: schedule, clipping, loss scaling and average
        return {
            "discriminator": self._optimizer(self.discriminator, self.settings.discriminator_rate),
            "generator": self._optimizer(self.generator, self.settings.learning_rate),
        }

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images, labels = batch["images"], self._labels(batch)
        self.observer.observe(images)
        for share in self._shares(images, labels, draws):
            with torch.no_grad():
                made = self.generator(share.latents, share.labels)
            yield self._discriminator_loss(share, made)
        latents = draws.normal("generator's latents", self.model.latent_size)
        policy = self.settings.augmentation
        made = self._scores(self.generator(latents, labels), labels, draw_changes(policy, draws.within("generator")))
        real = made
        if self.objective.pairs:
            with torch.no_grad():
                real = self._scores(images, labels, draw_changes(policy, draws.within("generator's pairs")))
        yield zoo.Loss("generator", self.objective.generator(real, made))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return distances between the split's pictures and made ones, the same latents every time."""
        return self.observer.scores(batches)

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return self.observer.pictures(folder)

    def export(self) -> nn.Module:
        exported: nn.Module = self.model.requires_grad_(True).eval()
        return exported

    def _optimizer(self, network: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
        groups = zoo.parameter_groups(network, self.settings, learning_rate=learning_rate)
        return zoo.make_optimizer(self.settings.optimizer, groups, self.settings)

    def _labels(self, batch: zoo.Batch) -> Tensor | None:
        if not self.model.classes:
            return None
        labels = batch.get("labels")
        if labels is None or labels.ndim != 1:
            raise zoo.DataError(
                "a model with classes learns from pictures of one class each; label them, or make it with classes=0"
            )
        return labels

    def _shares(self, images: Tensor, labels: Tensor | None, draws: zoo.Draws) -> Iterator[DiscriminatorBatch]:
        """Share out the batch among the discriminator's steps."""
        policy, count = self.settings.augmentation, min(self.settings.discriminator_steps, len(images))

        def split(rows: Tensor) -> tuple[Tensor, ...]:
            return rows.tensor_split(count)

        def split_changes(scope: str) -> list[Changes]:
            parts = {name: split(rows) for name, rows in draw_changes(policy, draws.within(scope)).items()}
            return [{name: rows[place] for name, rows in parts.items()} for place in range(count)]

        real_changes, made_changes = split_changes("real"), split_changes("made")
        latents, mixed = draws.normal("latents", self.model.latent_size), draws.uniform("between", 1, 1, 1)
        rows = zip(split(images), split(latents), split(mixed), strict=True)
        for place, (real, latent, share) in enumerate(rows):
            own = None if labels is None else split(labels)[place]
            yield DiscriminatorBatch(real, own, latent, share, real_changes[place], made_changes[place])

    def _discriminator_loss(self, share: DiscriminatorBatch, made: Tensor) -> zoo.Loss:
        real, weight = share.real, self.penalty.weight
        if self.penalty.at == "both":
            real, made = real.detach().requires_grad_(), made.requires_grad_()
        real_scores = self._scores(real, share.labels, share.real_changes)
        made_scores = self._scores(made, share.labels, share.made_changes)
        loss = self.objective.discriminator(real_scores, made_scores)
        if self.penalty.at == "both":
            slopes = squared_slopes(real_scores, real).mean() + squared_slopes(made_scores, made).mean()
            loss = loss + weight / 2 * slopes
        elif self.penalty.at == "between":
            mixed = between(real, made, share.between).requires_grad_()
            scores = self._scores(mixed, share.labels, share.real_changes)
            loss = loss + weight * distance_from_one(squared_slopes(scores, mixed))
        metrics = {"scores/real": real_scores.mean(), "scores/made": made_scores.mean()}
        return zoo.Loss("discriminator", loss, metrics=metrics)

    def _scores(self, images: Tensor, labels: Tensor | None, changes: Changes) -> Tensor:
        scores: Tensor = self.discriminator(change(images, changes), labels)
        return scores.float()


def _in_parts(network: nn.Module) -> bool:
    """Tell whether the weights lie in parts on several processes."""
    if not (dist.is_available() and dist.is_initialized()):
        return False
    from torch.distributed.tensor import DTensor  # takes long to import, and most runs never need it

    return isinstance(next(network.parameters()), DTensor)
