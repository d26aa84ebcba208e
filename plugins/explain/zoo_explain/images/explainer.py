"""What every method of images has in common: reading, choosing what is explained, maps of the images' own size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import zoo
from zoo_explain.images.subjects import Chosen, Subject, check_differentiable, subject_of


class PictureExplainer:
    """Keeps `zoo.Explainer`. A subclass gives `maps`.

    A result has `target`, its `score`, and `map`, an array of the image's own height and width: higher is more, 0
    nothing, and NaN where the model did not look. That of a detector has the `box` that is explained, too.
    """

    columns: ClassVar[tuple[str, ...]] = ("target", "score", "where")
    needs_gradients: ClassVar[bool] = True

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.loaded = loaded
        self.model = loaded.model
        self.inputs = preprocessing_of(loaded)
        self.subject: Subject = subject_of(loaded)
        if self.needs_gradients:
            check_differentiable(loaded)

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        """Return a result for each image: a path, or an image of PIL."""
        found = []
        for pixels, sizes in zoo.read_batches(list(items), self.inputs, batch_size):
            images = zoo.as_inputs(pixels, self.inputs, next(self.model.parameters()))
            with zoo.evaluating(self.model):
                chosen = self.subject.choose(images, target, sizes)
                maps = self.maps(images, chosen, batch_size).float().cpu()
            boxes: list[dict[str, Any]] = [{"box": box} for box in chosen.boxes] or [{} for _ in maps]
            for row, size, name, score, box in zip(maps, sizes, chosen.names, chosen.scores, boxes, strict=True):
                found.append({"target": name, "score": score, "map": placed(row, size, self.inputs), **box})
        return found

    def maps(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        """Return maps (batch, height, width) of the size of the images as the model takes them, or of any other."""
        raise NotImplementedError

    def items(self, arguments: Sequence[str]) -> list[tuple[str, Any]]:
        """Return the images that were typed, and all in folders."""
        return [(str(path), path) for path in zoo.pictures_in([Path(argument) for argument in arguments])]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        """Return the target, how likely it is, and where the middle of the upper tenth lies."""
        return [result["target"], f"{result['score']:.3f}", _where(result["map"])]

    def draw(self, item: Any, results: Mapping[str, Mapping[str, Any]], out: Path) -> list[Path]:
        """Draw the image and the maps of all methods beside each other."""
        from zoo_explain.images.drawing import side_by_side

        path = out.with_name(f"{out.name}.png")
        with zoo.open_picture(Path(item) if isinstance(item, str) else item) as picture:
            side_by_side(picture.convert("RGB"), results).save(path)
        return [path]


def preprocessing_of(loaded: zoo.Loaded) -> zoo.Preprocessing:
    """Return how images become inputs. Raise UsageError where nobody knows."""
    inputs: zoo.Preprocessing | None = loaded.description.preprocessing
    if inputs is None:
        raise zoo.UsageError("these weights do not say how images become inputs; add `inputs` to their config.json")
    return inputs


def placed(values: Tensor, size: tuple[int, int], inputs: zoo.Preprocessing) -> NDArray[np.float32]:
    """Return a map of what the model saw as one of the picture's own size, NaN where it did not look.

    `values` are (rows, columns), or (rows, columns, channels).
    """
    top, left, bottom, right = zoo.seen_part(size, inputs)
    rows = (torch.arange(size[0]) + 0.5 - top) / (bottom - top) * 2 - 1
    columns = (torch.arange(size[1]) + 0.5 - left) / (right - left) * 2 - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), 2)[None]
    planes = values[None, None] if values.ndim == 2 else values.permute(2, 0, 1)[None]
    found = F.grid_sample(planes.float(), grid.float(), padding_mode="border", align_corners=False)[0]
    outside = (rows.abs() > 1)[:, None] | (columns.abs() > 1)[None]
    found = found.masked_fill(outside, torch.nan)
    return (found[0] if values.ndim == 2 else found.permute(1, 2, 0)).numpy()


def _where(values: NDArray[np.float32]) -> str:
    known = np.nan_to_num(values, nan=-np.inf)
    if not np.nanmax(values) > 0:
        return "nowhere"
    rows, columns = np.nonzero(known >= np.nanquantile(values, 0.9))
    return f"around {int(np.median(columns))}, {int(np.median(rows))}"
