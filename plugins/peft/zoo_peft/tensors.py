"""adapter_model.safetensors: the pairs of matrices that correct layers, and the tensors that are saved whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from safetensors import safe_open
from torch import Tensor

import zoo
from zoo_peft.settings import Settings, read_settings

PREFIX = "base_model.model."
METADATA = "zoo"
"""Where files that Zoo wrote keep what PEFT has no place for, as `Known` says."""
_PART = re.compile(r"(?P<module>.+)\.(?P<part>lora_A\.weight|lora_B\.weight|lora_magnitude_vector)(?:\.weight)?")
_DOWN, _UP, _MAGNITUDE = "lora_A.weight", "lora_B.weight", "lora_magnitude_vector"
_WRAPPERS = ("timm_model.",)
_BESIDE = ".base_layer."
"""What PEFT puts into the name of a layer's own bias, where an adapter lies beside the layer."""


@dataclass(frozen=True)
class Pair:
    """The tensors of one layer's correction by their names in the file; with `magnitude` it is DoRA's."""

    module: str
    down: str
    up: str
    magnitude: str | None
    scale: float


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """What Zoo knows besides: the sha256 of the base, and the names of the classes.

    For a base of Zoo's own, `zoo` is what config.json says of the whole: no class of a library says what it is for.
    """

    base_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | None = None
    labels: tuple[str, ...] = ()
    zoo: dict[str, Any] | None = None


@dataclass(frozen=True)
class AdapterFile:
    """An adapter's files, described. `saved` has the names that the base gives tensors which are stored whole."""

    path: Path
    settings: Settings
    pairs: tuple[Pair, ...]
    saved: Mapping[str, str]
    known: Known

    @cached_property
    def stored(self) -> Any:
        """The tensors' headers, and what loads them."""
        return zoo.stored_tensors(self.path)


def read_adapter(path: Path) -> AdapterFile:
    """Read an adapter's configuration and headers. Raise IntegrityError where they do not fit each other."""
    headers = zoo.stored_tensors(path).headers
    known = _metadata(path)
    settings = read_settings(path, known.base_sha256)
    parts: dict[str, dict[str, str]] = {}
    saved: dict[str, str] = {}
    for key in headers:
        if not key.startswith(PREFIX):
            raise zoo.IntegrityError(
                f"{path} has the tensor {ascii(key)[:80]}, which is none of PEFT's; get a fresh copy"
            )
        name = key.removeprefix(PREFIX)
        for wrapper in _WRAPPERS:
            name = name.removeprefix(wrapper)
        if (found := _PART.fullmatch(name)) is not None:
            parts.setdefault(found["module"], {})[found["part"]] = key
        elif ".lora_" in name:
            raise zoo.IntegrityError(
                f"{path} has {ascii(name)[:80]}, which is not read here; linear layers and convolutions are, without "
                "a bias of their own"
            )
        else:
            saved[name.replace(_BESIDE, ".")] = key
    return AdapterFile(path, settings, tuple(_pairs(path, settings, parts, headers)), saved, known)


def _pairs(path: Path, settings: Settings, parts: Mapping[str, Mapping[str, str]], headers: Mapping[str, Any]) -> Any:
    for module, found in parts.items():
        wanted = {_DOWN, _UP, _MAGNITUDE} if settings.dora else {_DOWN, _UP}
        if found.keys() != wanted:
            (other,) = sorted(found.keys() ^ wanted)[:1]
            what = "lacks" if other in wanted else "has"
            raise zoo.IntegrityError(
                f"{path} {what} {other} of {ascii(module)[1:-1][:80]}, which use_dora={settings.dora} in "
                f"{settings.path.name} does not say; get a fresh copy of both files"
            )
        rank = settings.rank_of(module)
        down, up = headers[found[_DOWN]].shape, headers[found[_UP]].shape
        if len(down) < 2 or len(up) < 2 or down[0] != rank or up[1] != rank:
            raise zoo.IntegrityError(
                f"{path} has matrices of {list(down)} and {list(up)} for {ascii(module)[1:-1][:80]}, and "
                f"{settings.path.name} says rank {rank}; get a fresh copy of both files"
            )
        yield Pair(module, found[_DOWN], found[_UP], found.get(_MAGNITUDE), settings.scale_of(module))


def _metadata(path: Path) -> Known:
    with safe_open(path, "pt") as file:
        text = (file.metadata() or {}).get(METADATA)
    if text is None:
        return Known()
    try:
        return msgspec.convert(zoo.parse_json(text.encode(), f"{METADATA} in the metadata of {path}"), Known)
    except msgspec.ValidationError as error:
        raise zoo.IntegrityError(
            f"{path} has metadata {METADATA!r} that no Zoo wrote: {error}; get a fresh copy"
        ) from None


def flat(tensor: Tensor) -> Tensor:
    """Return a matrix of a linear layer, or a kernel, as one row for each output, in float32."""
    return tensor.float().flatten(1)
