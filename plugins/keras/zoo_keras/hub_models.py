"""Our models as KerasHub describes them: its classes, their configurations, and what must be as it has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import zoo
from zoo_keras.hub_layouts import LAYOUTS


@dataclass(frozen=True)
class Kind:
    """One family of KerasHub: its name in classes and in modules, our models, and the task of its head for language."""

    name: str
    folder: str
    models: tuple[str, ...]
    language: str | None = None
    fixed: Mapping[str, Any] | None = None

    @property
    def layout(self) -> zoo.Layout:
        """How its presets store our models."""
        return next(layout for layout in LAYOUTS if self.models[0] in layout.models)

    def serialized(self, what: str, config: Mapping[str, Any], dtype: str | None = "float32") -> dict[str, Any]:
        """Return what Keras writes of an object of one of its classes, such as its Backbone."""
        own = f"{self.folder}_{_snake(what)}"
        return {
            "module": f"keras_hub.src.models.{self.folder}.{own}",
            "class_name": f"{self.name}{what}",
            "config": {"name": own, **({} if dtype is None else _dtype(dtype)), **config},
            "registered_name": f"keras_hub>{self.name}{what}",
        }


_TOKEN = {"pool": "token"}
KINDS = (
    Kind(
        "Bert", "bert", ("bert", "minilm_l6"), "MaskedLM", {**_TOKEN, "head_activation": "tanh", "position_offset": 0}
    ),
    Kind(
        "Roberta", "roberta", ("roberta",), "MaskedLM", {**_TOKEN, "head_activation": "tanh", "approximate_gelu": False}
    ),
    Kind(
        "DistilBert",
        "distil_bert",
        ("distilbert",),
        "MaskedLM",
        {**_TOKEN, "head_activation": "relu", "approximate_gelu": False},
    ),
    Kind("GPT2", "gpt2", ("gpt2", "distilgpt2"), "CausalLM"),
    Kind(
        "ViT",
        "vit",
        ("vit", *(f"vit_{size}_patch16_224" for size in ("tiny", "small", "base", "large"))),
        fixed={**_TOKEN, "class_token": True, "qkv_bias": True},
    ),
)


def kind_of(architecture: str) -> Kind | None:
    """Return the family of one of our models; None where KerasHub has none that is written."""
    return next((kind for kind in KINDS if architecture in kind.models), None)


def checked(kind: Kind, known: Any) -> None:
    """Raise UsageError where weights have something that KerasHub's class has otherwise."""
    said, folded = known.arguments, ("num_segments", "position_offset")
    fixed = {key: value for key, value in kind.layout.arguments.items() if key not in folded} | dict(kind.fixed or {})
    for key, value in fixed.items():
        if said[key] != value:
            raise zoo.UsageError(
                f"KerasHub's {kind.name}Backbone has {key}={value!r}, these weights have {said[key]!r}; "
                "export them for transformers or as a graph: --to onnx"
            )
    if kind.name in ("Roberta", "DistilBert") and said["num_segments"] > 1:
        raise zoo.UsageError(
            f"KerasHub's {kind.name}Backbone has no segments, these weights have {said['num_segments']}; "
            "export them for transformers"
        )
    if known.head is not None or (kind.name == "GPT2" and said["num_classes"]):
        raise zoo.UsageError(f"KerasHub has no {kind.name} for {known.task}; export it as a graph: --to onnx")


def backbone_config(kind: Kind, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of the backbone's class."""
    config = {theirs: arguments[ours] for ours, theirs in kind.layout.options.items() if theirs != "image_size"}
    if kind.name == "ViT":
        size = arguments["image_size"]
        sides = [size, size] if isinstance(size, int) else list(size)
        return {
            **{**config, "image_shape": [*sides, arguments["channels"]], "patch_size": [arguments["patch_size"]] * 2},
            **{"dropout_rate": arguments["dropout"], "attention_dropout": arguments["attention_dropout"] or 0.0},
            **dict.fromkeys(("use_mha_bias", "use_mlp_bias", "use_class_token", "use_patch_bias"), True),
        }
    if config["intermediate_dim"] is None:
        config["intermediate_dim"] = 4 * arguments["width"]
    return {**config, "dropout": arguments["dropout"]}


def task_of(kind: Kind, known: Any) -> str | None:
    """Return the name of the task that weights have a head for; None where they give features."""
    if known.arguments["num_classes"]:
        return "ImageClassifier" if kind.name == "ViT" else "TextClassifier"
    return kind.language if known.arguments.get("lm_head", True) else None


def task_config(kind: Kind, task: str, known: Any) -> dict[str, Any]:
    """Return the configuration of a task's class, but for its backbone and preprocessor."""
    if task in ("CausalLM", "MaskedLM"):
        return {}
    config = {"num_classes": known.arguments["num_classes"], "activation": None, "dropout": 0.0}
    return {**config, "pooling": "token"} if kind.name == "ViT" else config


def image_converter(kind: Kind, inputs: Any) -> dict[str, Any]:
    """Return what scales pictures: a converter with the mean and the deviation as scale and offset."""
    mean, std = ([*values] * (inputs.channels if len(values) == 1 else 1) for values in (inputs.mean, inputs.std))
    config = {
        "image_size": list(inputs.image_size),
        "scale": [1 / (255 * value) for value in std],
        "offset": [-m / s for m, s in zip(mean, std, strict=True)],
        "interpolation": "bilinear",
        "crop_to_aspect_ratio": False,
    }
    return kind.serialized("ImageConverter", config)


def _dtype(name: str) -> dict[str, Any]:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
    return {"trainable": True, "dtype": policy}


def _snake(name: str) -> str:
    parts = {"MaskedLM": "masked_lm", "CausalLM": "causal_lm"}
    for whole, text in parts.items():
        name = name.replace(whole, f"_{text}_")
    return (
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_").replace("__", "_")
    )
