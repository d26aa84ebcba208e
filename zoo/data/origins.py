"""What samples were made from: kept where something is to be written of each, since it takes memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Origins = Sequence[Mapping[str, Any]]
"""For each sample what it is known by, such as its file, or its text."""
_kept: ContextVar[bool] = ContextVar("kept", default=False)


@contextmanager
def keeping_origins() -> Iterator[None]:
    """Let splits that are opened in the block have `origins`, as far as their data set knows any."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)


def origins_kept() -> bool:
    """Tell whether splits are to have `origins`."""
    return _kept.get()
