"""The memory that bodies take, of all requests together: a client that sends slowly must not hold it for nothing."""

import asyncio
from contextlib import suppress

MOST = 32 * 1024 * 1024
_FREE = 64 * 1024
"""What is not counted of each body, so that small ones never wait."""
_WAIT_SECONDS = 5.0


class Memory:
    """What is left for bodies that are not small."""

    def __init__(self, maximum: int = MOST) -> None:
        self._left = maximum
        self._freed = asyncio.Event()

    async def take(self, count: int) -> bool:
        """Take so much, waiting a while for others to end; tell whether it could be had."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_SECONDS):
                while self._left < count:
                    self._freed.clear()
                    await self._freed.wait()
        if self._left < count:
            return False
        self._left -= count
        return True

    def give(self, count: int) -> None:
        """Give back."""
        self._left += count
        self._freed.set()


class Share:
    """One request's part of the memory, given back when it is answered."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory
        self._taken = 0

    async def hold(self, size: int) -> bool:
        """Say that so many bytes are held now, never fewer than before; tell whether they may be."""
        more = max(0, size - _FREE) - self._taken
        if self._memory is None or more <= 0:
            return True
        if not await self._memory.take(more):
            return False
        self._taken += more
        return True

    def release(self) -> None:
        """Give all back."""
        if self._memory is not None and self._taken:
            self._memory.give(self._taken)
            self._taken = 0
