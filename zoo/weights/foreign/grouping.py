"""Which tensors of another library are one tensor of ours, and how they become it."""

import math
from collections.abc import Mapping
from typing import Any

from zoo.specs.layouts import Layout
from zoo.weights.foreign.renaming import Translated, to_ours
from zoo.weights.header import TensorHeader

_WRAPPERS = ("module.", "_orig_mod.", "timm_model.")
"""What DataParallel, torch.compile and transformers put before every name of the model that they hold."""

Group = list[tuple[Translated, str]]
"""What is one tensor of ours: how each of theirs is translated, and its name."""


def grouped(found: Mapping[str, TensorHeader], layout: Layout) -> dict[str, Group]:
    """Return their tensors by our names, in the order in which they are joined."""
    groups: dict[str, Group] = {}
    for name, bare in _unwrapped(found).items():
        translated = to_ours(bare, layout.renames)
        groups.setdefault(translated.name, []).append((translated, name))
    return {name: sorted(group, key=lambda item: item[0].part) for name, group in groups.items()}


def is_whole(group: Group) -> bool:
    """Tell whether these are all parts of one tensor, each once."""
    return [translated.part for translated, _ in group] == [(place, len(group)) for place in range(len(group))]


def turned(translated: Translated, dimensions: int) -> tuple[tuple[int, ...], ...] | None:
    """Return which of their axes each of ours joins; None where a tensor of so many dimensions stays as it is."""
    if translated.axes is None:
        return None
    axes = tuple((axis,) if isinstance(axis, int) else axis for axis in translated.axes)
    return axes if sorted(axis for joined in axes for axis in joined) == list(range(dimensions)) else None


def axes_of(group: Group, found: Mapping[str, TensorHeader]) -> tuple[tuple[int, ...], ...] | None:
    """Return which of their axes each of ours joins, as every tensor of a group has them; None where none moves."""
    translated, name = group[0]
    return turned(translated, len(found[name].shape))


def header_of(group: Group, found: Mapping[str, TensorHeader], wanted: tuple[int, ...] | None) -> TensorHeader:
    """Describe one tensor of ours as it comes out of theirs; where it cannot be right, as theirs is."""
    translated, name = group[0]
    header = found[name]
    if (axes := axes_of(group, found)) is not None:
        shape = tuple(math.prod(header.shape[axis] for axis in joined) for joined in axes)
        found = {
            name: TensorHeader(found[name].dtype, shape) if found[name] == header else found[name] for _, name in group
        }
        header = found[name]
    if len(group) > 1:
        alike = {found[name] for _, name in group} == {header} and header.shape
        return TensorHeader(header.dtype, (len(group) * header.shape[0], *header.shape[1:])) if alike else header
    reshaped = translated.dims == len(header.shape) and _equal_but_at_the_end(header.shape, wanted)
    return TensorHeader(header.dtype, wanted) if reshaped and wanted is not None else header


def _unwrapped(found: Mapping[str, TensorHeader]) -> dict[str, str]:
    """Return every name with what remains of it when the wrappers around the whole model are taken off."""
    bare = {name: name for name in found}
    while wrapper := next((item for item in _WRAPPERS if bare and all(map(_starts(item), bare.values()))), None):
        bare = {name: rest.removeprefix(wrapper) for name, rest in bare.items()}
    return bare


def _starts(prefix: str) -> Any:
    return lambda name: name.startswith(prefix)


def _equal_but_at_the_end(source: tuple[int, ...], target: tuple[int, ...] | None) -> bool:
    """Tell whether two shapes are one, but that the last dimension of the one is several of the other, or ones."""
    if target is None:
        return False
    shorter, longer = sorted((source, target), key=len)
    kept = len(shorter) - 1 if len(shorter) > 1 else len(shorter)  # a vector is never the numbers of a matrix
    return longer[:kept] == shorter[:kept] and math.prod(longer[kept:]) == math.prod(shorter[kept:])
