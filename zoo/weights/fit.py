"""Compare what a model needs with what a file holds, before anything is mapped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from zoo.errors import IntegrityError, UsageError
from zoo.weights.description import DType, WeightsDescription
from zoo.weights.header import TensorHeader

_DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_FLOATS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64}
_FLOAT_NAMES = {_DTYPES[dtype] for dtype in _FLOATS.values()}


def float_dtype(dtype: Any) -> torch.dtype:
    """Return the dtype of this name. Raise UsageError for one that weights cannot be asked for in."""
    found = dtype if dtype in _FLOATS.values() else _FLOATS.get(str(dtype).removeprefix("torch."))
    if found is None:
        raise UsageError(f"dtype={dtype!r} is not supported; choose one of {', '.join(_FLOATS)}")
    return found


def in_dtype(block: WeightsDescription, dtype: Any) -> WeightsDescription:
    """Return what weights say of themselves once they are converted, where a dtype is asked for."""
    if dtype is None:
        return block
    name = str(float_dtype(dtype)).removeprefix("torch.")
    return replace(block, dtype=None if name == "float32" else msgspec.convert(name, DType))


def ties_of(model: nn.Module) -> dict[str, str]:
    """Return for every parameter that has several names each further name with the first one."""
    first: dict[int, str] = {}
    ties = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if (known := first.setdefault(id(parameter), name)) != name:
            ties[name] = known
    return ties


def check_tensors(
    wanted: Mapping[str, Tensor],
    ties: Mapping[str, str],
    found: Mapping[str, TensorHeader],
    path: Path,
    *,
    any_float: bool = False,
) -> None:
    """Raise IntegrityError unless the file holds exactly the tensors that are wanted, in their shapes and dtypes.

    With `any_float` floating-point tensors may have another floating-point dtype: they are going to be converted.
    """
    names = [name for name in wanted if name not in ties]
    described = {name: TensorHeader(str(_DTYPES.get(wanted[name].dtype)), tuple(wanted[name].shape)) for name in names}
    if described == found:
        return
    both = [name for name in names if name in found]
    kinds = {
        "missing": [name for name in names if name not in found],
        "unexpected": [name for name in found if name not in described],
        "wrong shape": [
            f"{name} {list(found[name].shape)} instead of {list(described[name].shape)}"
            for name in both
            if found[name].shape != described[name].shape
        ],
        "wrong dtype": [
            f"{name} {found[name].dtype} instead of {described[name].dtype}"
            for name in both
            if found[name].dtype != described[name].dtype
            and not (any_float and {found[name].dtype, described[name].dtype} <= _FLOAT_NAMES)
        ],
    }
    faults = [
        f"{len(items)} {kind} ({', '.join(items[:5])}{', …' if len(items) > 5 else ''})"
        for kind, items in kinds.items()
        if items
    ]
    if faults:
        only_types = not any(items for kind, items in kinds.items() if kind != "wrong dtype")
        cure = (
            'ask for a conversion with dtype="float32" (--dtype float32), or get a fresh copy'
            if only_types
            else "get a fresh copy"
        )
        raise IntegrityError(f"{path} does not fit its config.json: {'; '.join(faults)}; {cure}")
