"""Say of pictures what weights were finetuned to say, with the preprocessing and the labels that came with them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from zoo.data.images.listing import pictures_in
from zoo.data.images.pictures import distinct_names, open_picture
from zoo.data.masks.colours import mask_picture
from zoo.data.reading import as_inputs, read_batches
from zoo.errors import DataError, UsageError
from zoo.files import storage_errors
from zoo.specs.networks import Predictor
from zoo.weights.description import WeightsDescription
from zoo.weights.inputs import Preprocessing
from zoo.weights.predictor import task_predictor

if TYPE_CHECKING:
    from PIL.Image import Image

Result = dict[str, Any]


class Predict:
    """Bound to a loaded model as `model.predict`."""

    modality: ClassVar[str] = "image"

    def __init__(self, model: nn.Module, block: WeightsDescription) -> None:
        self._model = model
        self._block = block

    def __call__(
        self, images: "str | Path | Image | Sequence[str | Path | Image]", *, batch_size: int = 64
    ) -> list[Result]:
        """Return a result for each picture, a path or a PIL image; read by threads while the model computes.

        A result is a dictionary of numbers and texts: `predictions` of a classifier, `boxes` of a detector in pixels of
        the picture, `mask` of a segmenter as an array of its size.
        """
        several = [images] if isinstance(images, (str, Path)) or not isinstance(images, Sequence) else list(images)
        return [result for results in self.batches(several, batch_size) for result in results]

    @torch.inference_mode()
    def batches(
        self, images: Sequence["str | Path | Image"], batch_size: int, *, bad: dict[int, DataError] | None = None
    ) -> Iterator[list[Result]]:
        """Yield the results of one batch after the other; bad images are left out where `bad` takes them."""
        predictor, inputs = self.predictor, self._inputs
        was_training = self._model.training
        self._model.eval()
        try:
            like = next(self._model.parameters())
            for pixels, sizes in read_batches(images, inputs, batch_size, bad=bad):
                yield predictor(as_inputs(pixels, inputs, like), sizes) if len(pixels) else []
        finally:
            self._model.train(was_training)

    @property
    def predictor(self) -> Predictor:
        """What the task makes of the model. Raise UsageError where it says nothing of single pictures."""
        made: Predictor = task_predictor(self._model, self._block, self._inputs)
        return made

    @property
    def columns(self) -> Sequence[str]:
        """The heads of the table that results make."""
        return self.predictor.columns

    def row(self, result: Result) -> Sequence[str]:
        """Return a result as the cells of that table."""
        return self.predictor.row(result)

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Result]]:
        """Yield each image that was typed, and all in folders; with `out` draw what was found into images there.

        Raise DataError when all others are done, where some could not be read.
        """
        paths = pictures_in([Path(path) for path in arguments])
        bad: dict[int, DataError] = {}
        yield from ((str(path), result) for path, result in self._drawn(paths, out, bad))
        if bad:
            reason = str(next(iter(bad.values()))).partition(";")[0]  # that training may skip it helps nobody here
            left_out = "" if len(paths) == 1 else f"{len(bad)} of {len(paths)} images were left out, first: "
            raise DataError(f"{left_out}{reason}; leave it out, or give another path")

    def _drawn(
        self, images: Sequence[Path], out: Path | None, bad: dict[int, DataError], batch_size: int = 64
    ) -> Iterator[tuple[Path, Result]]:
        predictor = self.predictor
        if out is not None:
            with storage_errors(f"writing images to {out}"):
                out.mkdir(parents=True, exist_ok=True)
        names = distinct_names(images)
        for number, results in enumerate(self.batches(images, batch_size, bad=bad)):
            indices = range(number * batch_size, min((number + 1) * batch_size, len(images)))
            for place, result in zip((place for place in indices if place not in bad), results, strict=True):
                path, name = images[place], names[place]
                if out is not None:
                    with storage_errors(f"writing images to {out}"), open_picture(path) as picture:
                        predictor.draw(picture.convert("RGB"), result).save(out / f"{name}.png")
                        if "mask" in result:
                            mask_picture(result["mask"], self._block.labels).save(out / f"{name}.mask.png")
                yield path, result

    @property
    def _inputs(self) -> Preprocessing:
        if self._block.preprocessing is None:
            raise UsageError("these weights do not say how images become inputs; add `inputs` to their config.json")
        return self._block.preprocessing
