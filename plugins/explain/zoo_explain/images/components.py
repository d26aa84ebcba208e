"""What a backbone tells apart, without a class: the first three principal components of its last map, as colors."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo
from zoo_explain.images.explainer import PictureExplainer, placed, preprocessing_of
from zoo_explain.images.stages import backbone_of


class PatchComponents(PictureExplainer):
    """As the pictures of DINO (Oquab et al., 2023): like parts of a batch have like colors.

    A result has `colors`, (height, width, 3) in [0, 1], in place of a map.
    """

    columns: ClassVar[tuple[str, ...]] = ("target", "score", "variance")

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.loaded, self.model = loaded, loaded.model
        self.inputs = preprocessing_of(loaded)
        self.backbone: Any = backbone_of(loaded)

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        if target is not None:
            raise zoo.UsageError("patch_components show what a backbone tells apart, for no class; omit --target")
        found = []
        for pixels, sizes in zoo.read_batches(list(items), self.inputs, batch_size):
            images = zoo.as_inputs(pixels, self.inputs, next(self.model.parameters()))
            with zoo.evaluating(self.model):
                maps = self.backbone.forward_intermediates(images, 1, intermediates_only=True)[0]
            colors, share = components(maps.float())
            for row, size in zip(colors.cpu(), sizes, strict=True):
                found.append({"target": "-", "score": share, "colors": placed(row, size, self.inputs)})
        return found

    def row(self, result: Mapping[str, Any]) -> list[str]:
        return ["-", "-", f"{result['score']:.0%} in 3 components"]


def components(maps: Tensor) -> tuple[Tensor, float]:
    """Return maps (batch, channels, rows, columns) as colors (batch, rows, columns, 3), and their share of variance.

    The components' signs are such that their largest weight is positive.
    """
    batch, channels, rows, columns = maps.shape
    numbers = maps.permute(0, 2, 3, 1).reshape(-1, channels).double()
    numbers = numbers - numbers.mean(0)
    _, sizes, directions = torch.linalg.svd(numbers, full_matrices=False)
    directions = directions[:3]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    found = numbers @ (directions * largest.sign()).T
    low, high = found.quantile(0.02, 0), found.quantile(0.98, 0)
    found = ((found - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    found = torch.nn.functional.pad(found, (0, 3 - found.shape[1]), value=0.5)
    share = float(sizes[:3].square().sum() / sizes.square().sum().clamp(min=1e-30))
    return found.reshape(batch, rows, columns, 3).float(), share
