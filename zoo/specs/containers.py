"""What Zoo asks of a container of weights other than safetensors. Protocols; nothing has to be inherited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Header(Protocol):
    """One tensor as it is described: its type as safetensors calls it ("F32"), and its shape."""

    @property
    def dtype(self) -> str:
        """The type."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        ...


class Container(Protocol):
    """An opened file: what it holds, described first and read afterwards."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def headers(self) -> Mapping[str, Any]:
        """Every tensor by its name, as a `zoo.Header`."""
        ...

    @property
    def library(self) -> str | None:
        """The library whose layouts name the tensors, None where any may."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """What the file says of its model, as that library's config.json would; with a block `zoo`, as Zoo's would.

        Tensors have our names then.
        """
        ...

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Read the tensors."""
        ...


@runtime_checkable
class CarriesFiles(Protocol):
    """A container that holds besides tensors what others have in files beside weights."""

    @property
    def files(self) -> Mapping[str, str]:
        """The texts of such files by their names: tokenizer.json, chat_template.jinja, preprocessor_config.json."""
        ...


class BaseAddress(NamedTuple):
    """The weights that others correct: a repo or a folder, the revision, and the sha256 of the tensors where known."""

    source: str
    revision: str | None = None
    sha256: str | None = None


@runtime_checkable
class WritesFolders(Protocol):
    """A format that has for a model, besides one file, a folder of several: a preset, with its tokenizer."""

    def write_folder(self, weights: Path, folder: Path) -> None:
        """Write a weights folder into an empty one. Raise UsageError where the format has no place for it."""
        ...


@runtime_checkable
class Format(Protocol):
    """One container of weights, behind what its spec names. Reading is bounded, and runs nothing of the file."""

    def recognizes(self, path: Path) -> bool:
        """Tell by a file's first bytes whether it is one."""
        ...

    def open(self, path: Path) -> Container:
        """Read what a file holds. Raise IntegrityError for a broken one."""
        ...

    def write(self, weights: Path, out: Path) -> None:
        """Write a weights folder as one file, or into the folder `out` where the spec says so.

        Raise UsageError where the format has no place for it.
        """
        ...


@runtime_checkable
class NeedsBase(Protocol):
    """A format whose files correct other weights. These are found, and pinned, before a file is opened."""

    def base(self, path: Path) -> BaseAddress:
        """Return which weights a file corrects. Raise IntegrityError for a broken one."""
        ...
