"""What backbones have in common, to build on: a head that is replaced, blocks that are recomputed, stages' maps.

Nobody has to: a backbone is whatever keeps the `zoo.Backbone` or the `zoo.TextBackbone` protocol.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar, cast

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Stage = TypeVar("Stage")


class BackboneModule(nn.Module):
    """A backbone whose head is the module `classifier_name`, by default one linear layer.

    A subclass sets `num_features`, calls `reset_classifier` as the last step of its own __init__, and gives
    `group_matcher`.
    """

    classifier_name: ClassVar[str] = "head"
    num_features: int
    num_classes: int
    checkpointing: bool = False

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Return a fresh head, where the model lies and in its type."""
        like = next(self.parameters())
        return nn.Linear(self.num_features, num_classes, device=like.device, dtype=like.dtype)

    def get_classifier(self) -> nn.Module:
        """Return the head."""
        return self.get_submodule(self.classifier_name)

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh head in place; 0 takes it away."""
        self.num_classes = num_classes
        owner, _, attribute = self.classifier_name.rpartition(".")
        head = self.make_classifier(num_classes) if num_classes else nn.Identity()
        setattr(self.get_submodule(owner), attribute, head)

    def no_weight_decay(self) -> set[str]:
        """Return names of parameters that must not be decayed: none."""
        return set()

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Have `run` forget what blocks compute in training, and compute it again in the backward pass."""
        self.checkpointing = enable

    def run(self, block: Callable[..., Tensor], *inputs: Any) -> Tensor:
        """Return what a block makes of inputs."""
        if self.checkpointing and self.training:
            return cast(Tensor, checkpoint(block, *inputs, use_reentrant=False))
        return block(*inputs)


class ImageBackboneModule(BackboneModule):
    """A backbone of images. A subclass sets `feature_info`, and gives `pool` and `intermediates`."""

    feature_info: list[Any]

    def pool(self, x: Tensor) -> Tensor:
        """Return features pooled, (batch, num_features)."""
        raise NotImplementedError

    def intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return features, and the map of every stage."""
        raise NotImplementedError

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the last stage's features."""
        return self.intermediates(x)[0]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return logits from features; with `pre_logits` the pooled features."""
        pooled = self.pool(x)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, or pooled features where num_classes is 0."""
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return (features, maps), or the maps alone. `indices` are stages, or how many of the last ones."""
        features, maps = self.intermediates(x)
        chosen = self.choose(maps, indices)
        return chosen if intermediates_only else (features, chosen)

    @staticmethod
    def choose(stages: list[Stage], indices: int | Sequence[int] | None) -> list[Stage]:
        """Return what is asked for of a list with an item for each stage."""
        if indices is None:
            return stages
        return stages[-indices:] if isinstance(indices, int) else [stages[index] for index in indices]


def check_sizes(**sizes: int | Sequence[int]) -> None:
    """Raise ValueError for an argument of a model, or a number in a list, that is below one."""
    for name, value in sizes.items():
        if min([value] if isinstance(value, int) else value, default=0) < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
