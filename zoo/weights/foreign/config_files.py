"""config.json as timm and transformers write it: read what Zoo keeps of it, and write it again."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from zoo.errors import IntegrityError
from zoo.printable import printable
from zoo.specs.layouts import Layout
from zoo.weights.description import WeightsDescription
from zoo.weights.foreign.processors import inputs_of_processor, processor_of
from zoo.weights.foreign.text_files import TextFiles
from zoo.weights.foreign.timm_files import OURS, cfg_of, check_of_timm, model_args_of, preprocessing_of_timm
from zoo.weights.header import FLOATS, TensorHeader
from zoo.weights.inputs import Preprocessing, said_inputs

IDENTITY = {"timm": "architecture", "transformers": "model_type"}
"""The key by which a library's config.json names the architecture."""

_WITHOUT_EFFECT = {"num_classes", "in_chans", "img_size", "drop_rate", "drop_path_rate"}
"""What timm's model_args may hold that the tensors' shapes tell, or that does not change what weights compute."""


def library_of(config: Mapping[str, Any]) -> str | None:
    """Return which library wrote a config.json; None for neither."""
    if "pretrained_cfg" in config or ("architecture" in config and "num_features" in config):
        return "timm"
    return "transformers" if "model_type" in config else None


def flattened(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a config.json with what transformers 5 says in places of its own where version 4 said it."""
    rotary = config.get("rope_parameters")
    if isinstance(rotary, dict):
        rotary = {"rope_type": rotary.get("type", "default"), **rotary}  # the one name is older than the other
    found = {**config, **rotary, "rope_parameters": rotary} if isinstance(rotary, dict) else dict(config)
    if "scale_decoder_outputs" in found:  # T5's last layer is one of its own where its input is not scaled
        found["tie_word_embeddings"] = found["scale_decoder_outputs"]
    return found


def labels_of(config: Mapping[str, Any], num_classes: int, source: str) -> tuple[str, ...]:
    """Return the names of the classes where a config.json has them. Raise IntegrityError for another number of them."""
    if not num_classes:
        return ()
    found: Any = config.get("label_names") or cfg_of(config).get("label_names") or config.get("id2label") or ()
    if isinstance(found, dict):  # by the number of the class, in whichever order
        found = [found.get(str(place)) for place in range(len(found))]
    names = list(found) if isinstance(found, (list, tuple)) else []
    if not names and "model_type" in config:  # what transformers calls them then
        names = [f"LABEL_{place}" for place in range(num_classes)]
    said = config.get("num_classes", len(names) or num_classes)
    if said != num_classes or (names and len(names) != num_classes):
        raise IntegrityError(
            f"the config.json beside {source} describes another number of classes, {said}, than its head has, "
            f"{num_classes}; get a fresh copy"
        )
    return tuple(names) if all(isinstance(name, str) for name in names) else ()


Answers = Literal["one", "several", "value"]
"""What a classifier's outputs say: one class of all, each class by itself, or a number that is no class."""

_PROBLEMS: dict[str, Answers] = {
    "single_label_classification": "one",
    "multi_label_classification": "several",
    "regression": "value",
}


def answers_of(config: Mapping[str, Any], num_classes: int, source: str) -> Answers:
    """Return what transformers takes the outputs of a classifier for. Raise IntegrityError where it would refuse."""
    named = config.get("problem_type")
    if named is None:
        return "value" if num_classes == 1 and "model_type" in config else "one"
    if named not in _PROBLEMS:
        raise IntegrityError(
            f"the config.json beside {source} has problem_type={printable(str(named))!r}; transformers knows "
            f"{', '.join(_PROBLEMS)}"
        )
    return _PROBLEMS[named]


def dtype_of(config: Mapping[str, Any], headers: Mapping[str, TensorHeader], layout: Layout, source: str) -> Any:
    """Return the dtype in which the library has the weights; None where that is how they are stored, float32.

    transformers takes what config.json says, or else what is stored; others take float32.
    """
    stored = next((FLOATS[header.dtype] for header in headers.values() if header.dtype in FLOATS), "float32")
    named = (config.get("dtype") or config.get("torch_dtype")) if layout.library == "transformers" else "float32"
    name = stored if named in (None, "auto") else str(named).removeprefix("torch.")
    if name not in FLOATS.values():
        raise IntegrityError(
            f"the config.json beside {source} has dtype={printable(str(named))!r}, which is none of "
            f"{', '.join(FLOATS.values())}; load with one of these: --dtype float32"
        )
    alike = {header.dtype for header in headers.values() if header.dtype in FLOATS} <= {"F32"}
    return None if name == "float32" and alike else name


def arguments_of(config: Mapping[str, Any], layout: Layout, defaults: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return our arguments that a config.json gives; `defaults` are the model's.

    Raise IntegrityError for one that has no counterpart here.
    """
    given = model_args_of(config) if layout.library == "timm" else config
    named = {theirs: target for target, theirs in layout.options.items()}
    harmless = (
        {*named, *layout.ratios} | _WITHOUT_EFFECT | {key for key, value in OURS.items() if given.get(key) == value}
    )
    unknown = sorted(set(given) - harmless)
    if layout.library == "timm" and layout.rest is None and unknown:
        raise IntegrityError(
            f"the config.json beside {source} builds the model with {unknown[0]!r}, which has no counterpart here; "
            "load it with timm"
        )
    if layout.library == "timm":
        pool = given.get("global_pool", defaults.get(named.get("global_pool", ""), OURS["global_pool"]))
        check_of_timm(config, pool if layout.rest is None else None, source)
    found = {named[key]: value for key, value in given.items() if key in named}
    if layout.rest is not None:
        found[layout.rest] = {
            key: value for key, value in given.items() if key not in {*named, *layout.ratios, *_WITHOUT_EFFECT}
        }
    for theirs, (target, other) in layout.ratios.items():
        ratio, width = given.get(theirs, defaults[target] / defaults[other]), found.get(other, defaults[other])
        if not all(type(value) in (int, float) for value in (ratio, width)):
            raise IntegrityError(
                f"the config.json beside {source} has a {theirs} that is not a number; get a fresh copy"
            )
        found[target] = int(ratio * width)
    return {key: value + layout.shifts.get(key, 0) if type(value) is int else value for key, value in found.items()}


def preprocessing_of(
    config: Mapping[str, Any], processor: Mapping[str, Any], layout: Layout, channels: int, source: str
) -> Preprocessing:
    """Return the preprocessing that the library's files describe; what they leave out is as the layout says."""
    described: dict[str, Any] = {
        "image_size": layout.image_size,
        "mean": layout.mean,
        "std": layout.std,
        "crop": layout.crop,
        "interpolation": layout.interpolation,
        **({} if layout.crop_mode is None else {"crop_mode": layout.crop_mode}),
    }
    try:
        if cfg_of(config):
            described |= preprocessing_of_timm(config)
        elif processor:
            described = inputs_of_processor(processor, str(config.get("model_type")))
        described |= {key: _repeated(described[key], channels) for key in ("mean", "std")}
        return msgspec.convert({**described, "channels": channels}, Preprocessing)
    except (TypeError, ValueError, LookupError) as error:
        raise IntegrityError(
            f"the files beside {source} describe invalid preprocessing: {error}; get a fresh copy"
        ) from None


_BY_STEM = {"image": ("channels", 1), "text": ("vocab_size", 0)}
"""Which argument of a model the shape of its stem tells, and along which axis."""


def arguments_by_stem(modality: str, stem: Sequence[int]) -> dict[str, int]:
    """Return the argument of a model that the shape of its stem tells."""
    name, axis = _BY_STEM.get(modality, ("", 0))
    return {name: stem[axis]} if name else {}


def inputs_of(
    modality: str,
    layout: Layout,
    config: Mapping[str, Any],
    processor: Mapping[str, Any],
    files: TextFiles,
    arguments: Mapping[str, Any],
    source: str,
) -> Any:
    """Return what config.json would keep of how data become inputs; None where nothing says it."""
    if modality == "image":
        return preprocessing_of(config, processor, layout, arguments["channels"], source)
    return files.tokenization(arguments) if modality == "text" else said_inputs(modality, layout.inputs)


def _repeated(values: Sequence[float], channels: int) -> list[float]:
    """Return one value for each channel: as they are, or their mean where there are more or fewer."""
    return list(values) if len(values) == channels else [sum(values) / len(values)] * channels


def timm_config(layout: Layout, block: WeightsDescription, num_features: int) -> dict[str, Any]:
    """Return the root keys of config.json from which timm, and transformers by way of timm, build the model."""
    num_classes, channels = block.arguments["num_classes"], block.arguments["channels"]
    inputs = _inputs(layout, block)
    rest = {} if layout.rest is None else block.arguments[layout.rest]
    options = {**rest, **_options(layout, block), **({} if channels == 3 else {"in_chans": channels})}
    return {
        **layout.models[block.architecture],
        **layout.config,
        **layout.written,
        "num_classes": num_classes,
        "num_features": num_features,
        **({"label_names": list(block.labels)} if block.labels else {}),
        **({"model_args": options} if options else {}),
        "pretrained_cfg": {
            "input_size": [channels, *inputs.image_size],
            "num_classes": num_classes,
            "mean": _repeated(inputs.mean, channels),
            "std": _repeated(inputs.std, channels),
            "crop_pct": inputs.crop,
            "crop_mode": inputs.crop_mode,
            "interpolation": inputs.interpolation,
            "first_conv": layout.stem.removesuffix(".weight"),
            "classifier": layout.classifier.removesuffix(".weight"),
        },
    }


def transformers_config(layout: Layout, block: WeightsDescription) -> dict[str, Any]:
    """Return the config.json from which transformers builds the model."""
    num_classes = block.arguments["num_classes"]
    labels = block.labels or tuple(f"LABEL_{place}" for place in range(num_classes))
    named = {
        "id2label": {str(place): name for place, name in enumerate(labels)},
        "label2id": {name: place for place, name in enumerate(labels)},
    }
    is_image = not layout.architectures
    options = _options(layout, block)
    return {
        **({} if layout.rest is None else block.arguments[layout.rest]),
        **layout.config,
        **layout.models[block.architecture],
        **({} if is_image else {"architectures": [layout.architectures[block.task]]}),
        **layout.written,
        **options,
        **{key: options[first] for key, first in layout.copies.items()},
        **({"num_channels": block.arguments["channels"]} if is_image else {}),
        **(named if is_image or labels else {}),
    }


def transformers_processor(layout: Layout, block: WeightsDescription) -> dict[str, Any]:
    """Return the preprocessor_config.json from which transformers builds the inputs of an image model."""
    inputs, channels = _inputs(layout, block), block.arguments["channels"]
    return processor_of(inputs, *(_repeated(values, channels) for values in (inputs.mean, inputs.std)))


def _inputs(layout: Layout, block: WeightsDescription) -> Preprocessing:
    return block.preprocessing or Preprocessing(image_size=layout.image_size, channels=block.arguments["channels"])


def _options(layout: Layout, block: WeightsDescription) -> dict[str, Any]:
    values = block.arguments
    ratios = {source: values[target] / values[other] for source, (target, other) in layout.ratios.items()}
    options = {
        source: values[target] - layout.shifts[target] if target in layout.shifts else values[target]
        for target, source in layout.options.items()
    }
    others = {key: options.get(layout.same.get(key, ""), layout.defaults.get(key)) for key in options}
    return {key: others[key] if value is None else value for key, value in options.items()} | ratios
