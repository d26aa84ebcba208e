"""What every GAN here has in common: a generator beside a discriminator whose trunk is the backbone.

Outside pictures are floats in [0, 1], as everywhere in Zoo. Inside they are in [-1, 1], the range of tanh: the
generator's last step and the discriminator's first one convert.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import zoo
from zoo_gan.conditional import needed


class Stages(nn.Module):
    """Run stages one after the other, and return the map of each. None may be a view: FSDP2 hangs hooks on them."""

    def __init__(self, stages: Sequence[nn.Module]) -> None:
        super().__init__()
        self.checkpointing = False
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, *more: Any) -> list[Tensor]:
        """Return the maps; stages are given `more` beside what the one before made."""
        maps = []
        for stage in self.stages:
            recomputed = self.checkpointing and self.training and torch.is_grad_enabled()
            x = cast(Tensor, checkpoint(stage, x, *more, use_reentrant=False)) if recomputed else stage(x, *more)
            maps.append(x)
        return maps


class Generator(nn.Module):
    """Turn latents into pictures by stages that are told the classes; the last one ends with tanh.

    A generator without norms, in which classes can be told, has an `embedding` of them beside the latent.
    """

    def __init__(self, stages: Sequence[nn.Module], *, embedding: nn.Embedding | None = None) -> None:
        super().__init__()
        self.embedding = embedding
        self.body = Stages(stages)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return pictures in [0, 1] from latents (batch, latent_size) and, where it has classes, labels (batch,)."""
        if self.embedding is not None:
            latents = torch.cat([latents, self.embedding(needed(labels))], 1)
        pictures: Tensor = (self.body(latents, labels)[-1] + 1) / 2
        return pictures

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.body.checkpointing = enable


class Discriminator(nn.Module):
    """Score pictures, higher for real ones; classes enter by projection (Miyato and Koyama, 2018).

    `reductions` are by how much each stage's map is smaller than the picture. `pool` makes a row of `width`
    of the last map, which the score is a sum of; with `classes` each has weights of its own beside the common ones.
    """

    def __init__(
        self, stages: Sequence[nn.Module], pool: nn.Module, width: int, *, reductions: Sequence[int], classes: int
    ) -> None:
        super().__init__()
        self.reductions = list(reductions)
        self.trunk = Stages(stages)
        self.score = nn.Sequential(pool, nn.Linear(width, 1))
        self.embedding = nn.Embedding(classes, width) if classes else None

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the map of every stage. Sizes that do not divide by the reduction are filled up with grey."""
        height, width = images.shape[2:]
        below, right = -height % self.reductions[-1], -width % self.reductions[-1]
        x = images * 2 - 1
        if not (below or right):
            maps: list[Tensor] = self.trunk(x)
            return maps
        filled = self.trunk(F.pad(x, (0, right, 0, below)))
        return [
            x[:, :, : math.ceil(height / reduction), : math.ceil(width / reduction)]
            for x, reduction in zip(filled, self.reductions, strict=True)
        ]

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return a score for each picture in [0, 1], of shape (batch, 1); no probability, any number."""
        pool, number = self.score
        features = pool(self.maps(images)[-1])
        scores: Tensor = number(features)
        if self.embedding is not None:
            scores = scores + (self.embedding(needed(labels)) * features).sum(1, keepdim=True)
        return scores

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.trunk.checkpointing = enable


class GAN(zoo.ImageBackboneModule):
    """A generator and a discriminator, whose trunk is what `zoo.Backbone` speaks of.

    `widths` and `reductions` are those of the trunk's stages. The head sees the last map averaged over a grid of
    `pool_size` cells a side (Radford et al., 2016, section 5.1, pool to 4x4 what they classify by).
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        *,
        widths: Sequence[int],
        reductions: Sequence[int],
        latent_size: int,
        classes: int,
        pool_size: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.latent_size = latent_size
        self.classes = classes
        self.pool_size = pool_size
        self.num_features = widths[-1] * pool_size**2
        self.feature_info = [
            zoo.FeatureInfo(width, reduction, f"discriminator.trunk.stages.{stage}")
            for stage, (width, reduction) in enumerate(zip(widths, reductions, strict=True))
        ]
        self.reset_classifier(num_classes)

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return `n` pictures in [0, 1] from normal latents; without labels their classes are drawn too."""
        like = next(self.parameters())
        drawn_on = like.device if generator is None else generator.device
        latents = torch.randn(n, self.latent_size, generator=generator, device=drawn_on)
        if self.classes and labels is None:
            labels = torch.randint(self.classes, (n,), generator=generator, device=drawn_on)
        pictures: Tensor = self.generator(latents.to(like), None if labels is None else labels.to(like.device))
        return pictures

    def intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = self.discriminator.maps(x)
        return maps[-1], maps

    def pool(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.pool_size).flatten(1)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^discriminator\.trunk\.stages\.0\.", "blocks": r"^discriminator\.trunk\.stages\.(\d+)"}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.generator.set_grad_checkpointing(enable)
        self.discriminator.set_grad_checkpointing(enable)
