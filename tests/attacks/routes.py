"""Every route, what it takes to be let in, and what it answers then."""

import json
from dataclasses import dataclass
from typing import Any

from tests.attacks.town import HIDDEN, Visitor

NO_SUCH = 404


@dataclass(frozen=True)
class Route:
    """A method and an address with `{repo}` in it.

    `needs` is who is let in: anybody, whoever sees the repo, has its files, writes to it, or holds a signed address.
    `answers` is what those get; `alters` tells that the repo is another one afterwards.
    """

    method: str
    path: str
    needs: str
    answers: tuple[int, ...] = (200,)
    body: bytes = b""
    alters: bool = False

    @property
    def page(self) -> bool:
        """Tell whether it is for people."""
        return not self.path.startswith(("/api/", "/lfs/", "/cas/", "/v1/")) and "/info/lfs/" not in self.path


def expected(route: Route, visitor: Visitor, kind: str) -> tuple[int, ...]:
    """Return the statuses that a visitor may get for a repo of a kind."""
    if visitor.right == "refused":
        return (403,)
    if route.needs == "nothing":
        return route.answers
    if route.needs == "signature":
        return (401, 403)
    if visitor.right == "wrong":
        return (401,)
    if visitor.right == "basic" and route.method not in ("GET", "HEAD"):
        return (401,)  # a browser sends the password unasked
    if route.needs in ("list", "user"):
        return (401,) if route.needs == "user" and visitor.right == "none" else route.answers
    if route.needs == "name":
        return _by_name(route, visitor, kind)
    if visitor.right == "none" and route.needs == "write" and route.method != "GET":
        return (401,)
    if kind == "moved" and visitor.here:  # what was allowed for an upload dies with the name that it was for
        return (NO_SUCH,) if route.path.endswith("/lfs/verify") else (307,)
    if kind in HIDDEN and not (kind == "private" and visitor.here):
        return (NO_SUCH,)
    if route.needs == "files" and kind == "gated" and not visitor.here and visitor.right != "granted":
        return (401,) if visitor.right == "none" else (403,)
    if route.needs == "write" and visitor.right != "write":
        return (401,) if visitor.right == "none" else (403,)
    return route.answers


def _by_name(route: Route, visitor: Visitor, kind: str) -> tuple[int, ...]:
    """The repo stands in the body: making one tells nobody whether it is there."""
    if visitor.right == "none":
        return (401,)
    if route.path == "/api/repos/create":
        return route.answers if visitor.right == "write" else (403,)
    if kind in HIDDEN and not (kind == "private" and visitor.here):
        return (NO_SUCH,)
    return route.answers if visitor.right == "write" else (403,)


def routes(repo: str, address: str, word: str = "v1") -> list[Route]:
    """Return all routes for a repo; `address` is one to upload to, whose signature is for something else."""
    namespace, _, name = repo.partition("/")
    hash_ = "a" * 64
    named = {"name": name, "organization": namespace, "type": "model"}
    return [
        Route("GET", "/healthz", "nothing"),
        Route("HEAD", "/healthz", "nothing"),
        Route("POST", "/v1/telemetry", "nothing", body=b"{}"),
        Route("GET", "/-/style.css", "nothing"),
        Route("GET", "/-/../store.db", "list", (400,)),
        Route("GET", "/api/agent-harnesses", "list"),
        Route("POST", "/api/telemetry/x", "list"),
        Route("GET", "/api/unknown", "list", (404,)),
        Route("GET", "/", "list"),
        Route("GET", "/datasets", "list"),
        Route("GET", f"/{namespace}", "list"),
        Route("GET", "/plugins", "list", (308,)),
        Route("GET", "/plugins/", "list"),
        Route("HEAD", "/plugins/index.json", "list"),
        Route("GET", "/plugins/link.json", "list", (404,)),
        Route("GET", "/plugins/..%2fhub%2fstore.db", "list", (404,)),
        Route("GET", "/plugins/..%2fbeside%2fnotes.json", "list", (404,)),
        Route("GET", "/api/models?full=true&limit=1000", "list"),
        Route("GET", "/api/models?search=thing", "list"),
        Route("GET", f"/api/models?author={namespace}&sort=downloads", "list"),
        Route("GET", "/api/models?filter=canary", "list"),
        Route("GET", "/api/datasets", "list"),
        Route("GET", "/api/spaces", "list"),
        Route("POST", "/api/validate-yaml", "list", body=_json({"content": "---\na: 1\n---\n"})),
        Route("GET", "/api/whoami-v2", "user"),
        Route("GET", "/login", "user", (303,)),
        Route("POST", "/api/repos/create", "name", (200, 409), _json(named), alters=True),
        Route("DELETE", "/api/repos/delete", "name", body=_json(named), alters=True),
        Route("POST", "/api/repos/move", "name", (409,), _move(repo, f"{namespace}/elsewhere")),
        Route("POST", "/api/repos/move", "name", body=_move(repo, f"{repo}-2"), alters=True),
        *(
            Route("GET", f"/api/models/{{repo}}{rest}", "see")
            for rest in (
                "", "?blobs=true", "/revision/main", "/revision/v1", "/tree/main", "/tree/main/sub?expand=true",
                "/tree/main?recursive=true", "/refs", "/commits/main",
            )
        ),
        Route("GET", "/api/models/{repo}/revision/none", "see", (404,)),
        Route("GET", "/api/models/{repo}/tree/main/none", "see", (404,)),
        Route("POST", "/api/models/{repo}/paths-info/main", "see", body=_json({"paths": ["notes.txt", "sub"]})),
        Route("POST", "/api/models/{repo}/paths-info/main", "see", body=b"paths=notes.txt&expand=true"),
        Route("GET", "/api/models/{repo}/auth-check", "files"),
        Route("GET", "/api/models/{repo}/auth-check/write", "write"),
        Route("GET", "/api/models/{repo}/xet-write-token/main", "write"),
        Route("GET", "/api/models/{repo}/user-access-request/accepted", "write"),
        Route("POST", "/api/models/{repo}/user-access-request/grant", "write", (404,), _json({"user": "nobody"})),
        Route("POST", "/api/models/{repo}/user-access-request/grant", "write", (200,), _json({"user": "guest"})),
        Route("PUT", "/api/models/{repo}/settings", "write", body=b"{}"),
        Route("PUT", "/api/models/{repo}/settings", "write", (400,), _json({"gated": 1})),
        Route("PUT", "/api/models/{repo}/settings", "write", body=_json({"gated": "auto"}), alters=True),
        Route("POST", "/api/models/{repo}/tag/main", "write", (409,), _json({"tag": "v1"})),
        Route("POST", "/api/models/{repo}/tag/main", "write", body=_json({"tag": f"new-{word}"}), alters=True),
        Route("DELETE", "/api/models/{repo}/tag/none", "write", (404,)),
        Route("DELETE", "/api/models/{repo}/tag/v1", "write", alters=True),
        Route("POST", "/api/models/{repo}/branch/dev", "write", (409,), b"{}"),
        Route("DELETE", "/api/models/{repo}/branch/main", "write", (400,)),
        Route("DELETE", "/api/models/{repo}/branch/dev", "write", alters=True),
        Route("POST", "/api/models/{repo}/preupload/main", "write", body=_json({"files": [{"path": "a", "size": 1}]})),
        Route("POST", "/api/models/{repo}/commit/main", "write", body=_json({"key": "header", "value": {}})),
        Route("POST", "/api/models/{repo}/commit/main?create_pr=1", "write", (501,)),
        Route("POST", "/api/models/{repo}/commit/main", "write", body=_file(word), alters=True),
        Route("POST", "/api/models/{repo}/unknown", "write", (404,)),
        Route("POST", "/{repo}.git/info/lfs/objects/batch", "write", body=_batch(hash_)),
        Route("POST", "/{repo}.git/info/lfs/verify", "write", (404,), _json({"oid": hash_, "size": 1})),
        Route("PUT", address, "signature", body=b"x"),
        Route("PUT", address.replace("/whole/", "/1/"), "signature", body=b"x"),
        Route("POST", address, "signature", body=b"{}"),
        Route("POST", f"/cas/x-1/v1/xorbs/default/{hash_}", "signature", body=b"x"),
        Route("POST", "/cas/x-1/v1/shards", "signature", body=b"x"),
        Route("POST", "/cas/x-1/shards", "signature", body=b"x"),
        Route("POST", "/cas/x-1/v2/shards", "signature", body=b"x"),
        *(
            Route(method, f"/{{repo}}/resolve/{revision}/{path}", "files")
            for method, revision, path in (
                ("GET", "main", "notes.txt"), ("HEAD", "main", "notes.txt"), ("GET", "v1", "sub/deep.txt"),
                ("GET", "dev", "model.safetensors"), ("GET", "refs%2Fheads%2Fmain", "large.bin"),
                ("GET", "main", "README.md"),
            )
        ),
        Route("GET", "/{repo}/resolve/main/none.txt", "files", (404,)),
        Route("GET", "/{repo}/resolve/main/..%2f..%2fstore.db", "files", (400,)),
        Route("GET", "/{repo}", "see"),
        Route("GET", "/{repo}/tree/main", "see"),
        Route("GET", "/{repo}/tree/main/sub", "see"),
        Route("GET", "/{repo}/blob/main/notes.txt", "files"),
        Route("GET", "/{repo}/picture/main/grid.png", "files"),
        Route("GET", "/{repo}/commits/main", "see"),
        Route("GET", f"/{{repo}}/commit/{'0' * 40}", "see", (404,)),
    ]  # fmt: skip


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _move(repo: str, to: str) -> bytes:
    return _json({"fromRepo": repo, "toRepo": to, "type": "model"})


def _file(word: str) -> bytes:
    return _json({"key": "file", "value": {"path": f"{word}.txt", "content": "eA==", "encoding": "base64"}})


def _batch(oid: str) -> bytes:
    return _json({"operation": "upload", "objects": [{"oid": oid, "size": 1}]})
