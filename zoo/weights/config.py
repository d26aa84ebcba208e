"""config.json of a weights folder: Zoo's own block, with a closed schema. Nothing in it is ever executed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from zoo.errors import IntegrityError
from zoo.files import write_file
from zoo.specs.renamed import current_keys
from zoo.weights.description import (
    FORMAT_VERSION,
    AdapterRecord,
    BaseRecord,
    DataRecord,
    RecipeRecord,
    WeightsDescription,
    read_json,
)
from zoo.weights.formats import own_container
from zoo.weights.inputs import parse_inputs

RENAMED_KEYS = {"licence": "license"}
_READABLE = (1, FORMAT_VERSION)
_THEIR_KEYS = ("num_classes", "num_features", "label_names", "model_args", "pretrained_cfg")


class _Document(Struct, forbid_unknown_fields=True, omit_defaults=True):
    zoo: WeightsDescription
    architecture: str | None = None
    model_type: str | None = None


def read_config(folder: Path) -> WeightsDescription:
    """Read a folder's config.json strictly; describe weights that another library wrote by their layout.

    Raise NotFoundError where no plugin knows them, and IntegrityError for a file that is not exactly what Zoo writes.
    """
    path = folder / "config.json"
    values = read_json(folder)
    if "zoo" not in values and (container := own_container(folder)) is not None:
        path, values = container.path, dict(container.config)
    if "zoo" not in values:
        from zoo.weights.foreign.recognize import recognize  # builds models; this file is free of torch

        return recognize(folder, values).block
    values = {key: value for key, value in values.items() if key not in _THEIR_KEYS}
    own = values["zoo"]
    version = own.get("format_version", FORMAT_VERSION) if isinstance(own, dict) else FORMAT_VERSION
    if type(version) is int and version not in _READABLE:
        raise IntegrityError(
            f"{path} has format_version {version}, this zoo reads up to {FORMAT_VERSION}; "
            "upgrade zoo: pip install -U zoo-hub"
        )
    inputs = None
    if isinstance(own, dict):
        if isinstance(own.get("data"), dict):
            own = {**own, "data": current_keys(own["data"], RENAMED_KEYS)}
        _check_complete(own, path)
        values["zoo"], inputs = parse_inputs(own, version, str(path))
    try:
        block = msgspec.convert(values, _Document).zoo
    except msgspec.ValidationError as error:
        allowed = f"; allowed are {', '.join(_fields_at(str(error)))}" if "unknown field" in str(error) else ""
        raise IntegrityError(f"{path} is not what zoo writes: {error}{allowed}; get a fresh copy") from None
    block = replace(block, inputs=inputs)
    _check_class_count(block, path)
    return block


def write_config(folder: Path, block: WeightsDescription, beside: Mapping[str, Any] | None = None) -> None:
    """Write config.json, keys in the order of the schema; `beside` are root keys from which timm builds the model."""
    described = msgspec.to_builtins(replace(block, inputs=None))
    described["format_version"] = FORMAT_VERSION
    described["inputs"] = None if block.inputs is None else block.inputs.to_builtins()
    for name in ("head", "inputs", "adapter", "dtype"):  # some weights have none of them
        if described[name] is None:
            del described[name]
    document = {**(beside or {}), "zoo": described}
    write_file(folder / "config.json", msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def _check_class_count(block: WeightsDescription, path: Path) -> None:
    num_classes = block.arguments.get("num_classes")
    if block.head is None and block.labels and num_classes is not None and num_classes != len(block.labels):
        raise IntegrityError(
            f"{path} names {len(block.labels)} labels but asks for a head of {num_classes!r} classes; get a fresh copy"
        )


def _check_complete(own: Mapping[str, Any], path: Path) -> None:
    """Raise IntegrityError that names every field that is missing, so that nobody finds them one by one."""
    parts: dict[str, type[Struct]] = {
        "": WeightsDescription,
        "recipe": RecipeRecord,
        "data": DataRecord,
        "adapter": AdapterRecord,
    }
    missing = [
        f"{name}.{field.encode_name}".lstrip(".")
        for name, struct in parts.items()
        if isinstance(values := own.get(name) if name else own, dict)
        for field in msgspec.structs.fields(struct)
        if field.required and field.encode_name not in values
    ]
    if missing:
        raise IntegrityError(
            f"{path} lacks {', '.join(missing)} in its block `zoo`; add them, or have zoo.save(model, folder) write it"
        )


def _fields_at(message: str) -> list[str]:
    structs: dict[str, type[Struct]] = {
        "$.zoo.recipe": RecipeRecord,
        "$.zoo.data": DataRecord,
        "$.zoo.adapter.base": BaseRecord,
        "$.zoo.adapter": AdapterRecord,
        "$.zoo": WeightsDescription,
    }
    struct: type[Struct] = next((struct for place, struct in structs.items() if f"`{place}`" in message), _Document)
    return [field.name for field in msgspec.structs.fields(struct)]
