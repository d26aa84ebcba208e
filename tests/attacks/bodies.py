"""A right body for every reader of the server, to be spoilt."""

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.attacks.hub_process import Answer
from tests.attacks.town import Town, changed, push, safetensors, xet_access
from tests.attacks.xet_forms import chunk, shard

REPO = "org/target"
CONTENT = b"hello"
OID = hashlib.sha256(CONTENT).hexdigest()
XORB = "ab" * 32
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Send = Callable[[bytes], Answer]


@dataclass(frozen=True)
class Reader:
    """Something that reads what a client sends: a right body, and how it gets there."""

    right: bytes
    send: Send


def readers(town: Town) -> dict[str, Reader]:
    """Make the repo that is asked, and return every reader of it."""
    client = town.client("owner")
    changed(client, "POST", "/api/repos/create", {"name": "target", "organization": "org"})
    push(client, REPO, {"a.txt": b"a", "sub/b.txt": b"b", "README.md": b"---\nlicense: mit\n---\n# Card\n"})
    path, token = xet_access(client, REPO)
    bare = town.connect()
    changed(client, "POST", "/api/repos/create", {"name": "moving", "organization": "org"})

    def post(route: str, headers: dict[str, str] = JSON, method: str = "POST") -> Send:
        return lambda body: client(method, route, body, headers)

    def put_file(name: str) -> Send:
        return lambda content: client("POST", f"/api/models/{REPO}/commit/main", _put(name, content))

    def shown(name: str, page: str) -> Send:
        def send(content: bytes) -> Answer:
            put_file(name)(content)
            return client("GET", page)

        return send

    def uploaded(content: bytes) -> Answer:
        item = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
        batch = _json({"operation": "upload", "objects": [item]})
        objects = json.loads(client("POST", f"/{REPO}.git/info/lfs/objects/batch", batch, JSON).body)["objects"]
        if "actions" in objects[0]:
            client("PUT", objects[0]["actions"]["upload"]["href"].partition("/lfs/")[2].join(("/lfs/", "")), content)
        value = {"path": "model.safetensors", "algo": "sha256", **item}
        return client("POST", f"/api/models/{REPO}/commit/main", _json({"key": "lfsFile", "value": value}))

    def asked(route: str) -> Send:
        """Put the content into a query, as any client may."""
        return lambda body: bare("GET", route + "".join(f"%{byte:02x}" for byte in body[:2000]))

    xet = {**token, "Content-Type": "application/octet-stream"}
    model = f"/api/models/{REPO}"
    lines = [
        {"key": "header", "value": {"summary": "s", "description": "d", "parentCommit": ""}},
        {"key": "file", "value": {"path": "x.txt", "content": "eA==", "encoding": "base64"}},
        {"key": "lfsFile", "value": {"path": "y.bin", "oid": OID, "algo": "sha256", "size": 5}},
        {"key": "deletedFile", "value": {"path": "a.txt"}},
        {"key": "deletedFolder", "value": {"path": "sub/"}},
    ]
    return {
        "header of weights": Reader(
            _spread(safetensors({"a": [2, 3], "b": [1]})), shown("model.safetensors", f"/{REPO}")
        ),
        "weights by LFS": Reader(safetensors({"a": [2, 3], "b": [1]}), uploaded),
        "card": Reader(_CARD, shown("README.md", f"/{REPO}")),
        "config.json": Reader(b'{"zoo": {"architecture": "tiny", "labels": ["a"]}}', shown("config.json", f"/{REPO}")),
        "adapter": Reader(b'{"base_model_name_or_path": "a/b"}', shown("adapter_config.json", f"/{REPO}")),
        "scores": Reader(_SCORES, shown(".eval_results/zoo.yaml", f"/{REPO}")),
        "text": Reader(b"words\n", shown("x.txt", f"/{REPO}/blob/main/x.txt")),
        "picture": Reader(b"\x89PNG\r\n\x1a\n", shown("x.png", f"/{REPO}/picture/main/x.png")),
        "commit": Reader(b"\n".join(map(_json, lines)), post(f"{model}/commit/main")),
        "preupload": Reader(
            _json({"files": [{"path": "a", "size": 3, "sample": "eA=="}]}), post(f"{model}/preupload/main")
        ),
        "LFS batch": Reader(
            _json({"operation": "upload", "transfers": ["multipart"], "objects": [{"oid": OID, "size": 6 << 30}]}),
            post(f"/{REPO}.git/info/lfs/objects/batch"),
        ),
        "LFS verify": Reader(_json({"oid": OID, "size": 5}), post(f"/{REPO}.git/info/lfs/verify")),
        "xorb": Reader(
            chunk(CONTENT) + chunk(b"other"), lambda body: bare("POST", f"{path}/v1/xorbs/default/{XORB}", body, xet)
        ),
        "shard": Reader(shard(OID, [(XORB, 0, 1, 5)]), lambda body: bare("POST", f"{path}/v1/shards", body, xet)),
        "shard in lines": Reader(
            shard(OID, [(XORB, 0, 1, 5)]), lambda body: bare("POST", f"{path}/v2/shards", body, xet)
        ),
        "paths by form": Reader(b"paths=a.txt&paths=sub&expand=true", post(f"{model}/paths-info/main", FORM)),
        "paths by JSON": Reader(_json({"paths": ["a.txt", "sub"], "expand": True}), post(f"{model}/paths-info/main")),
        "cursor of a list": Reader(base64.b64encode(b'["2026", 1]'), asked("/api/models?cursor=")),
        "cursor of a tree": Reader(b"1", asked(f"{model}/tree/main?recursive=1&limit=1&cursor=")),
        "search": Reader(b'thing "a" OR b*', asked("/api/models?search=")),
        "filter": Reader(b"license:mit,canary", asked("/api/models?filter=")),
        "page of history": Reader(b"1", asked(f"{model}/commits/main?limit=1&p=")),
        "settings": Reader(_json({"private": False, "gated": False}), post(f"{model}/settings", method="PUT")),
        "new repo": Reader(
            _json({"name": "new", "organization": "org", "type": "model", "private": True}), post("/api/repos/create")
        ),
        "move": Reader(
            _json({"fromRepo": "org/moving", "toRepo": "org/moved", "type": "model"}), post("/api/repos/move")
        ),
        "tag": Reader(_json({"tag": "v1", "message": ""}), post(f"{model}/tag/main")),
        "branch": Reader(_json({"startingPoint": "main"}), post(f"{model}/branch/dev")),
        "grant": Reader(_json({"user": "guest", "status": "accepted"}), post(f"{model}/user-access-request/grant")),
        "front matter": Reader(
            _json({"content": "---\na: [1, {b: c}]\n---\n", "repoType": "model"}), post("/api/validate-yaml")
        ),
    }


_CARD = (
    b"---\nlicense: mit\ntags:\n- a\nmodel-index:\n- name: x\n  results:\n  - task: {type: t}\n"
    b"    metrics:\n    - {type: accuracy, value: 1.5}\n---\n# Card\n[a]: http://x\n[a] ![p](grid.png) <b>b</b> `c`\n"
    b"|a|\n|-|\n|b|\n"
)
_SCORES = b"- dataset:\n    id: a/b\n    task_id: t\n  value: 1.5\n  date: '2026-01-01'\n"


def _put(path: str, content: bytes) -> bytes:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return _json({"key": "file", "value": value})


def _spread(content: bytes) -> bytes:
    """Give a file of weights a header with room for changes, so that its length need not be hit."""
    length = struct.unpack("<Q", content[:8])[0]
    return struct.pack("<Q", length + 64) + content[8 : 8 + length] + b" " * 64 + content[8 + length :]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
