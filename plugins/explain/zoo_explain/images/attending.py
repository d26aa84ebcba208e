"""Maps from the attention of a vision transformer: at which patches those that decide have looked."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_explain.attention import RecordedAttention, gradient_weighted, read_by, relevance, rollout
from zoo_explain.images.explainer import PictureExplainer
from zoo_explain.images.stages import backbone_of
from zoo_explain.images.subjects import Chosen


class AttentionExplainer(PictureExplainer):
    """A method over attention. A subclass gives `through`."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        backbone: Any = backbone_of(loaded)
        self.backbone = backbone
        images = torch.zeros(1, self.inputs.channels, *self.inputs.image_size)
        like = next(self.model.parameters())
        with zoo.evaluating(self.model), RecordedAttention() as recorded:
            maps = self.backbone.forward_intermediates(images.to(like.device, like.dtype), 1, intermediates_only=True)
        if not recorded.weights or self.subject.local:
            raise zoo.UsageError(
                f"{loaded.description.architecture!r} for {loaded.description.task} has no attention that decides; "
                "choose another method, such as layercam"
            )
        self.grid = cast(tuple[int, int], tuple(maps[0].shape[2:]))

    def maps(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        with torch.enable_grad(), RecordedAttention() as recorded:
            features = self.backbone.forward_features(images.detach().requires_grad_())
            logits = self.backbone.forward_head(features)
            score = logits.gather(1, chosen.arguments[0][:, None])[:, 0]
            seen = self.through(score, recorded.weights)
            deciding = read_by(score, features)
        patches = (deciding[:, None] @ seen.detach())[:, 0]
        patches = patches[:, patches.shape[1] - self.grid[0] * self.grid[1] :].reshape(-1, *self.grid)
        return F.interpolate(patches[:, None], (images.shape[2], images.shape[3]), mode="bilinear")[:, 0]

    def through(self, score: Tensor, weights: list[Tensor]) -> Tensor:
        """Return (batch, tokens, tokens): how much of each token is in each of the last block's."""
        raise NotImplementedError


class GradientAttention(AttentionExplainer):
    """Chefer et al., 2021, "Generic attention-model explainability": for the class that is asked for."""

    def through(self, score: Tensor, weights: list[Tensor]) -> Tensor:
        found = relevance(gradient_weighted(score, weights))
        return found - torch.eye(found.shape[1], device=found.device)  # what a token had of itself to begin with


class AttentionRollout(AttentionExplainer):
    """Abnar and Zuidema, 2020: whatever is predicted."""

    def through(self, score: Tensor, weights: list[Tensor]) -> Tensor:
        return rollout(weights)
