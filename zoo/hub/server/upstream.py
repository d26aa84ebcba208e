"""Repos that are not here are asked for upstream, and kept: each commit once, each file once, however many ask.

A repo of one's own wins over one of the same name upstream. What comes from there is read here and never written.
"""

import asyncio
import contextvars
import fnmatch
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from zoo.hub.revisions import is_commit
from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, header_text
from zoo.hub.server.lane import Lane
from zoo.hub.server.names import check_repo
from zoo.hub.server.options import Limits, UpstreamOptions
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import ServedStore
from zoo.hub.server.upstream_copies import Copies
from zoo.hub.server.upstream_names import named, one_word
from zoo.hub.server.upstream_source import Away, Source
from zoo.hub.server.upstream_transfers import MISSING_SECONDS, RETRY, Transfers, again, remember, waiting

T = TypeVar("T")

_QUESTIONS, _WAITING = 8, 256


class Upstream:
    """What a server does with its upstream. Everything here belongs to the event loop."""

    def __init__(self, store: ServedStore, options: UpstreamOptions, limits: Limits) -> None:
        self.source = Source(options)
        self._name = options.name or self.source.url
        self.copies = Copies(store, self._name)
        self._store = store
        self._options = options
        self._questions = Lane(_QUESTIONS, _WAITING, "zoo-upstream")
        self._under_way: dict[tuple[str, ...], asyncio.Task[Any]] = {}
        self._asked: dict[tuple[int, str], float] = {}
        self._missing: dict[tuple[str, ...], tuple[float, HttpError]] = {}
        self.files = Transfers(store, self.source, self.copies, limits, options.max_bytes)

    def finish(self, seconds: float) -> bool:
        """Let everything end; tell whether it did."""
        self.source.stop()
        return all([lane.finish(seconds) for lane in (self._questions, self.files.lane)])

    def close(self) -> None:
        """End the threads, and write down what is only in memory."""
        self.source.stop()
        self._questions.shutdown()
        self.files.close()

    async def bring(self, access: Access, request: Request) -> dict[str, str]:
        """Have the repo here, at the revision, that a request reads; return headers that say what could not be asked.

        Raise HttpError for what upstream does not have, or where it cannot be asked and nothing is here.
        """
        if (found := named(request)) is None:
            return {}
        type_, name, revision = found
        repo = self.copies.find(type_, name)
        if repo is None and (self._store.repos.moved(type_, name) is not None or not self.allows(name)):
            return {}
        if repo is not None and not self.serves(repo):
            return {}
        access.check_reading(log_in=request.segments[:1] != ["api"])
        if repo is not None and self._is_fresh(repo, revision):
            return {}
        try:
            with waiting():
                await self._once(("repo", type_, name.lower(), revision), partial(self._ask, type_, name, revision))
        except Away as error:
            if repo is None or self._store.repos.resolve(repo, revision) is None:
                raise HttpError(502, f"{name} is not here, and {error}", headers=RETRY) from None
            return {"X-HF-Warning": header_text(f"upstream; {error}: this is what it had when it was asked last")}
        return {}

    def serves(self, repo: Repo) -> bool:
        """Tell whether upstream may be asked for a copy: not for one that came from elsewhere."""
        return repo.upstream == self._name and self.allows(repo.name)

    def allows(self, name: str) -> bool:
        """Tell whether upstream may be asked for a repo."""
        return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in self._options.allow)

    def _is_fresh(self, repo: Repo, revision: str) -> bool:
        if is_commit(revision):
            return self.copies.knows(repo, revision)
        asked = self._asked.get((repo.id, revision))
        return asked is not None and time.monotonic() - asked < self._options.fresh_seconds

    async def _ask(self, type_: str, name: str, revision: str) -> None:
        """Learn what a revision of a repo is now, and keep it."""
        key = (type_, name.lower(), revision)
        if (known := self._missing.get(key)) is not None and time.monotonic() < known[0]:
            raise again(known[1])
        try:
            await self._learn(type_, name, revision)
        except HttpError as error:
            if error.status in (403, 404):
                remember(self._missing, key, (time.monotonic() + MISSING_SECONDS, error))
            raise

    async def _learn(self, type_: str, name: str, revision: str) -> None:
        if revision != "main" and self.copies.find(type_, name) is None:
            await self._learn(type_, name, "main")  # every copy has one
        info = await self._in_thread(self.source.info, type_, name, revision)
        check_repo(*info.id.partition("/")[::2])
        repo = self.copies.find(type_, info.id)
        if repo is not None and repo.upstream != self._name:
            return
        items = None
        if repo is None or not self.copies.knows(repo, info.sha):
            items = await self._in_thread(self.source.items, type_, info.id, info.sha)
        await self._in_thread(self.copies.add, type_, info, revision, items)
        repo = self.copies.find(type_, info.id)
        if repo is not None:
            remember(self._asked, (repo.id, revision), time.monotonic())
            if info.id.lower() != name.lower():
                await self._in_thread(self.copies.add_former_name, type_, name, repo)

    async def check_whole_name(self, access: Access, request: Request) -> None:
        """Raise HttpError 307 where a request has the one word by which upstream knows a repo: with its whole name."""
        if (found := one_word(request)) is None or not self.allows(found[1]):
            return
        access.check_reading()
        type_, name = found
        try:
            with waiting():
                whole = await self._once(("name", type_, name), partial(self._canonical, type_, name))
        except Away as error:
            raise HttpError(502, f"{name} is not known here, and {error}", headers=RETRY) from None
        segments = request.raw_path.split("/")
        segments[segments.index(quote(name))] = whole
        query = request.scope["query_string"].decode("latin-1")
        address = "/".join(segments) + (f"?{query}" if query else "")
        raise HttpError(307, f"{name} is {whole}", headers={"Location": address})

    async def _canonical(self, type_: str, name: str) -> str:
        if (known := self.copies.whole_name(type_, name)) is not None:
            return known
        whole: str = await self._in_thread(self.source.canonical, type_, name)
        check_repo(*whole.partition("/")[::2])
        await self._in_thread(self.copies.keep_whole_name, type_, name, whole)
        return whole

    async def document(self, repo: Repo, route: str) -> Any:
        """Return what upstream says, or last said, of a copy below its address in the API; None where it never did."""
        asked = self._asked.get((repo.id, route))
        fresh = asked is not None and time.monotonic() - asked < self._options.fresh_seconds
        if not fresh and self.serves(repo):
            with suppress(Away), waiting():
                await self._once(("document", str(repo.id), route), partial(self._document, repo, route))
        body = self.copies.document(repo, route)
        return None if body is None else msgspec.json.decode(body)

    async def _document(self, repo: Repo, route: str) -> None:
        value = await self._in_thread(self.source.document, repo.type, repo.name, route)
        await self._in_thread(self.copies.keep_document, repo, route, msgspec.json.encode(value))
        remember(self._asked, (repo.id, route), time.monotonic())

    async def _once(self, key: tuple[str, ...], question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Ask a question, or wait for the answer where it is asked already."""
        task = self._under_way.get(key)
        if task is None:
            loop = asyncio.get_running_loop()
            task = self._under_way[key] = loop.create_task(question(), context=contextvars.Context())
            task.add_done_callback(lambda done: self._forget(key, done))
        result: T = await asyncio.shield(task)
        return result

    def _forget(self, key: tuple[str, ...], task: "asyncio.Task[Any]") -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # those who waited may be gone

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._questions, function, *arguments)
