"""Sounds learnt without labels: views of a clip told from those of others, and hidden patches told from the rest."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

import zoo
from zoo_speech.ast import patches_of
from zoo_speech.augmentation import augmented_inputs, l2, model_inputs, second_view
from zoo_speech.pictures import spectrogram_grid
from zoo_speech.settings import ContrastiveSettings, MaskedSettings
from zoo_speech.sound import Sound

_SHOWN = 8
_SELF = -1e4


class Pretraining:
    """What is shared: a model, a head that is not kept, and one optimizer of both."""

    def __init__(self, settings: Any, model: Any, classes: tuple[str, ...], inputs: Sound, head: nn.Module) -> None:
        self.settings, self.model, self.classes, self.inputs = settings, model, classes, inputs
        self.head = head.to(next(model.parameters()).device)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model, "head": self.head}

    def optimizers(self) -> Mapping[str, Optimizer]:
        groups = [*zoo.parameter_groups(self.model, self.settings), *zoo.parameter_groups(self.head, self.settings)]
        return {"model": zoo.make_optimizer(self.settings.optimizer, groups, self.settings)}

    def export(self) -> nn.Module:
        model: nn.Module = self.model.eval()
        return model


class Contrastive(Pretraining):
    """Two views of each clip, nearer to each other than to those of all others in the batch (Chen et al., 2020)."""

    def __init__(self, settings: ContrastiveSettings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        model.reset_classifier(0)
        width = 2 * settings.projection
        head = nn.Sequential(
            nn.Linear(model.num_features, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, settings.projection),
        )
        super().__init__(settings, model, classes, inputs, head)

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        views = [augmented_inputs(batch, self.inputs, self.settings, some) for some in (draws, second_view(draws))]
        yield zoo.Loss("model", self._loss(torch.cat(views)))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the loss over views that are the same each time."""
        losses = []
        with zoo.evaluating(self.model, self.head):
            for batch in batches:
                draws = zoo.Draws(0, 0, batch["index"])
                views = [
                    augmented_inputs(batch, self.inputs, self.settings, some) for some in (draws, second_view(draws))
                ]
                losses.append(self._loss(torch.cat(views)))
        return {"contrast": float(torch.stack(losses).mean())}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        with zoo.evaluating(self.model):
            features = torch.cat([self.model(model_inputs(batch, self.inputs)) for batch in kept])
        labels = torch.cat([batch["labels"] for batch in kept]) if self.classes else None
        return [zoo.feature_map(features, folder / "features.png", labels=labels, class_names=self.classes)]

    def _loss(self, views: Tensor) -> Tensor:
        found = l2(self.head(self.model(views)))
        near = found @ found.T / self.settings.temperature
        near = near + torch.eye(len(near), device=near.device) * _SELF
        half = len(views) // 2
        other = torch.arange(2 * half, device=near.device).roll(half)
        return F.cross_entropy(near, other)


class MaskedPatches(Pretraining):
    """Patches of a spectrogram that are hidden are told from the others, and drawn (SSAST, Gong et al., 2022)."""

    def __init__(self, settings: MaskedSettings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        values, width = model.patch**2, model.width
        super().__init__(settings, model, classes, inputs, _PatchHeads(width, values))

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        inputs = augmented_inputs(batch, self.inputs, self.settings, draws)
        contrast, error = self._losses(inputs, self._masked(draws))
        yield zoo.Loss(
            "model",
            contrast + self.settings.generative * error,
            metrics={"contrast": contrast.detach(), "mse": error.detach()},
        )

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return both losses over patches that are the same each time."""
        found = []
        with zoo.evaluating(self.model, self.head):
            for batch in batches:
                masked = self._masked(zoo.Draws(0, 0, batch["index"]))
                found.append(torch.stack(self._losses(model_inputs(batch, self.inputs), masked)))
        contrast, error = torch.stack(found).mean(0).tolist()
        return {"contrast": contrast, "mse": error}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        """Draw spectrograms as they are, with what is hidden, and with what was told of it."""
        batch = next(iter(batches))
        inputs = model_inputs(batch, self.inputs)[:_SHOWN]
        masked = self._masked(zoo.Draws(0, 0, batch["index"]))[:_SHOWN]
        with zoo.evaluating(self.model, self.head):
            patches = self._patches(inputs)
            drawn, _ = self.head(self._encoded(inputs, masked))
        rows = [
            inputs,
            self._joined(torch.where(masked[..., None], patches.mean(), patches), inputs),
            self._joined(torch.where(masked[..., None], drawn, patches), inputs),
        ]
        shown = torch.cat([row.float().cpu() for row in rows])
        names = [name for name in ("heard", "left", "told") for _ in range(len(inputs))]
        return [spectrogram_grid(list(shown), names, names, folder / "patches.png", columns=len(inputs))]

    def _encoded(self, inputs: Tensor, masked: Tensor) -> Tensor:
        found: Tensor = self.model.encode(inputs, masked)[-1][:, 2:]
        return found

    def _patches(self, inputs: Tensor) -> Tensor:
        return patches_of(inputs, self.model.patch, self.model.stride)

    def _losses(self, inputs: Tensor, masked: Tensor) -> tuple[Tensor, Tensor]:
        patches = self._patches(inputs)
        drawn, told = self.head(self._encoded(inputs, masked))
        error = ((drawn - patches).square().mean(2) * masked).sum() / masked.sum()
        # each hidden patch among all of its clip; those that can be seen count for nothing
        scores = l2_last(told) @ l2_last(patches).transpose(1, 2) * 10
        places = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
        losses = F.cross_entropy(
            scores.masked_fill(~masked[:, None], _SELF).flatten(0, 1), places.flatten(), reduction="none"
        )
        return (losses * masked.flatten()).sum() / masked.sum(), error

    def _masked(self, draws: zoo.Draws) -> Tensor:
        """Draw which patches are hidden: blocks, until a share is."""
        rows, columns = self.model.grid
        block = min(self.settings.block, rows, columns)
        count = max(1, round(rows * columns * self.settings.masked))
        noise = draws.uniform("patches", rows, columns)
        # the largest of a block's numbers stands for all of it; the patches' own decide within
        grown = F.max_pool2d(noise[:, None], block, 1, block // 2)[:, 0, :rows, :columns]
        scores = (grown + noise * 1e-3).flatten(1)
        hidden = scores.topk(count, 1).indices
        return torch.zeros_like(scores, dtype=torch.bool).scatter(1, hidden, True)

    def _joined(self, patches: Tensor, like: Tensor) -> Tensor:
        size, model = like.shape[1:], self.model
        columns = patches.transpose(1, 2)
        total = F.fold(columns, size, model.patch, stride=model.stride)
        count = F.fold(torch.ones_like(columns), size, model.patch, stride=model.stride)
        return (total / count.clamp(min=1))[:, 0]


class _PatchHeads(nn.Module):
    def __init__(self, width: int, values: int) -> None:
        super().__init__()
        self.draw = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, values))
        self.tell = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, values))

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        rows = encoded.flatten(0, 1)
        return self.draw(rows).unflatten(0, encoded.shape[:2]), self.tell(rows).unflatten(0, encoded.shape[:2])


def l2_last(x: Tensor) -> Tensor:
    """Return vectors of length 1 along the last dimension."""
    return F.normalize(x, dim=-1)
