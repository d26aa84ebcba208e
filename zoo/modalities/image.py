"""Images: opened in the size and channels of a model, with its preprocessing, and what such models can be asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from torch import Tensor, nn

from zoo.data.augmentation.choosing import FEWEST, choose_policy, mirrored
from zoo.data.drawing import draw_labelled
from zoo.data.hub_files import HUB_DATASETS
from zoo.data.images.baseline import MOST, pixel_accuracy, pixel_answers
from zoo.data.images.choosing import pictures_to_choose_by
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.open import open_dataset
from zoo.data.images.scaling import STRETCHED, Scaling, scaling_of
from zoo.errors import IntegrityError, UsageError
from zoo.inference.embedding.images import EmbedImages
from zoo.inference.predict_images import Predict
from zoo.modalities.named import named_dataset
from zoo.seeds import generator
from zoo.specs.backbones import Backbone
from zoo.specs.modality import DataSource, Loaded, Need
from zoo.specs.modality_offers import Baseline, Chosen, HeldOut
from zoo.specs.networks import Network
from zoo.specs.records import ModelSpec
from zoo.specs.settings import FinetuneSettings, TrainingSettings
from zoo.weights.description import WeightsDescription
from zoo.weights.inputs import Preprocessing

_SAMPLES = 2


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """What may be said of image data: up to `skip_bad` broken images are left out."""

    skip_bad: Annotated[int, Meta(ge=0)] = 0


class ImageModality:
    """Keeps `zoo.Modality` for images."""

    def open(self, source: DataSource, need: Need) -> tuple[ImageDataset, Preprocessing]:
        """Open images for a fresh model in the size that is asked for, else as the weights take them.

        Where boxes or masks are learnt the images' own size is taken, of weights that were made for something else.
        """
        wanted: Preprocessing | None = need.inputs
        if wanted is None:
            requested: Mapping[str, Any] = {"image_size": _size(need), **need.arguments}
            dataset = _open(source, requested.get("image_size"), requested.get("channels"), reader=need.reader)
            return dataset, Preprocessing(image_size=dataset.image_size, channels=dataset.channels)
        places = need.learns_from in ("boxes", "masks")
        size = _size(need) or (None if places and not need.same_task else wanted.image_size)
        crops = need.learns_from == "labels" and isinstance(need.settings, FinetuneSettings) and need.settings.crops
        dataset = _open(source, size, wanted.channels, scaling=scaling_of(wanted), reader=need.reader, crops=crops)
        found = replace(wanted, image_size=dataset.image_size, channels=dataset.channels)
        return dataset, replace(found, crop=1.0, crop_mode="squash") if places else found

    def choose(self, kind: str, dataset: ImageDataset, settings: TrainingSettings) -> Chosen | None:
        """Choose how pictures are changed by what a small network learns of them, under one policy or another.

        Labels choose among all; without them, and for recipes that must do without, it is only told whether pictures
        are mirrored.
        """
        if kind not in ("augmentation", "mirroring"):
            return None
        known = pictures_to_choose_by(dataset, settings.seed, labelled=kind == "augmentation")
        if kind == "augmentation" and known.labels is not None and len(known.labels) >= FEWEST:
            value, reason = choose_policy(known, settings.seed)
            return Chosen(value=value, reason=reason)
        flips, reason = mirrored(known, settings.seed)
        if kind == "mirroring":
            return Chosen(value="yes" if flips else "no", reason=reason)
        parts = ("resized_crop_flip", "resized_crop") if known.whole is not None else ("crop_flip", "shift")
        return Chosen(value=parts[not flips], reason=reason)

    def baseline(self, source: DataSource, need: Need, labels: int | None) -> Baseline | None:
        """Tell classes by logistic regression on pixels."""
        dataset, _ = self.open(source, need)
        dataset = dataset if labels is None else dataset.subset(labels, need.settings.seed)
        train, test = dataset.splits["train"], dataset.splits["test"]
        if need.learns_from != "labels" or train.labels is None or train.labels.ndim != 1:
            return None
        count = min(len(train), MOST)
        places = draw_labelled(train.labels, len(train), dataset.classes, count, need.settings.seed)
        said = f" of {count:,} of the pictures" if count < len(train) else ""
        accuracy = pixel_accuracy(train, test, places)
        return Baseline(name=f"logistic regression on pixels{said}", scores={"accuracy": accuracy})

    def held_out_baseline(self, source: DataSource, need: Need, samples: int, folds: int) -> HeldOut | None:
        """Tell classes of training pictures by logistic regression on pixels, learnt from the others."""
        dataset, _ = self.open(source, need)
        dataset = dataset.subset(min(samples, len(dataset.splits["train"])), need.settings.seed)
        train = dataset.splits["train"]
        if need.learns_from != "labels" or train.labels is None or train.labels.ndim != 1:
            return None
        answers = pixel_answers(train, folds, need.settings.seed)
        return HeldOut(name="logistic regression on pixels", answers=answers, labels=train.labels.tolist())

    def read_inputs(
        self, folder: Path, record: Preprocessing | None, arguments: Mapping[str, Any]
    ) -> Preprocessing | None:
        """Return the record: it is all there is."""
        return record

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Preprocessing:
        """Return a preprocessing for images as the batch has them."""
        _, channels, height, width = batch["images"].shape
        return Preprocessing(image_size=(height, width), channels=channels)

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return bytes as floats in [0, 1]."""
        return (example["images"].to(like.device, like.dtype) / 255,), {}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Any]:
        """Return the stages' maps, a reconstruction, samples: as far as the model can."""
        (images,), _ = self.prepared(example, next(iter(model.parameters())))
        known: Any = model
        found: dict[str, Any] = {}
        if "features" in spec.capabilities:
            found["features"] = known.forward_intermediates(images, intermediates_only=True)
        if "reconstruct" in spec.capabilities:
            found["reconstruction"] = known.reconstruct(images)
        if "sample" in spec.capabilities:
            found["sample"] = known.sample(_SAMPLES, generator=generator(0, "selftest", "sample"))
        return found

    def bind(self, loaded: Loaded) -> None:
        """Let a model as it was stored predict and embed, as far as it can."""
        model: Any = loaded.model
        if loaded.changed:
            return
        if not callable(getattr(type(model), "predict", None)):
            model.predict = Predict(model, loaded.description)
        if not callable(getattr(type(model), "embed", None)) and isinstance(_backbone(model), Backbone):
            model.embed = self.embedder(loaded)

    def embedder(self, loaded: Loaded) -> EmbedImages:
        """Return what makes vectors of images, of a task's network those of its backbone.

        Raise UsageError for a model that has no features.
        """
        if not isinstance(_backbone(loaded.model), Backbone):
            raise UsageError(f"{loaded.description.architecture!r} makes no vectors of images: it is no zoo.Backbone")
        return EmbedImages(_backbone(loaded.model), loaded.description.preprocessing, _open_as)

    def check_publishable(self, folder: Path, description: WeightsDescription) -> None:
        """Raise IntegrityError where nobody knows how images become inputs."""
        if description.inputs is None:
            raise IntegrityError(f"{folder} does not say how images become inputs; add `inputs` to config.json")


def _backbone(model: Any) -> Any:
    return model.backbone if isinstance(model, Network) else model


def _size(need: Need) -> tuple[int, int] | None:
    return need.settings.image_size if isinstance(need.settings, FinetuneSettings) else None


def _open_as(inputs: Preprocessing, source: DataSource) -> ImageDataset:
    """Open images as weights take them, files decoded only when they are asked for."""
    return _open(source, inputs.image_size, inputs.channels, scaling=scaling_of(inputs), stream=True)


def _open(
    source: DataSource,
    image_size: Any,
    channels: int | None,
    *,
    scaling: Scaling = STRETCHED,
    reader: Callable[..., ImageDataset] | None = None,
    stream: bool | None = None,
    crops: bool = False,
) -> ImageDataset:
    if isinstance(image_size, int):
        image_size = (image_size, image_size)
    _check_asked(image_size, channels)
    return open_dataset(
        source.name,
        data_dir=source.folder,
        spec=named_dataset(source, f"a folder of images, or {HUB_DATASETS}org/name"),
        reader=reader,
        image_size=None if image_size is None else tuple(image_size),
        channels=channels,
        scaling=scaling,
        skip_bad=source.options.skip_bad,
        stream=stream,
        crops=crops,
        hub=source.hub,
    )


def _check_asked(image_size: Any, channels: Any) -> None:
    """Raise UsageError for sizes and channels that no image can have."""
    requested = {"image_size": image_size, "channels": channels}
    given = {name: value for name, value in requested.items() if value is not None}
    try:
        msgspec.convert({"image_size": (1, 1), "channels": 1, **given}, Preprocessing)
    except msgspec.ValidationError as error:
        said = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise UsageError(
            f"no image has {said}: {error}; give pixels, such as image_size=224 or [224, 320], and channels=1 or 3"
        ) from None


modality = ImageModality()
