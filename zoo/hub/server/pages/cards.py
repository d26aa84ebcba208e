"""Cards as pages show them: rendered once, in a process that can be killed, and as plain text where that fails."""

import asyncio
import hashlib
import logging
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from zoo.hub.server import work
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.pages import worker
from zoo.hub.server.pages.renderer import CardRefusedError, NoProcessError, Renderer
from zoo.hub.server.sizes import size_text
from zoo.hub.server.trees import Entry

_MAX_CARD = 512 * 1024
_MAX_PLAIN = 256 * 1024
_MAX_CACHED = 32 * 1024 * 1024
_MAX_WAITING = 16
_REFUSED = (
    f"This card is shown as plain text: as a page it would take more than {worker.MAX_SECONDS} seconds, "
    f"{size_text(worker.MAX_MEMORY)} of memory or {size_text(worker.MAX_HTML)} of HTML."
)
_LONG = f"This card is shown as plain text: it is longer than {size_text(_MAX_CARD)}."
_CUT = f" Only its first {size_text(_MAX_PLAIN)} are here."
_BUSY = "This card is shown as plain text: no page could be made of it just now; load this one again."
_log = logging.getLogger("zoo.hub.server")

_Key = tuple[str, str, str]  # the card's sha256, and where its links lead


@dataclass(frozen=True)
class Card:
    """HTML that can do no harm; or plain text, with the reason why."""

    html: Markup | None
    plain: str = ""
    reason: str = ""


class Cards:
    """The cards made into HTML lately, and the ones that cannot be; used from the event loop alone."""

    def __init__(self) -> None:
        self.renderer = Renderer()
        self.cached_bytes = 0
        self._thread = ThreadPoolExecutor(1, "zoo-cards")
        self._waiting: dict[_Key, asyncio.Task[str | None]] = {}
        self._cache: OrderedDict[_Key, str | None] = OrderedDict()

    async def card(self, blobs: BlobStore, entry: Entry, base: str, revision: str) -> Card:
        """Return a file as a card whose links lead into the repo at `base`. Raise OSError where its bytes are gone."""
        if entry.size > _MAX_CARD:
            return await work.run_read(_plain, blobs, entry, _LONG)
        key = (entry.sha256, base, revision)
        if key in self._cache:
            self._cache.move_to_end(key)
            html = self._cache[key]
        elif key not in self._waiting and len(self._waiting) >= _MAX_WAITING:
            return await work.run_read(_plain, blobs, entry, _BUSY)
        else:
            try:
                html = await self._rendered(blobs, key)
            except NoProcessError as error:
                _log.error("the process that renders cards does not start: %s", error)
                return await work.run_read(_plain, blobs, entry, _BUSY)
        return Card(Markup(html)) if html is not None else await work.run_read(_plain, blobs, entry, _REFUSED)

    async def preview(self, text: str, base: str, revision: str) -> Card:
        """Return a text that is not kept yet as a card would show it."""
        return await self._unkept(text, text=text, base=base, revision=revision)

    async def changes(self, before: str, after: str) -> Card:
        """Return the lines that changed from one text to another."""
        return await self._unkept("", before=before, after=after) if before != after else Card(Markup(""))

    async def _unkept(self, plain: str, **question: str) -> Card:
        """Render what is not remembered; everybody who asks for the same meanwhile waits for the same turn."""
        words = "\0".join(f"{name}={text}" for name, text in question.items()).encode("utf-8", "replace")
        key = ("", "", hashlib.sha256(words).hexdigest())
        task = self._waiting.get(key)
        if task is None and len(self._waiting) >= _MAX_WAITING:
            return Card(None, plain, _BUSY)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._take_unkept(key, question))
        try:
            html = await asyncio.shield(task)
        except NoProcessError as error:
            _log.error("the process that renders cards does not start: %s", error)
            return Card(None, plain, _BUSY)
        return Card(Markup(html)) if html is not None else Card(None, plain, _REFUSED)

    async def _take_unkept(self, key: _Key, question: Mapping[str, str]) -> str | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._made, partial(self.renderer.ask, **question)
            )
        finally:
            del self._waiting[key]

    async def _rendered(self, blobs: BlobStore, key: _Key) -> str | None:
        """Wait for a card's turn; everybody who asks for the same one waits for the same turn."""
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._take_turn(blobs, key))
        return await asyncio.shield(task)

    async def _take_turn(self, blobs: BlobStore, key: _Key) -> str | None:
        try:
            html = await asyncio.get_running_loop().run_in_executor(self._thread, self._render, blobs, key)
        finally:
            del self._waiting[key]
        self._cache[key] = html
        self.cached_bytes += _cost(key, html)
        while self.cached_bytes > _MAX_CACHED:
            self.cached_bytes -= _cost(*self._cache.popitem(last=False))
        return html

    def _render(self, blobs: BlobStore, key: _Key) -> str | None:
        sha256, base, revision = key
        text = blobs.read(sha256, _MAX_CARD).decode("utf-8", "replace")
        return self._made(partial(self.renderer.render, text, base, revision))

    def _made(self, render: Callable[[], str]) -> str | None:
        try:
            return render()
        except CardRefusedError:
            return None

    def close(self) -> None:
        """End the process, a card under way with it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.renderer.kill()
        self._thread.shutdown()
        self.renderer.close()


def _plain(blobs: BlobStore, entry: Entry, reason: str) -> Card:
    text = blobs.read(entry.sha256, _MAX_PLAIN).decode("utf-8", "replace")
    return Card(None, text, reason + _CUT if entry.size > _MAX_PLAIN else reason)


def _cost(key: _Key, html: str | None) -> int:
    return sys.getsizeof(html) + sum(map(sys.getsizeof, key))
