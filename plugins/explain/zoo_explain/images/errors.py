"""Where an autoencoder fails to give an image back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import zoo
from zoo_explain.images.explainer import PictureExplainer, placed, preprocessing_of


class ReconstructionError(PictureExplainer):
    """The distance of each pixel from its reconstruction; `score` is the root of the mean square, from 0 to 1."""

    columns: ClassVar[tuple[str, ...]] = ("target", "error", "where")

    def __init__(self, loaded: zoo.Loaded) -> None:
        if not callable(getattr(loaded.model, "reconstruct", None)):
            raise zoo.UsageError(f"{loaded.description.architecture!r} gives no images back; it is no autoencoder")
        self.loaded, self.model = loaded, loaded.model
        self.inputs = preprocessing_of(loaded)

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        if target is not None:
            raise zoo.UsageError("reconstruction_error is that of the whole image; omit --target")
        like, found = next(self.model.parameters()), []
        for pixels, sizes in zoo.read_batches(list(items), self.inputs, batch_size):
            images = pixels.to(like.device).float().div(255)
            with zoo.evaluating(self.model):
                apart = (self.model.reconstruct(images.to(like.dtype)).float() - images).cpu()
            errors = apart.square().mean((1, 2, 3)).sqrt().tolist()
            for row, size, error in zip(apart.abs().mean(1), sizes, errors, strict=True):
                found.append({"target": "reconstruction", "score": error, "map": placed(row, size, self.inputs)})
        return found

    def row(self, result: Mapping[str, Any]) -> list[str]:
        cells = super().row(result)
        return ["-", cells[1], cells[2]]
