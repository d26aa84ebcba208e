"""Uploads by Xet and LFS, step by step: as a client sends them, or as a liar does."""

import hashlib
import http.client
import json
import pkgutil
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi

Ask = Callable[..., tuple[int, dict[str, str], bytes]]

XORB = "ab" * 32


def asking(url: str) -> Ask:
    def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    return ask


def chunk(content: bytes, scheme: int = 0, stored: bytes | None = None, length: int | None = None) -> bytes:
    stored = content if stored is None else stored
    length = len(content) if length is None else length
    return b"\0" + len(stored).to_bytes(3, "little") + bytes([scheme]) + length.to_bytes(3, "little") + stored


def raw(text: str) -> bytes:
    return b"".join(int(text[place : place + 16], 16).to_bytes(8, "little") for place in range(0, 64, 16))


def shard(sha256: str, terms: list[tuple[str, int, int, int]], with_sha256: bool = True) -> bytes:
    """Return a shard of one file; a term is xorb, first, last, bytes."""
    parts = [bytes(48), raw("cd" * 32) + struct.pack("<IIQ", with_sha256 << 30, len(terms), 0)]
    parts += [raw(xorb) + struct.pack("<IIII", 0, size, first, last) for xorb, first, last, size in terms]
    return b"".join([*parts, *([raw(sha256) + bytes(16)] if with_sha256 else []), b"\xff" * 32 + bytes(16)])


class Cas:
    """The Xet routes, with a write token of one repo."""

    def __init__(self, ask: Ask, api: HfApi, repo: str) -> None:
        bearer = f"Bearer {api.token}"
        answer = json.loads(ask("GET", f"/api/models/{repo}/xet-write-token/main", Authorization=bearer)[2])
        self._base = urlsplit(answer["casUrl"]).path
        self._bearer = f"Bearer {answer['accessToken']}"
        self._ask = ask

    def __call__(self, route: str, body: bytes) -> int:
        return self._ask("POST", f"{self._base}{route}", body, Authorization=self._bearer)[0]


def lfs_object(ask: Ask, api: HfApi, repo: str, content: bytes) -> dict[str, Any]:
    item = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    body = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [item]}
    bearer = f"Bearer {api.token}"
    answer = ask("POST", f"/{repo}.git/info/lfs/objects/batch", json.dumps(body).encode(), Authorization=bearer)[2]
    found: dict[str, Any] = json.loads(answer)["objects"][0]
    return found


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """Return a list that takes the arguments of every call."""
    calls: list[Any] = []
    real = pkgutil.resolve_name(name)

    def counting(*arguments: Any) -> Any:
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(name, counting)
    return calls
