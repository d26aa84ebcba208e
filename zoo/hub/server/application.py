"""The ASGI application: which route a request takes."""

import logging

from zoo.hub.server import routes_pull, routes_push, routes_repo
from zoo.hub.server.access import Access
from zoo.hub.server.http import (
    HttpError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    send_response,
)
from zoo.hub.server.store import Repo

_log = logging.getLogger("zoo.hub.server")
_TYPES = ("models", "datasets", "spaces")


class Application:
    """A Hub over HTTP, at an address."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = Request(scope, receive)
            self.access.check_host(request)
            response = await self._answer(request)
        except HttpError as error:
            response = json_response({"error": str(error)}, error.status, error.headers)
        except Exception:
            _log.exception("a request failed")
            response = json_response({"error": "Internal error"}, 500)
        await send_response(response, send, head=scope["method"] == "HEAD")

    async def _answer(self, request: Request) -> Response:
        access = self.access
        match request.method, request.segments:
            case "GET" | "HEAD", ["healthz"]:
                return json_response({"status": "ok"})
            case "GET", ["api", "whoami-v2"]:
                return await routes_repo.whoami(access, request)
            case "GET", ["api", "agent-harnesses"]:
                return json_response({"standardEnvVars": [], "harnesses": {}})
            case "HEAD", ["api", "telemetry", *_]:
                return json_response({})
            case "POST", ["api", "validate-yaml"]:
                return await routes_push.validate_yaml(access, request)
            case "POST", ["api", "repos", "create"]:
                return await routes_repo.create(access, request)
            case "DELETE", ["api", "repos", "delete"]:
                return await routes_repo.delete(access, request)
            case "GET", ["api", type_] if type_ in _TYPES:
                return await routes_repo.listing(access, request, type_)
            case _, ["api", type_, namespace, name, *rest] if type_ in _TYPES:
                return await self._repo(request, access.repo(request, type_, f"{namespace}/{name}"), rest)
            case "PUT", ["lfs", _, _, _, _, _, _, _]:
                return await routes_push.lfs_upload(access, request)
            case _, [type_, namespace, name, *rest] if type_ in _TYPES and rest:
                return await self._files(request, type_, namespace, name, rest)
            case _, [namespace, name, *rest] if rest:
                return await self._files(request, "models", namespace, name, rest)
        raise HttpError(404, "Not found")

    async def _repo(self, request: Request, repo: Repo, rest: list[str]) -> Response:
        """Answer below `/api/{type}/{namespace}/{name}`."""
        access = self.access
        if request.method in ("POST", "PUT", "DELETE") and rest[:1] != ["paths-info"]:
            access.require_token(request)
        match request.method, rest:
            case "GET", []:
                return await routes_repo.info(access, request, repo, "main")
            case "GET", ["revision", revision]:
                return await routes_repo.info(access, request, repo, revision)
            case "GET", ["tree", revision, *folder]:
                return await routes_repo.tree(access, request, repo, revision, "/".join(folder).strip("/"))
            case "POST", ["paths-info", revision]:
                return await routes_repo.paths_info(access, request, repo, revision)
            case "GET", ["refs"]:
                return await routes_repo.refs(access, request, repo)
            case "GET", ["commits", revision]:
                return await routes_repo.commits(access, request, repo, revision)
            case "PUT", ["settings"]:
                return await routes_repo.settings(access, request, repo)
            case "POST", ["tag", revision]:
                name = str((await request.json()).get("tag"))
                return await routes_repo.make_ref(access, request, repo, "tags", name, revision)
            case "DELETE", ["tag", name]:
                return await routes_repo.remove_ref(access, request, repo, "tags", name)
            case "POST", ["branch", name]:
                at = (await request.json()).get("startingPoint")
                return await routes_repo.make_ref(access, request, repo, "heads", name, at and str(at))
            case "DELETE", ["branch", name]:
                return await routes_repo.remove_ref(access, request, repo, "heads", name)
            case "POST", ["preupload", revision]:
                return await routes_push.preupload(access, request, repo, revision)
            case "POST", ["commit", branch]:
                return await routes_push.commit(access, request, repo, branch)
        raise HttpError(404, "Not found")

    async def _files(self, request: Request, type_: str, namespace: str, name: str, rest: list[str]) -> Response:
        """Answer below a repo's own address: its files, and LFS."""
        access = self.access
        match request.method, rest:
            case "GET" | "HEAD", ["resolve", revision, *path] if path:
                repo = access.repo(request, type_, f"{namespace}/{name}")
                return await routes_pull.resolve(access, request, repo, revision, "/".join(path))
            case "POST", ["info", "lfs", *operation] if name.endswith(".git"):
                access.require_token(request)
                repo = access.repo(request, type_, f"{namespace}/{name.removesuffix('.git')}")
                if operation == ["objects", "batch"]:
                    return await routes_push.lfs_batch(access, request, repo)
                if operation == ["verify"]:
                    return await routes_push.lfs_verify(access, request, repo)
        raise HttpError(404, "Not found")
