"""Threads of their own for reading: lists and pages hold up no other request, and never wait behind writes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_pool = ThreadPoolExecutor(2, "zoo-read")  # few, because every one that computes keeps the event loop from the GIL


async def in_thread(function: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
    """Call a function that reads and computes for more than a moment."""
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(function, *arguments, **options))
