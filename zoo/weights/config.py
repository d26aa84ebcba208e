"""config.json of a weights folder: Zoo's own block, with a closed schema. Nothing in it is ever executed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from zoo.errors import IntegrityError
from zoo.jsonfile import parse_json
from zoo.paths import write_file

FORMAT_VERSION = 1
_THEIR_KEYS = ("num_classes", "num_features", "label_names", "model_args", "pretrained_cfg")
_MAX_PIXELS = 8192 * 8192
_CODE_KEYS = ("auto_map", "trust_remote_code", "model_file", "custom_pipelines", "plugins")


class Preprocessing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How pictures become inputs: resized to `image_size` (height, width), floats in [0, 1], minus mean, over std.

    With `crop` below 1 they keep their proportions: they are scaled to cover `image_size / crop`, and the middle is
    taken.
    """

    image_size: tuple[Annotated[int, Meta(ge=1, le=65_536)], Annotated[int, Meta(ge=1, le=65_536)]]
    channels: Annotated[int, Meta(ge=1, le=1024)]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Meta(gt=0)], ...] = (1.0,)
    crop: Annotated[float, Meta(gt=0, le=1)] = 1.0
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"

    def __post_init__(self) -> None:
        height, width = self.image_size
        if height * width > _MAX_PIXELS * self.crop**2:
            raise ValueError(f"pictures of {height} x {width} pixels cut from larger ones are more than can be held")


class Tokenisation(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How text becomes inputs: by the tokenizer.json with this sha256, cut behind `max_tokens`."""

    tokenizer: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    max_tokens: Annotated[int, Meta(ge=1, le=16_777_216)]


class RecipeRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which recipe made the weights, and with which settings."""

    name: str
    settings: dict[str, Any]


class DataRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which data the weights have seen. `fingerprint` is the sha256 over its contents."""

    name: str
    fingerprint: str
    licence: str = "unknown"


class BaseRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The weights that an adapter belongs to: a repo on the Hub, at one commit."""

    repo: Annotated[str, Meta(pattern=r"^[\w.-]{1,96}/[\w.-]{1,96}\Z")]
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]


class AdapterRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the tensors beside this correct those of the base."""

    rank: Annotated[int, Meta(ge=1, le=4096)]
    alpha: Annotated[float, Meta(gt=0)]
    base: BaseRecord


class ZooBlock(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that it takes to build the model again and to use it rightly.

    `head` has the arguments of the task's network on the model, None where the model's own classifier is all. With
    `adapter` the tensors are what was learnt on top of other weights.
    """

    format_version: int
    plugin: str
    plugin_version: str
    architecture: str
    arguments: dict[str, Any]
    head: dict[str, Any] | None = None
    task: str
    labels: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None
    tokenisation: Tokenisation | None = None
    recipe: RecipeRecord | None = None
    data: DataRecord | None = None
    adapter: AdapterRecord | None = None


class _Document(Struct, forbid_unknown_fields=True, omit_defaults=True):
    zoo: ZooBlock
    architecture: str | None = None
    model_type: str | None = None


def read_config(folder: Path) -> ZooBlock:
    """Read a folder's config.json strictly; describe weights that another library wrote by their layout.

    Raise NotFoundError where no plugin knows them, and IntegrityError for a file that is not exactly what Zoo writes.
    """
    path = folder / "config.json"
    values = read_json(folder)
    if "zoo" not in values:
        from zoo.weights.foreign import recognise  # builds models; this file is free of torch

        return recognise(folder, values).block
    values = {key: value for key, value in values.items() if key not in _THEIR_KEYS}
    try:
        block = msgspec.convert(values, _Document).zoo
    except msgspec.ValidationError as error:
        allowed = f"; allowed are {', '.join(_fields_at(str(error)))}" if "unknown field" in str(error) else ""
        raise IntegrityError(f"{path} is not what zoo writes: {error}{allowed}; get a fresh copy") from None
    if block.format_version != FORMAT_VERSION:
        raise IntegrityError(
            f"{path} has format_version {block.format_version}, this zoo reads {FORMAT_VERSION}; "
            "upgrade zoo: pip install -U zoo-hub"
        )
    _check_class_count(block, path)
    return block


def read_json(folder: Path) -> dict[str, Any]:
    """Return what config.json holds, nothing where there is none. Raise IntegrityError where it asks to run code."""
    path = folder / "config.json"
    try:
        with open(path, "rb") as file:
            content = file.read(6 * 1024 * 1024)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    values = parse_json(content, str(path))
    if code := [key for key in _CODE_KEYS if key in values]:
        raise IntegrityError(f"{path} asks to run code of its own ({', '.join(code)}), which zoo never does; remove it")
    return values


def write_config(folder: Path, block: ZooBlock, beside: Mapping[str, Any] | None = None) -> None:
    """Write config.json, keys in the order of the schema; `beside` are root keys from which timm builds the model."""
    described = msgspec.to_builtins(block)
    for name in ("head", "tokenisation", "adapter"):  # most weights have none of them
        if described[name] is None:
            del described[name]
    document = {**(beside or {}), "zoo": described}
    write_file(folder / "config.json", msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def _check_class_count(block: ZooBlock, path: Path) -> None:
    num_classes = block.arguments.get("num_classes")
    if block.head is None and block.labels and num_classes is not None and num_classes != len(block.labels):
        raise IntegrityError(
            f"{path} names {len(block.labels)} labels but asks for a head of {num_classes!r} classes; get a fresh copy"
        )


def _fields_at(message: str) -> list[str]:
    structs: dict[str, type[Struct]] = {
        "$.zoo.preprocessing": Preprocessing,
        "$.zoo.tokenisation": Tokenisation,
        "$.zoo.recipe": RecipeRecord,
        "$.zoo.data": DataRecord,
        "$.zoo.adapter.base": BaseRecord,
        "$.zoo.adapter": AdapterRecord,
        "$.zoo": ZooBlock,
    }
    struct: type[Struct] = next((struct for place, struct in structs.items() if f"`{place}`" in message), _Document)
    return [field.name for field in msgspec.structs.fields(struct)]
