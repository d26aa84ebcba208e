"""Who may do what: every route that names a repo, asked by five kinds of visitors of four kinds of repos.

python -m tests.hub.server.rights_table        # writes the table in docs/hub.md anew
"""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from tests.hub.server.uploads import Ask, asking
from zoo.hub.server.options import Options, UpstreamOptions
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

DOCS = Path(__file__).parents[3] / "docs" / "hub.md"
BEGIN, END = "<!-- rights: python -m tests.hub.server.rights_table -->\n", "<!-- /rights -->\n"
KINDS = ("public", "private", "gated", "copy")
VISITORS = ("nobody", "stranger", "reader", "writer", "owner")
NOTHING: dict[str, object] = {}
ROUTES: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("GET", "/api/models", None),
    ("GET", "/api/models/{repo}", None),
    ("GET", "/api/models/{repo}/revision/main", None),
    ("GET", "/api/models/{repo}/tree/main", None),
    ("POST", "/api/models/{repo}/paths-info/main", {"paths": ["a.txt"]}),
    ("GET", "/api/models/{repo}/refs", None),
    ("GET", "/api/models/{repo}/commits/main", None),
    ("GET", "/api/models/{repo}/auth-check", None),
    ("GET", "/{repo}", None),
    ("GET", "/{repo}/tree/main", None),
    ("GET", "/{repo}/commits/main", None),
    ("GET", "/{repo}/commit/{oid}", None),
    ("GET", "/{repo}/blob/main/a.txt", None),
    ("GET", "/{repo}/picture/main/a.txt", None),
    ("GET", "/{repo}/resolve/main/a.txt", None),
    ("GET", "/{repo}/raw/main/a.txt", None),
    ("GET", "/{repo}/settings", None),
    ("GET", "/{repo}/edit/main/a.txt", None),
    ("GET", "/{repo}/upload/main", None),
    ("GET", "/compare?before={repo}&after={repo}", None),
    ("GET", "/api/models/{repo}/auth-check/write", None),
    ("GET", "/api/models/{repo}/xet-write-token/main", None),
    ("GET", "/api/models/{repo}/user-access-request/accepted", None),
    ("POST", "/api/models/{repo}/user-access-request/grant", {"user": "not-there"}),
    ("PUT", "/api/models/{repo}/settings", NOTHING),
    ("POST", "/api/models/{repo}/tag/main", {"tag": "t"}),
    ("DELETE", "/api/models/{repo}/tag/t", None),
    ("POST", "/api/models/{repo}/branch/b", NOTHING),
    ("DELETE", "/api/models/{repo}/branch/b", None),
    ("POST", "/api/models/{repo}/super-squash/main", {"message": "all"}),
    ("POST", "/api/models/{repo}/preupload/main", {"files": []}),
    ("POST", "/api/models/{repo}/commit/main", {"key": "header", "value": {"summary": "nothing"}}),
    ("POST", "/{repo}.git/info/lfs/objects/batch", {"operation": "upload", "objects": []}),
    ("POST", "/{repo}.git/info/lfs/verify", {"oid": "0" * 64, "size": 1}),
    ("POST", "/api/repos/move", {"fromRepo": "{repo}", "toRepo": "{repo}"}),
    ("POST", "/api/repos/create", {"name": "{repo}-2"}),
    ("DELETE", "/api/repos/delete", {"name": "{repo}"}),
)


@dataclass
class Town:
    """A Hub with a repo of every kind, and a token of every kind of visitor."""

    ask: Ask
    owner: HfApi
    tokens: dict[str, str | None]
    oids: dict[str, str]

    def make(self, kind: str) -> None:
        """Make a repo, or have it fetched."""
        if kind != "copy":
            self.owner.create_repo(f"org/{kind}", private=kind == "private", exist_ok=True)
            add = CommitOperationAdd("a.txt", b"text")
            self.owner.create_commit(f"org/{kind}", [add], commit_message="put")
        if kind == "gated":
            self.owner.update_repo_settings("org/gated", gated="manual")
        self.oids[kind] = str(self.owner.model_info(f"org/{kind}").sha)


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Serve a Hub with an upstream, and fill both."""
    with ExitStack() as opened:
        upstream = opened.enter_context(serve_folder(folder / "upstream"))
        there = HfApi(endpoint=upstream.url, token=upstream.token)
        there.create_repo("org/copy")
        there.create_commit("org/copy", [CommitOperationAdd("a.txt", b"text")], commit_message="put")
        options = Options(upstream=UpstreamOptions(url=upstream.url, allow=("org/copy",)))
        hub = opened.enter_context(serve_folder(folder / "hub", options=options))
        tokens: dict[str, str | None] = {"nobody": None, "owner": hub.token}
        store = Store(hub.folder)
        opened.callback(store.close)
        for name, right in (("stranger", "none"), ("reader", "read"), ("writer", "write")):
            store.users.add(name)
            user = store.users.find(name)
            assert user is not None
            store.users.give(user, "org", right)  # type: ignore[arg-type]
            tokens[name] = store.users.new_token(user, "one", "write")
        made = Town(asking(hub.url), HfApi(endpoint=hub.url, token=hub.token), tokens, {})
        for kind in KINDS:
            made.make(kind)
        yield made


def may(made: Town, route: tuple[str, str, dict[str, object] | None], visitor: str, kind: str) -> bool:
    """Ask; tell whether the answer is that of somebody who may."""
    method, path, body = route
    repo = f"org/{kind}"
    content = None if body is None else json.dumps(body).replace("{repo}", repo).encode()
    headers = {"Content-Type": "application/json"}
    if (token := made.tokens[visitor]) is not None:
        headers["Authorization"] = f"Bearer {token}"
    address = path.replace("{repo}", repo).replace("{oid}", made.oids[kind])
    status, found, answer = made.ask(method, address, content, **headers)
    assert status < 500, (route, visitor, kind, status, answer)
    if (method, status) == ("DELETE", 200) and path == "/api/repos/delete":
        made.make(kind)
    if path == "/api/models":
        return f'"{repo}"'.encode() in answer
    if (status == 303 and found.get("location", "").startswith("/login")) or (status == 404 and "before=" in path):
        return False
    return status not in (401, 403) and found.get("x-error-code") != "RepoNotFound"


def table(made: Town) -> dict[tuple[str, str], list[set[str]]]:
    """Return who may, of every route and kind of repo."""
    return {
        (route[0], route[1]): [{who for who in VISITORS if may(made, route, who, kind)} for kind in KINDS]
        for route in ROUTES
    }


def written(found: dict[tuple[str, str], list[set[str]]]) -> str:
    """Return the table as it stands in the docs: whoever may, from the first of the visitors on."""
    lines = [f"| route | {' | '.join(KINDS)} |", "|---|---|---|---|---|"]
    for (method, path), cells in found.items():
        words = [_words(cell) for cell in cells]
        lines.append(f"| `{method} {path}` | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def _words(cell: set[str]) -> str:
    if not cell:
        return "nobody"
    first = min(VISITORS.index(who) for who in cell)
    assert cell == set(VISITORS[first:]), f"rights that do not grow: {cell}"
    return ("everybody", "users", "readers", "writers", "the owner")[first]


def in_docs() -> str:
    """Return the table that the docs have."""
    return DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, town(Path(name)) as filled:
        text = written(table(filled))
    content = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: BEGIN + text + END, content, flags=re.DOTALL), encoding="utf-8")
