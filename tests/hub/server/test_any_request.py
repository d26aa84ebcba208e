"""Whatever is asked, the Hub answers, and never with 500.

`make test` asks a few hundred times; `make test-hub-fuzz` 20,000 times and more.
"""

import base64
import http.client
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from zoo.hub.server.options import Limits, Options, UpstreamOptions
from zoo.hub.server.serving import serve_folder

FORM = "application/x-www-form-urlencoded"
REQUESTS = int(os.environ.get("ZOO_FUZZ_REQUESTS", "300")) // 2
"""Of each Hub: one alone, one with an upstream."""
ROUTES = """
/ /datasets /healthz /login /-/style.css /{name} /{name}/{name} /datasets/{name}/{name}
/api/whoami-v2 /api/validate-yaml /api/repos/create /api/repos/delete /api/repos/move /api/models /api/datasets
/api/models/{name}/{name} /api/models/{name}/{name}/revision/{ref} /api/models/{name}/{name}/tree/{ref}
/api/models/{name}/{name}/tree/{ref}/{path} /api/models/{name}/{name}/paths-info/{ref} /api/models/{name}/{name}/refs
/api/models/{name}/{name}/commits/{ref} /api/models/{name}/{name}/settings /api/models/{name}/{name}/tag/{ref}
/api/models/{name}/{name}/branch/{ref} /api/models/{name}/{name}/preupload/{ref}
/api/models/{name}/{name}/commit/{ref} /api/models/{name}/{name}/auth-check/write
/api/models/{name}/{name}/xet-write-token/{ref} /api/models/{name}/{name}/user-access-request/grant
/{name}/{name}.git/info/lfs/objects/batch /{name}/{name}.git/info/lfs/verify
/lfs/models/{name}/{name}/{hash}/{number}/{path}/{hash} /cas/{path}/shards /cas/{path}/v2/shards
/cas/{path}/v1/xorbs/default/{hash} /cas/{path}/v1/chunks/default/{hash} /v1/telemetry
/{name}/{name}/resolve/{ref}/{path} /{name}/{name}/raw/{ref}/{path} /api/models/{name}/{name}/super-squash/{ref}
/{name}/{name}/tree/{ref}/{path} /{name}/{name}/blob/{ref}/{path}
/{name}/{name}/picture/{ref}/{path} /{name}/{name}/commits/{ref} /{name}/{name}/commit/{hash} /{path}
/new /tokens /compare /{name}/{name}/settings /{name}/{name}/edit/{ref}/{path} /{name}/{name}/upload/{ref}
/datasets/{name}/{name}/settings /datasets/{name}/{name}/edit/{ref}/{path}
/plugins /plugins/ /plugins/index.html /plugins/{path} /plugins/{name}/{path}
""".split()
KEYS = (
    "name organization type private visibility gated fromRepo toRepo tag startingPoint files path size sample objects "
    "oid operation transfers content encoding paths expand user status requestId parts partNumber etag summary "
    "description parentCommit algo search author filter sort limit cursor full blobs recursive p include_prs create_pr "
    "modality license max_size min_score before after to do namespace new_name confirm label role was part_size"
).split()
words = st.sampled_from(
    [
        "org",
        "thing",
        "main",
        "a.txt",
        "sub",
        "README.md",
        "v1",
        "refs/heads/main",
        "..",
        ".",
        "",
        "a" * 300,
        "\0",
        "%00",
    ]
)
texts = words | st.text(max_size=20) | st.from_regex(r"[0-9a-f]{40}([0-9a-f]{24})?", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)
changes = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["header", "file", "lfsFile", "deletedFile", "deletedFolder", "other"]),
        "value": st.fixed_dictionaries(
            {"path": texts, "oid": texts, "content": texts.map(lambda text: encoded(text)), "summary": texts}
        )
        | objects,
    }
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def json_bytes(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


KEY = "form-key-of-the-user"


def form(*pairs: tuple[str, str]) -> bytes:
    return urlencode([("key", KEY), *pairs], errors="replace").encode()


bodies = (
    st.just(b"")
    | st.binary(max_size=200)
    | (objects | values).map(json_bytes)
    | st.lists(changes, max_size=4).map(lambda lines: b"\n".join(map(json_bytes, lines)))
    | st.fixed_dictionaries({"operation": st.just("upload"), "objects": st.lists(objects, max_size=3)}).map(json_bytes)
    | st.fixed_dictionaries({"name": words, "organization": words, "type": words}).map(json_bytes)
    | st.fixed_dictionaries({"content": texts.map(lambda text: f"---\n{text}\n---\n")}).map(json_bytes)
    | st.lists(st.tuples(st.sampled_from(KEYS), texts), max_size=4).map(lambda pairs: form(*pairs))
    | st.fixed_dictionaries(
        {"do": st.sampled_from(["save", "preview", "configure", "rename", "create", "revoke"]), "content": texts},
        optional={name: texts for name in ("was", "new_name", "label", "role", "gated", "namespace", "name", "type")},
    ).map(lambda fields: form(*fields.items()))
    | st.lists(st.tuples(st.sampled_from(KEYS), texts), max_size=3).map(
        lambda pairs: urlencode(pairs, errors="replace").encode()
    )
)


@st.composite
def paths(draw: Any) -> str:
    """Return an address: a route with its gaps filled, rightly or not."""
    route = draw(st.sampled_from(ROUTES))
    usual = draw(st.integers(0, 3)) > 0
    fills = {"name": ["org", "thing"], "ref": ["main", "v1"], "path": ["a.txt", "sub/b.txt"], "hash": ["0" * 64]}
    while (start := route.find("{")) >= 0:
        end = route.index("}")
        kind = route[start + 1 : end]
        if kind == "name" and usual:
            text = "org" if route.count("{name}") == 2 else draw(st.sampled_from(["thing", "copied"]))
        elif usual and kind in fills:
            text = draw(st.sampled_from(fills[kind]))
        else:
            text = draw(texts | st.integers(-5, 1 << 70).map(str))
        safe = draw(st.sampled_from(["", "/"]))
        route = route[:start] + quote(text.encode("utf-8", "surrogatepass"), safe=safe) + route[end + 1 :]
    query = draw(st.lists(st.tuples(st.sampled_from(KEYS), texts | st.integers().map(str)), max_size=3))
    text = (
        urlencode(query, errors="surrogatepass")
        if query
        else draw(st.sampled_from(["", "", "%ff=%fe", "&&==;", "a" * 500]))
    )
    return f"{route}?{text}" if text else route


@pytest.fixture(scope="module", params=["alone", "with an upstream"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("any") / "hub"
    index = tmp_path_factory.mktemp("index")
    (index / "index.html").write_text("<p>plugins")
    limits = Limits(max_file=10_000_000, idle_seconds=5)
    with serve_folder(tmp_path_factory.mktemp("upstream") / "hub") as there:
        api = HfApi(endpoint=there.url, token=there.token)
        for name in ("copied", "thing"):
            api.create_repo(f"org/{name}")
            content = [CommitOperationAdd(path, b"text") for path in ("a.txt", "sub/b.txt", "README.md")]
            api.create_commit(f"org/{name}", content, commit_message="put")
        upstream = UpstreamOptions(url=there.url) if request.param != "alone" else None
        with serve_folder(folder, options=Options(plugins=index, limits=limits, upstream=upstream)) as hub:
            yield hub


class Asker:
    """A connection that is made again when the Hub has closed it."""

    def __init__(self, hub: Any) -> None:
        self._netloc = str(urlsplit(hub.url).netloc)
        self._connection: Any = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        for _ in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._netloc, timeout=20)
            try:
                self._connection.request(method, path, body, headers)
                response = self._connection.getresponse()
                response.read()
                return int(response.status)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self._connection.close()
                self._connection = None
        raise AssertionError("the Hub closes the connection without an answer")


def test_any_request(hub: Any) -> None:
    with closing(Asker(hub)) as ask:
        ask_whatever(hub, ask)


def form_key(hub: Any) -> bytes:
    """Return the word that the owner's forms have."""
    request = urllib.request.Request(f"{hub.url}/new", headers={"Authorization": f"Bearer {hub.token}"})
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read().split(b'name="key" value="')[1][:64])


def ask_whatever(hub: Any, ask: "Asker") -> None:
    seen: dict[int, int] = {}
    key = form_key(hub)
    token = {"Authorization": f"Bearer {hub.token}"}
    create = json.dumps({"name": "thing", "organization": "org"}).encode()
    lines = [
        {"key": "file", "value": {"path": path, "content": encoded("text"), "encoding": "base64"}}
        for path in ("a.txt", "sub/b.txt", "README.md")
    ]
    filling = b"\n".join(map(json_bytes, lines))

    @settings(max_examples=REQUESTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
        paths(),
        bodies,
        st.sampled_from([token, token, token, {}, {"Authorization": "Bearer x"}, {"Authorization": "Basic /w=="}]),
        st.sampled_from(
            [
                {},
                {"Range": "bytes=0-1"},
                {"Range": "bytes=-0"},
                {"Accept": "text/html"},
                {"Content-Type": "application/json"},
                {"Content-Type": FORM, "Origin": hub.url, "Accept": "text/html"},
            ]
        ),
    )
    @example("GET", "/api/models?cursor=WzEsMV0=", b"", token, {})
    @example("GET", "/api/models?cursor=WzFlMjAwLCAxXQ==&sort=score", b"", token, {})
    @example("GET", "/compare?before=org/thing&after=org/thing@main", b"", token, {})
    @example("GET", "/api/models?cursor=WyIxIiwgMV0=&sort=downloads", b"", token, {})
    @example("GET", "/api/models?search=%22%00%22", b"", token, {})
    def run(method: str, path: str, body: bytes, who: dict[str, str], more: dict[str, str]) -> None:
        ask("POST", "/api/repos/create", create, token)
        if sum(seen.values()) % 20 == 0:
            ask("POST", "/api/models/org/thing/commit/main", filling, token)
        status = ask(method, path, body.replace(KEY.encode(), key), {**who, **more})
        seen[status] = seen.get(status, 0) + 1
        assert status < 500 or status in (501,), f"{method} {path} {body!r} {who} {more}: {status}"

    run()
    print(f"{sum(seen.values()):,} requests: {dict(sorted(seen.items()))}")
    assert {200, 400, 404} <= set(seen)


def test_the_store_is_whole_afterwards(hub: Any) -> None:
    from zoo.hub.server.fsck import check_store
    from zoo.hub.server.store import Store

    store = Store(Path(hub.folder))
    assert check_store(store).problems == []
    store.close()
