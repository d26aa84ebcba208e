"""What a Hub may say that is not so, by name: names, commits, hashes, sizes, redirects, links, errors, bodies."""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.attacks.lying_hub import COMMIT, REPO, Lie, Reply, json_reply, listed, on

ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\r\nzoo: verified"
NAMES = (
    "../outside/x", "/etc/x", "..", ".", "", "a//b", "a/../../x", "./x", "~/x", "C:\\x", "c:x", "\\\\host\\x",
    "a\\..\\x",
    ".git/HEAD", ".git/config", ".GIT/config", ".Git/hooks/post-checkout", "sub/.git/config", ".g\u200cit/config",
    ".git \u200f/x", ".git./config", ".git /config", "git~1/config", ".\uff47it/config", ".git::$INDEX_ALLOCATION/x",
    ".gitmodules", ".gitconfig", "sub/.gitattributes", ".gitignore", ".envrc", ".vscode/settings.json", ".idea/x.xml",
    "x.pth", "site-packages/y.PTH", "sitecustomize.py", "usercustomize.py", "conftest.py", "sub/Conftest.py",
    "__pycache__/m.cpython-311.pyc", "CON", "nul.txt", "sub/COM1", "LPT9.json", "aux", "a.json ", "a.json.",
    "dir /x.json", "dir./x.json", "a\nb.json", "a\x1b[2Jb.json", "a\0b.json", "a\x7f.json", "a\x9b.json",
    "a\u202eb.json",
    "\ud800.json", "a\u2028b.json", "x" * 300 + ".json", "d/" * 2500 + "x.json", "-rf.json", "Makefile", ".bashrc",
    ".ssh/authorized_keys", ".netrc", ".npmrc", ".pre-commit-config.yaml", ".zshenv", "Desktop.ini", "autorun.inf",
)  # fmt: skip
PAIRS = (
    ("a.json", "A.json"), ("a", "a/b.json"), ("\u00e4.json", "a\u0308.json"), ("x.json", "x.json"), ("K.json",
    "\u212a.json"),
    ("stra\u00dfe.json", "STRASSE.json"), ("config.json", "CONFIG.json"), ("dir/a.json", "DIR/b.json"),
)  # fmt: skip
COMMITS: tuple[Any, ...] = (
    "../../../x", "/tmp/x", "C" * 40, "c" * 39, "c" * 41, "main", ESCAPES, "", None, 5, ["c" * 40], {"a": 1}, True,
    "\ud800",
)  # fmt: skip
SIZES: tuple[Any, ...] = (-1, 2**31, 2**53, 2**63, 2**64, 10**30, 1.5, True, None, "3", [], 10**15)
HASHES: tuple[Any, ...] = ("../../x", "/tmp/x", "A" * 40, "a" * 39, "a" * 41, "", None, 7, ESCAPES, "a" * 64, ["a"])
TARGETS = (
    "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:port/", "http://", "//", "", "ftp://127.0.0.1/x",
    "file:///etc/hostname", "data:,x", "http://user:secret@127.0.0.1:9/", "http://127.0.0.1:0/", "http://\u2028/",
    "http://a\x1b]0;x\x07/", "javascript:alert(1)", "http://[fe80::1%25x]/", "http://xn--/", "http://" + "a" * 5000,
    "https://127.0.0.1:9/", "unix:///tmp/x", "http://127.0.0.1:9/\x00", "http:///x", "http://%00/", "http://..",
)  # fmt: skip
CODES = ("", "RepoNotFound", "RevisionNotFound", "EntryNotFound", "GatedRepo", ESCAPES.replace("\r\n", " "))
STATUSES = (
    201,
    204,
    206,
    300,
    304,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    412,
    416,
    418,
    429,
    451,
    500,
    501,
    503,
    507,
)
JUNK: tuple[bytes, ...] = (
    b"", b"null", b"[]", b"{}", b"3", b'"x"', b"[" * 100_000, b'{"a":' * 50_000, b"[1e999]", b"[NaN]", b"\xff\xfe",
    b"<html>",
    b"[" + b"9" * 10_000 + b"]", b"[[]]", b"[null]", b"[{}]", b'[{"type": "file"}]', b'{"sha": 3, "id": 4}',
    b"\x1f\x8b\0",
)  # fmt: skip
RAW = (
    b"", b"\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 999 X\r\n\r\n", b"HTTP/1.1 -1\r\n\r\n", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]", b"HTTP/1.1 200 \x1b[2J\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nX: \x1b]0;x\x07\r\nContent-Length: 2\r\n\r\n[]", b"HTTP/1.1 101 Switching\r\n\r\n", b"[]",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n[]",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"HTTP/1.1 200 OK\r\n\r\n[]",
)  # fmt: skip
BODY = b"lie\n"


def all_lies() -> Iterator[tuple[str, Lie]]:
    """Yield every lie with a name for it."""
    for name in NAMES:
        yield f"name {name[:40]!a}", _files((name, BODY), ("config.json", b"{}"))
    for pair in PAIRS:
        yield f"names {pair!a}", _files(*((name, name.encode()) for name in pair))
    for commit in COMMITS:
        yield f"commit {commit!a:.40}", on("/revision/", json_reply({"id": REPO, "sha": commit}))
        yield f"repo id {commit!a:.40}", on("/revision/", json_reply({"id": commit, "sha": COMMIT}))
    for size in SIZES:
        yield f"size {size!a}", _items(listed("config.json", b"{}", size=size))
        yield f"LFS size {size!a}", _items(listed("config.json", b"{}", lfs={"oid": "a" * 64, "size": size}))
    for oid in HASHES:
        yield f"hash {oid!a:.40}", _items(listed("config.json", b"{}", oid=oid))
        yield f"LFS hash {oid!a:.40}", _items(listed("config.json", b"{}", lfs={"oid": oid, "size": 2}))
    for where, place in itertools.product(("/resolve/", "/revision/", "/tree/"), TARGETS):
        yield f"redirect of {where} to {place!a:.40}", on(where, Reply(302, (("Location", place),)))
    for place in TARGETS:
        yield f"next page {place!a:.40}", on("/tree/", json_reply([], 200, ("Link", f'<{place}>; rel="next"')))
    yield from _more_of_redirects_and_links()
    for where, status, code in itertools.product(("/resolve/", "/revision/", "/tree/"), STATUSES, CODES):
        yield f"{status} {code[:20]!a} of {where}", on(where, _error(status, code))
    for where, junk in itertools.product(("/revision/", "/tree/"), JUNK):
        yield f"{where} is {junk[:20]!r}", on(where, Reply(body=junk))
    for where, raw in itertools.product(("/resolve/", "/revision/", "/tree/"), RAW):
        yield f"{where} is {raw[:60]!r}", on(where, Reply(raw=raw))
    yield from _bodies_and_ranges()


def _files(*named: tuple[str, bytes]) -> Lie:
    """List files and give the bytes of each, whatever name it has in the address."""
    contents = dict(named)

    def lie(asked: Any) -> Reply | None:
        if "/tree/" in asked.path:
            return json_reply([listed(name, content) for name, content in named])
        if "/resolve/" in asked.path:
            return Reply(200, (("ETag", '"x"'), ("X-Repo-Commit", COMMIT)), contents.get(asked.file, BODY))
        return None

    return lie


def _items(*items: dict[str, Any]) -> Lie:
    return on("/tree/", json_reply(list(items)))


def _error(status: int, code: str) -> Reply:
    """An error that says what no terminal should see, in every place where a client looks for words."""
    shown = ESCAPES.replace("\r\n", " ")
    headers = (("X-Error-Message", shown), ("X-Error-Code", code), ("X-Request-Id", shown), ("Retry-After", "0"))
    return Reply(status, headers, json.dumps({"error": ESCAPES, "errors": [{"message": ESCAPES}]}).encode())


def _more_of_redirects_and_links() -> Iterator[tuple[str, Lie]]:
    for where in ("/resolve/", "/revision/", "/tree/"):
        yield (
            f"{where} leads to itself",
            lambda asked, where=where: Reply(302, (("Location", asked.path),)) if where in asked.path else None,
        )
        yield (
            f"{where} leads to and fro",
            lambda asked, where=where: Reply(307, (("Location", f"{asked.path}x"),)) if where in asked.path else None,
        )
        yield f"{where} leads nowhere", on(where, Reply(302))
    following = itertools.count()
    yield (
        "pages without end",
        lambda asked: (
            json_reply([], 200, ("Link", f'<{asked.path.partition("&")[0]}&cursor={next(following)}>; rel="next"'))
            if "/tree/" in asked.path
            else None
        ),
    )
    yield (
        "a page that follows itself",
        lambda asked: json_reply([], 200, ("Link", f'<{asked.path}>; rel="next"')) if "/tree/" in asked.path else None,
    )


def _bodies_and_ranges() -> Iterator[tuple[str, Lie]]:
    endless = lambda: itertools.repeat(b" " * 65_536, 2_000)  # noqa: E731  # 131 MB, and then it ends all the same
    for where in ("/resolve/", "/revision/", "/tree/"):
        yield f"{where} never ends", lambda asked, where=where: Reply(body=endless()) if where in asked.path else None
        yield f"{where} ends too early", on(where, Reply(headers=(("Content-Length", "1000"),), body=b"["))
        squeezed = (("Content-Encoding", "gzip"), ("Content-Type", "application/json"))
        yield f"{where} is compressed", on(where, Reply(headers=squeezed, body=gzip.compress(b"[]")))
        yield f"{where} is a bomb", on(where, Reply(headers=squeezed, body=gzip.compress(bytes(50_000_000))))
        yield (
            f"{where} errs without end",
            lambda asked, where=where: Reply(404, body=endless()) if where in asked.path else None,
        )
    ranges = (
        "bytes 0-1/2",
        "bytes 5-6/7",
        "bytes */2",
        "bytes 0-99/100",
        "bytes -1-1/2",
        "items 0-1/2",
        ESCAPES[:5],
        "",
    )
    for said in ranges:
        reply = Reply(206, (("Content-Range", said),), b"{}")
        yield f"range {said!a}", on("/resolve/", reply)
    for etag in ("", '"x"', 'W/"x"', '"../../x"', "x" * 5000):
        yield f"etag {etag[:20]!a}", on("/resolve/", Reply(200, (("ETag", etag), ("X-Linked-Etag", etag)), b"[]"))
