"""Who lives around a Hub under attack: visitors of every kind, and repos of every kind whose bytes are told apart."""

import base64
import hashlib
import json
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.attacks.hub_process import Client, HubProcess, bearer
from zoo.hub.server.store import Store

NAMESPACE = "org"
KINDS = ("public", "private", "gated", "deleted", "moved", "absent")
"""`moved` is a name that a private repo had before; `absent` was never there."""
HIDDEN = ("private", "deleted", "moved", "absent")


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks. `right` is what the token is worth; `here` whether the namespace is theirs."""

    name: str
    right: str
    here: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Town:
    """A Hub with its visitors and repos.

    `canaries` are words that stand in one repo alone, `upload` is an address that the public one gave to its owner.
    """

    hub: HubProcess
    visitors: dict[str, Visitor]
    canaries: dict[str, list[bytes]]
    owner: Client
    upload: str = ""
    clients: list[Client] = field(default_factory=list)

    def name(self, kind: str) -> str:
        """Return the repo of a kind; all are equally long, so that answers can be compared."""
        return f"{NAMESPACE}/thing-{kind:_<8}"

    def forged(self, kind: str) -> str:
        """Return an address to upload to a repo, with a signature that is nearly one."""
        address = self.upload.replace(self.name("public"), self.name(kind))
        return address[:-4] + ("0000" if address[-4:] != "0000" else "1111")

    def client(self, visitor: str) -> Client:
        """Return a connection of a visitor's."""
        return self.connect(self.visitors[visitor].headers)

    def connect(self, headers: Mapping[str, str] | None = None) -> Client:
        """Return a connection, which is closed with the town."""
        self.clients.append(Client(self.hub.url, headers))
        return self.clients[-1]

    def close(self) -> None:
        """Close all connections."""
        for client in (self.owner, *self.clients):
            client.close()

    def sees(self, visitor: Visitor, kind: str) -> bool:
        """Tell whether a repo is there for a visitor."""
        return kind in ("public", "gated") or (kind == "private" and visitor.here)

    def kept_from(self, visitor: Visitor) -> list[bytes]:
        """Return the words that a visitor must never get to read."""
        kinds = [kind for kind in self.canaries if not visitor.here and kind not in ("public", "gated card")]
        if visitor.right == "granted":
            kinds.remove("gated")
        return [word for kind in kinds for word in self.canaries[kind]]


def make_town(hub: HubProcess) -> Town:
    """Fill an empty Hub."""
    owner = Client(hub.url, bearer(hub.token))
    town = Town(hub, _visitors(hub), {}, owner)
    for kind in ("public", "private", "gated", "deleted", "moved"):
        _make_repo(town, kind)
    changed(owner, "DELETE", "/api/repos/delete", {"name": town.name("deleted"), "type": "model"})
    moved = {"fromRepo": town.name("moved"), "toRepo": f"{NAMESPACE}/elsewhere", "type": "model"}
    changed(owner, "POST", "/api/repos/move", moved)
    changed(owner, "PUT", f"/api/models/{town.name('gated')}/settings", {"gated": "manual"})
    changed(owner, "POST", f"/api/models/{town.name('gated')}/user-access-request/grant", {"user": "guest"})
    town.upload = str(upload_address(owner, town.name("public"), "a" * 64, 1))
    return town


def changed(client: Client, method: str, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Send JSON that must be taken, and return the answer's."""
    answer = client(method, path, json.dumps(values).encode(), {"Content-Type": "application/json"})
    assert answer.status == 200, f"{method} {path}: {answer}"
    found: dict[str, Any] = json.loads(answer.body)
    return found


def push(client: Client, repo: str, files: Mapping[str, bytes], branch: str = "main", title: str = "push") -> str:
    """Commit files and return the commit."""
    lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": title}}]
    for path, content in files.items():
        value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    body = b"\n".join(json.dumps(line).encode() for line in lines)
    answer = client("POST", f"/api/models/{repo}/commit/{branch}", body)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["commitOid"])


def upload(client: Client, repo: str, content: bytes) -> str:
    """Send an object by LFS and return its sha256."""
    oid = hashlib.sha256(content).hexdigest()
    if (address := upload_address(client, repo, oid, len(content))) is not None:
        assert client("PUT", address, content).status == 200
    return oid


def upload_address(client: Client, repo: str, oid: str, size: int) -> str | None:
    """Return where to send an object to; None where the repo has it."""
    wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}
    item = changed(client, "POST", f"/{repo}.git/info/lfs/objects/batch", wanted)["objects"][0]
    return urlsplit(item["actions"]["upload"]["href"]).path if "actions" in item else None


def xet_access(client: Client, repo: str) -> tuple[str, dict[str, str]]:
    """Return the path and the header for Xet uploads to a repo."""
    answer = json.loads(client("GET", f"/api/models/{repo}/xet-write-token/main").body)
    return urlsplit(answer["casUrl"]).path, bearer(answer["accessToken"])


def safetensors(names: Mapping[str, list[int]], **metadata: str) -> bytes:
    """Return a small file of weights."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in names.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def _visitors(hub: HubProcess) -> dict[str, Visitor]:
    store = Store(hub.folder)
    tokens = {}
    for name, namespaces in (
        ("writer", (NAMESPACE,)),
        ("guest", ()),
        ("stranger", ("beyond",)),
        ("gone", (NAMESPACE,)),
    ):
        store.users.add(name, namespaces)
        user = store.users.find(name)
        assert user is not None
        tokens[name] = store.users.new_token(user, "usual", "write")
        if name == "writer":
            tokens["reader"] = store.users.new_token(user, "reading", "read")
            tokens["revoked"] = store.users.new_token(user, "replaced", "write")
            store.users.new_token(user, "replaced", "write")
    store.users.remove("gone")
    store.close()
    owner = bearer(hub.token)
    basic = base64.b64encode(f"any:{tokens['stranger']}".encode()).decode()
    made = [
        Visitor("owner", "write", True, owner),
        Visitor("writer", "write", True, bearer(tokens["writer"])),
        Visitor("reader", "read", True, bearer(tokens["reader"])),
        Visitor("guest", "granted", False, bearer(tokens["guest"])),
        Visitor("stranger", "other", False, bearer(tokens["stranger"])),
        Visitor("browser", "basic", False, {"Authorization": f"Basic {basic}", "Accept": "text/html"}),
        Visitor("anonymous", "none"),
        Visitor("revoked", "wrong", False, bearer(tokens["revoked"])),
        Visitor("gone", "wrong", False, bearer(tokens["gone"])),
        Visitor("foreign token", "wrong", False, bearer("hf_" + "a" * 34)),
        Visitor("half a token", "wrong", False, bearer(hub.token[:-1])),
        Visitor("other name", "refused", False, {**owner, "Host": "evil.example"}),
        Visitor("page of others", "refused", False, {**owner, "Origin": "http://evil.example"}),
    ]
    return {visitor.name: visitor for visitor in made}


def _make_repo(town: Town, kind: str) -> None:
    repo = town.name(kind)
    namespace, _, name = repo.partition("/")
    private = kind not in ("public", "gated")
    changed(town.owner, "POST", "/api/repos/create", {"name": name, "organization": namespace, "private": private})
    word = f"canary-{kind}-{secrets.token_hex(8)}"
    town.canaries[kind] = [word.encode(), base64.b64encode(word.encode()).rstrip(b"=")]
    files = {
        "config.json": json.dumps({"note": word}).encode(),
        "notes.txt": word.encode(),
        "sub/deep.txt": word.encode(),
        "model.safetensors": safetensors({"a": [2, 3]}, note=word),
        "grid.png": b"\x89PNG\r\n\x1a\n" + word.encode(),
        "README.md": f"---\nlicense: mit\ntags:\n- canary\n---\n# Card\n{word}\n".encode(),
    }
    if kind == "gated":  # the card of a gated repo is for all, the files are not
        card = files["README.md"] = b"---\nlicense: mit\n---\ncanary-of-a-card\n"
        town.canaries["gated card"] = [card[-10:]]
    elif kind != "public":
        files[f"{word}.txt"] = b"named"
    push(town.owner, repo, files, title="first" if kind == "gated" else word)
    weights = upload(town.owner, repo, word.encode() * 3)
    line = {"key": "lfsFile", "value": {"path": "large.bin", "oid": weights, "algo": "sha256", "size": len(word) * 3}}
    assert town.owner("POST", f"/api/models/{repo}/commit/main", json.dumps(line).encode()).status == 200
    changed(town.owner, "POST", f"/api/models/{repo}/tag/main", {"tag": "v1"})
    changed(town.owner, "POST", f"/api/models/{repo}/branch/dev", {})
