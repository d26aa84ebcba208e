"""The ASGI application: which route a request takes."""

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import replace
from errno import EDQUOT, ENOSPC
from functools import partial
from typing import Any

from zoo.errors import StorageError
from zoo.hub.server import (
    audit,
    routes_commit,
    routes_files,
    routes_lfs,
    routes_pages,
    routes_repos,
    routes_trees,
    routes_xet,
    upstream_pages,
)
from zoo.hub.server.access import Access
from zoo.hub.server.access_log import AccessLog, shown_path
from zoo.hub.server.downloads import Downloads
from zoo.hub.server.held import Memory
from zoo.hub.server.http import HttpError, Receive, Request, Response, Scope, Send, json_response
from zoo.hub.server.lane import busy
from zoo.hub.server.options import Options
from zoo.hub.server.pages.cards import Cards
from zoo.hub.server.pages.comparisons import Comparisons
from zoo.hub.server.parts import Parts
from zoo.hub.server.repos import Repo
from zoo.hub.server.sending import send_response
from zoo.hub.server.store import ServedStore
from zoo.hub.server.upstream import Upstream
from zoo.hub.server.work import Lanes, Work, current

_log = logging.getLogger("zoo.hub.server")
_TYPES = ("models", "datasets", "spaces")
_WRITES = ("POST", "PUT", "DELETE")
_LOOK_SECONDS, _USES_SECONDS = 0.05, 5.0


class Application:
    """A Hub over HTTP."""

    def __init__(self, store: ServedStore, options: Options) -> None:
        self._store = store
        self._options = options
        self._parts = Parts(store)
        self._upstream = Upstream(store, options.upstream, options.limits) if options.upstream else None
        self._downloads = Downloads(store.repos)
        self._serving = routes_files.Files(self._downloads, self._upstream)
        self._cards = Cards()
        self._comparisons = Comparisons()
        self._access_log = AccessLog(options.access_log)
        self._turns = routes_commit.Turns()
        self._under_way: set[Work] = set()
        self._memory = Memory()
        self._noted = time.monotonic()
        self.lanes = Lanes()

    def cut_off(self) -> list[str]:
        """Tell what is under way to end, and return what that is."""
        if self._upstream is not None:
            self._upstream.source.stop()
        under_way = list(self._under_way)
        for work in under_way:
            work.stop()
        return sorted(work.name for work in under_way)

    def finish(self, seconds: float) -> bool:
        """Wait for what threads do; tell whether all of it ended in time."""
        end = time.monotonic() + seconds
        fetching = self._upstream is None or self._upstream.finish(seconds)
        return self.lanes.finish(max(0.0, end - time.monotonic())) and fetching

    def close(self) -> None:
        """Write down what is only in memory, and end what renders cards."""
        if self._upstream is not None:
            self._upstream.close()
        self.lanes.close()
        self._cards.close()
        self._comparisons.close()
        self._downloads.write()
        self._store.users.note_uses(self._store.users.uses())
        self._access_log.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        start = time.monotonic()
        limits = self._options.limits
        work = Work(f"{scope['method']} {shown_path(scope)}", limits.compute_seconds, self.lanes)
        current.set(work)
        access = request = None
        self._under_way.add(work)
        try:
            try:
                request = Request(scope, work.timed(receive), limits.idle_seconds, self._memory)
                access = Access(self._store, self._options, request)
                request.when_read = access.renew
                audit.actor.set(partial(_actor, access, scope))
                response = await self._in_time(work, access, request)
            except HttpError as error:
                page = routes_pages.error_page(access, request, error) if request else None
                response = page or json_response({"error": str(error)}, error.status, error.headers)
            except Exception as error:
                response = _failure(error, work)
            request_id = secrets.token_hex(8)  # by which a client's error and a line of the log can be found together
            response = replace(response, headers={**response.headers, "X-Request-Id": request_id})
            try:
                await send_response(response, scope, send, limits.idle_seconds)
            finally:
                self._access_log.write(scope, access, response, request_id, time.monotonic() - start)
                self._note_uses()
        finally:
            self._under_way.discard(work)
            if request is not None:
                request.share.release()

    def _note_uses(self) -> None:
        """Write down now and then when tokens were used: a request must not wait for the disk."""
        if time.monotonic() - self._noted > _USES_SECONDS:
            self._noted = time.monotonic()
            if uses := self._store.users.uses():
                self.lanes.writes.submit(self._store.users.note_uses, uses)

    async def _in_time(self, work: Work, access: Access, request: Request) -> Response:
        """Answer, or go on without the answer when it takes too long: a thread that hangs cannot be ended."""
        task = asyncio.create_task(self._answer(access, request))
        while not (await asyncio.wait([task], timeout=max(work.left, _LOOK_SECONDS)))[0]:
            if work.over:
                error = work.late()
                work.stop()
                task.add_done_callback(_drop)
                raise error
        try:
            return task.result()
        finally:
            del task  # an error's frames would hold it, it the error, and all of them the body, until a collection

    async def _answer(self, access: Access, request: Request) -> Response:
        warning: Mapping[str, str] = {}
        if self._upstream is not None:
            await self._upstream.check_whole_name(access, request)
            warning = await self._upstream.bring(access, request)
        await upstream_pages.prepare(self._upstream, access, request)
        response = await self._route(access, request)
        return replace(response, headers={**response.headers, **warning}) if warning else response

    async def _route(self, access: Access, request: Request) -> Response:
        match request.method, request.segments:
            case ["GET" | "HEAD", ["healthz"]]:
                return self._health()
            case ["POST", ["v1", "telemetry"]]:
                return json_response({})
            case [_, ["cas", _, *route]]:
                return await routes_xet.answer(access, request, route)
            case ["PUT" | "POST", ["lfs", _, _, _, _, _, _, _]]:
                return await routes_lfs.upload(access, request, self._parts)
            case [_, ["api", *route]]:
                _ = access.user  # a wrong token is an error even where none is needed
                return await self._api(access, request, route)
            case [_, [type_, namespace, name, *rest]] if type_ in _TYPES and rest:
                return await self._files(access, request, type_, namespace, name, rest)
            case [_, [namespace, name, *rest]] if rest:
                return await self._files(access, request, "models", namespace, name, rest)
        return await routes_pages.answer(access, request, self._cards, self._comparisons)

    def _health(self) -> Response:
        self._store.database.row("SELECT 1 FROM settings")
        return json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def _api(self, access: Access, request: Request, route: list[str]) -> Response:
        """Answer below `/api`."""
        match request.method, route:
            case ["GET", ["whoami-v2"]]:
                return await routes_repos.whoami(access, request)
            case ["GET", ["agent-harnesses"]]:
                return json_response({"standardEnvVars": [], "harnesses": {}})
            case ["HEAD" | "GET" | "POST", ["telemetry", *_]]:
                return json_response({})
            case ["POST", ["validate-yaml"]]:
                return await routes_commit.validate_yaml(access, request)
            case ["POST", ["repos", "create"]]:
                return await routes_repos.create(access, request)
            case ["DELETE", ["repos", "delete"]]:
                return await routes_repos.delete(access, request)
            case ["POST", ["repos", "move"]]:
                return await routes_repos.move(access, request)
            case ["GET", [type_]] if type_ in _TYPES:
                return await routes_repos.listing(access, request, type_)
            case [_, [type_, namespace, name, *rest]] if type_ in _TYPES:
                if request.method in _WRITES and rest[:1] != ["paths-info"]:
                    access.require_user()
                repo = access.repo(type_, f"{namespace}/{name}")
                return await self._repo(access, request, repo, rest)
        raise HttpError(404, "Not found")

    async def _repo(self, access: Access, request: Request, repo: Repo, rest: list[str]) -> Response:
        """Answer what is asked of a repo."""
        match request.method, rest:
            case ["GET", []]:
                return await routes_repos.info(access, request, repo, "main")
            case ["GET", ["revision", revision]]:
                return await routes_repos.info(access, request, repo, revision)
            case ["GET", ["tree", revision, *folder]]:
                return await routes_trees.tree(access, request, repo, revision, "/".join(folder).strip("/"))
            case ["POST", ["paths-info", revision]]:
                return await routes_trees.paths_info(access, request, repo, revision)
            case ["GET", ["refs"]]:
                return await routes_trees.refs(access, request, repo, self._upstream)
            case ["GET", ["commits", revision]]:
                return await routes_trees.commits(access, request, repo, revision, self._upstream)
            case ["GET", ["auth-check", *write]] if write in ([], ["write"]):
                return await routes_repos.auth_check(access, repo, bool(write))
        access.require_writer(repo.namespace)
        repo.check_own()
        match request.method, rest:
            case ["GET", ["xet-write-token", _]]:
                return await routes_xet.write_token(access, repo)
            case ["PUT", ["settings"]]:
                return await routes_repos.settings(access, request, repo)
            case ["POST", ["tag", revision]]:
                return await routes_trees.make_tag(access, request, repo, revision)
            case ["DELETE", ["tag", name]]:
                return await routes_trees.remove_ref(access, repo, "tags", name)
            case ["POST", ["branch", name]]:
                return await routes_trees.make_branch(access, request, repo, name)
            case ["DELETE", ["branch", name]]:
                return await routes_trees.remove_ref(access, repo, "heads", name)
            case ["POST", ["super-squash", branch]]:
                return await routes_commit.squash(access, request, repo, branch)
            case ["POST", ["preupload", revision]]:
                return await routes_commit.preupload(access, request, repo, revision)
            case ["POST", ["commit", branch]]:
                return await routes_commit.commit(access, request, self._turns, repo, branch)
            case ["GET", ["user-access-request", status]] if status in ("pending", "accepted", "rejected"):
                return await routes_repos.granted(access, repo, status)
            case ["POST", ["user-access-request", "grant" | "handle"]]:
                return await routes_repos.grant(access, request, repo)
        raise HttpError(404, "Not found")

    async def _files(
        self, access: Access, request: Request, type_: str, namespace: str, name: str, rest: list[str]
    ) -> Response:
        """Answer below a repo's own address: its files, LFS, its pages."""
        match request.method, rest:
            case ["GET" | "HEAD", ["resolve", revision, *path]] if path:
                repo = access.repo(type_, f"{namespace}/{name}")
                return await routes_files.resolve(access, request, self._serving, repo, revision, "/".join(path))
            case ["GET" | "HEAD", ["raw", revision, *path]] if path:
                repo = access.repo(type_, f"{namespace}/{name}")
                return await routes_files.raw(access, request, self._serving, repo, revision, "/".join(path))
            case ["POST", ["info", "lfs", *operation]] if name.endswith(".git"):
                access.require_user()
                full = f"{namespace}/{name.removesuffix('.git')}"
                repo = access.repo(type_, full, follow=operation != ["verify"])
                access.require_writer(repo.namespace)
                repo.check_own()
                if operation == ["objects", "batch"]:
                    return await routes_lfs.batch(access, request, repo)
                if operation == ["verify"]:
                    return await routes_lfs.verify(access, request, repo)
        return await routes_pages.answer(access, request, self._cards, self._comparisons)


def _actor(access: Access, scope: Scope) -> audit.Actor:
    """Return who the changes of a request are made for."""
    user = access.user
    client = (scope.get("client") or [""])[0]
    return audit.Actor(user.name, user.label, client) if user else audit.Actor("", "", client)


def _drop(task: "asyncio.Task[Response]") -> None:
    """Let go of an answer that came too late."""
    if not task.cancelled() and task.exception() is None and (file := task.result().file) is not None:
        file[0].close()


def _failure(error: Exception, work: Work) -> Response:
    """Answer what should not have happened: a full disk as such, anything else as our fault, and into the log."""
    full: Any = isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT)
    if full or (isinstance(error, sqlite3.OperationalError) and "full" in str(error)):
        message = "The disk of this Hub is full"
        return json_response({"error": message}, 507, {"X-Error-Message": message})
    if isinstance(error, StorageError):  # the store's own files were replaced, or are no longer ours
        _log.error("%s", error)
        message = "The store of this Hub was changed behind its back; it answers nothing until it is started again"
        return json_response({"error": message}, 503, {"X-Error-Message": message})
    if isinstance(error, sqlite3.OperationalError) and str(error) in ("interrupted", "database is locked"):
        late = work.late() if work.over else busy()
        return json_response({"error": str(late)}, late.status, late.headers)
    _log.error("a request failed", exc_info=error)
    return json_response({"error": "Internal error"}, 500, {"X-Error-Message": "Internal error"})
