"""preprocessor_config.json of transformers, read by what the code of its class does; others' preprocessing, written."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.errors import IntegrityError, UsageError
from zoo.printable import printable
from zoo.weights.inputs import Preprocessing

_RESAMPLE = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""In the order of Pillow's numbers, which transformers writes."""

_STANDARD = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
_CLIP = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
_BILINEAR, _BICUBIC = {"resample": 2}, {"resample": 3}
_SQUARE = {"size": {"height": 224, "width": 224}, "default_to_square": True}
_SHORTEST = {"size": {"shortest_edge": 224}, "default_to_square": False}
_CROPPED = {"crop_size": {"height": 224, "width": 224}, "do_center_crop": True}

_CLASSES: dict[str, dict[str, Any]] = {
    "ViT": {**_STANDARD, **_BILINEAR, **_SQUARE},
    "DeiT": {**_STANDARD, **_BICUBIC, **_SQUARE, **_CROPPED, "size": {"height": 256, "width": 256}},
    "Bit": {**_CLIP, **_BICUBIC, **_SHORTEST, **_CROPPED},
    "CLIP": {**_CLIP, **_BICUBIC, **_SHORTEST, **_CROPPED},
    "Siglip": {**_STANDARD, **_BICUBIC, **_SQUARE, "default_to_square": False},
    "Beit": {**_STANDARD, **_BICUBIC, **_SQUARE, **_CROPPED, "do_center_crop": False},
    "Pvt": {**_IMAGENET, **_BICUBIC, **_SQUARE},
    "MobileNetV1": {**_STANDARD, **_BILINEAR, **_SHORTEST, **_CROPPED, "size": {"shortest_edge": 256}},
    "MobileNetV2": {**_STANDARD, **_BILINEAR, **_SHORTEST, **_CROPPED, "size": {"shortest_edge": 256}},
    "Levit": {**_IMAGENET, **_BICUBIC, **_SHORTEST, **_CROPPED},
    "ConvNext": {**_STANDARD, **_BICUBIC, "size": {"shortest_edge": 384}, "crop_pct": 224 / 256},
}
"""The classes that are read, without their suffix, with what they take for keys that are missing (5.24.0)."""

_SUFFIXES = ("ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor")
_OF_MODEL = {"resnet": "ConvNext", "convnext": "ConvNext", "vit": "ViT"}
"""What AutoImageProcessor takes where no class is named."""

_WARPED_FROM = 384


def inputs_of_processor(processor: Mapping[str, Any], model_type: str) -> dict[str, Any]:
    """Return the fields of Preprocessing that a processor's code amounts to.

    Raise IntegrityError for a class that is not read, and for one whose pictures have no common size.
    """
    name = _class_of(processor, model_type)
    values = {**_CLASSES[name], **_given(processor)}
    if values.get("do_resize") is False:
        raise ValueError("do_resize is false, but only pictures of one size make a batch")
    found = _of_convnext(values) if name == "ConvNext" else _of_resized(values, name == "Levit")
    found["interpolation"] = _RESAMPLE[values["resample"]]
    # what counts is (bytes * rescale_factor - mean) / std, and here bytes are divided by 255
    scale = 255 * values.get("rescale_factor", 1 / 255) if values.get("do_rescale", True) else 255
    scale = 1 if math.isclose(scale, 1) else scale
    normalizes = values.get("do_normalize", True)
    for target, key, neutral in (("mean", "image_mean", 0.0), ("std", "image_std", 1.0)):
        given = values[key] if normalizes else [neutral]
        found[target] = [value / scale for value in (given if isinstance(given, Sequence) else [given])]
    return found


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says: null is what a class takes by itself, in sizes as well."""
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def _class_of(processor: Mapping[str, Any], model_type: str) -> str:
    named = str(processor.get("image_processor_type") or processor.get("feature_extractor_type") or "")
    names = {f"{name}{suffix}".lower(): name for name in _CLASSES for suffix in _SUFFIXES}
    found = names.get(named.lower()) if named else _OF_MODEL.get(model_type)
    if found is None:
        raise IntegrityError(
            f"preprocessor_config.json names {printable(named) or 'no class'}, whose code is not known here; known are "
            f"{', '.join(_CLASSES)}: load the model with transformers"
        )
    return found


def _of_convnext(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ConvNextImageProcessor does: it stretches from 384 on, whatever crop_pct says."""
    size = values["size"]
    side = size["shortest_edge"] if isinstance(size, Mapping) else size
    if values.get("do_center_crop"):
        raise ValueError("do_center_crop after a crop by crop_pct")
    if side >= _WARPED_FROM:
        return {"image_size": (side, side), "crop": 1.0, "crop_mode": "squash"}
    found = {"image_size": (side, side), "crop": values["crop_pct"], "crop_mode": "center"}
    return {**found, "crop_offset": "floored"}


def _of_resized(values: Mapping[str, Any], enlarges: bool) -> dict[str, Any]:
    """Return what most classes do: they resize to `size`, and cut out the middle where that is asked for."""
    size = values["size"]
    if not isinstance(size, Mapping):
        size = {"height": size, "width": size} if values["default_to_square"] else {"shortest_edge": size}
    if set(size) not in ({"height", "width"}, {"shortest_edge"}):
        raise ValueError(f"a size by {', '.join(map(str, size))} is none that all pictures have")
    stretches = "height" in size
    resized = (size["height"], size["width"]) if stretches else (size["shortest_edge"],) * 2
    if enlarges and not stretches:
        resized = (int(256 / 224 * resized[0]),) * 2
    if not values.get("do_center_crop"):
        if not stretches:
            raise ValueError("the shortest edge is scaled and nothing cut, so that pictures differ in size")
        return {"image_size": resized, "crop": 1.0, "crop_mode": "squash"}
    cut = values["crop_size"]
    image_size = (cut["height"], cut["width"]) if isinstance(cut, Mapping) else (cut, cut)
    if not stretches and image_size[0] != image_size[1]:
        raise ValueError("the shortest edge is scaled for a crop that is not square")
    mode = "squash" if stretches else "center"
    return {"image_size": image_size, "crop": _crop(image_size, resized), "crop_mode": mode, "crop_offset": "floored"}


def _crop(image_size: Sequence[int], resized: Sequence[int]) -> float:
    """Return what the sides are divided by, and floored, to give those of the resized picture."""
    crop = min(side / larger for side, larger in zip(image_size, resized, strict=True))
    if [math.floor(side / crop) for side in image_size] != list(resized):
        crop = math.nextafter(crop, 0)
    if crop > 1 or [math.floor(side / crop) for side in image_size] != list(resized):
        raise ValueError(f"a middle of {image_size} cut from {resized}")
    return crop


def processor_of(inputs: Preprocessing, mean: Sequence[float], std: Sequence[float]) -> dict[str, Any]:
    """Return a preprocessor_config.json by which transformers does the same. Raise UsageError where it has no way."""
    height, width = inputs.image_size
    resized = [math.floor(side / inputs.crop) for side in inputs.image_size]
    said = {
        "do_resize": True,
        "resample": _RESAMPLE.index(inputs.interpolation),
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(mean),
        "image_std": list(std),
        "do_convert_rgb": len(mean) == 3,
    }
    cropped = {"do_center_crop": True, "crop_size": {"height": height, "width": width}}
    size = {"height": resized[0], "width": resized[1]}
    if inputs.crop_mode == "squash" and inputs.crop == 1:
        return {"image_processor_type": "ViTImageProcessor", "size": size, **said}
    if inputs.crop_mode == "squash":
        return {"image_processor_type": "DeiTImageProcessor", "size": size, **cropped, **said}
    if inputs.crop_mode == "center" and height == width:
        size = {"shortest_edge": resized[0]}
        return {"image_processor_type": "BitImageProcessor", "size": size, **cropped, **said}
    raise UsageError(
        f"transformers has no image processor for crop_mode={inputs.crop_mode} and pictures of {height}x{width}; "
        "use --to timm, which it opens as well"
    )


def torchvision_transform(inputs: Preprocessing) -> str:
    """Return lines of Python that make torchvision's transform of the same, "" where it has none."""
    resized = [math.floor(side / inputs.crop) for side in inputs.image_size]
    if inputs.crop_mode == "border" or (inputs.crop_mode == "center" and resized[0] != resized[1]):
        return ""
    size = resized[0] if inputs.crop_mode == "center" else tuple(resized)
    steps = [
        f"transforms.Resize({size}, InterpolationMode.{inputs.interpolation.upper()})",
        f"transforms.CenterCrop({inputs.image_size})",
        "transforms.ToTensor()",
        f"transforms.Normalize({list(inputs.mean)}, {list(inputs.std)})",
    ]
    lines = "".join(f"    {step},\n" for step in steps)
    return (
        "\nfrom torchvision import transforms\nfrom torchvision.transforms import InterpolationMode\n\n"
        f"transform = transforms.Compose([\n{lines}])  # of pictures of PIL, as RGB\n"
    )
