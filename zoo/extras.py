"""What needs an extra of zoo-hub, and the one line that says so where it is missing; none of them is imported."""

from dataclasses import dataclass
from importlib.util import find_spec

from zoo.errors import UsageError


@dataclass(frozen=True)
class Extra:
    """One extra: the modules that it brings, as they are imported, and what people type that needs them."""

    name: str
    modules: tuple[str, ...]
    use: str

    @property
    def command(self) -> str:
        """Return what to type to have it."""
        return f"pip install 'zoo-hub[{self.name}]'"

    def missing(self) -> list[str]:
        """Return those of its modules that are not installed."""
        return [module for module in self.modules if find_spec(module) is None]


EXTRAS = (
    Extra(
        "train",
        ("matplotlib", "PIL", "pycocotools", "rouge_score", "sacrebleu", "sklearn", "tokenizers"),
        "zoo pretrain, zoo finetune, zoo evaluate; images and texts",
    ),
    Extra("data", ("datasets", "pyarrow", "PIL"), "hf://datasets/ORG/NAME; .parquet files"),
    Extra(
        "serve",
        ("httptools", "jinja2", "lz4", "markdown_it", "nh3", "uvicorn"),
        "zoo hub serve, --hub FOLDER",
    ),
    Extra("sign", ("model_signing", "OpenSSL"), "zoo push --sign, zoo verify --signature"),
    Extra("tensorboard", ("tensorboard",), "--track tensorboard"),
    Extra("onnx", ("onnx", "onnxscript"), "zoo export --to onnx"),
)


def install_command(plugin: str) -> str:
    """Return what to type to have a plugin."""
    return f"zoo plugins install {plugin}"


def require(what: str, *modules: str) -> None:
    """Raise UsageError, with the line to type, where one of these modules of extras is not installed."""
    for module in modules:
        if find_spec(module) is None:
            raise UsageError(needed(what, module))


def needed(what: str, module: str | None) -> str:
    """Say which extra `what` needs for a module, and how to get it; "" for a module that no extra brings."""
    top = (module or "").partition(".")[0]
    return next(
        (f"{what} needs the {extra.name} extra: {extra.command}" for extra in EXTRAS if top in extra.modules), ""
    )
