"""The table of rights in the docs is what the Hub does, and has every route."""

import re
from pathlib import Path

from tests.hub.server.rights_table import KINDS, ROUTES, VISITORS, in_docs, table, town, written
from tests.hub.server.test_any_request import ROUTES as KNOWN


def test_the_table_in_the_docs_is_what_the_hub_does(tmp_path: Path) -> None:
    with town(tmp_path) as made:
        found = table(made)
    assert written(found) == in_docs(), "python -m tests.hub.server.rights_table writes it anew"
    for (method, path), cells in found.items():
        rights = dict(zip(KINDS, cells, strict=True))
        assert rights["private"] <= {"reader", "writer", "owner"}, path
        if method in ("PUT", "DELETE") or "/commit/main" in path:
            assert rights["public"] == {"writer", "owner"}, path
    assert len(found) * len(KINDS) * len(VISITORS) >= 660


def test_every_route_that_names_a_repo_is_in_the_table() -> None:
    def shape(path: str) -> str:
        path = path.replace("{name}/{name}", "{repo}")
        return re.sub(r"\{(?!repo)\w+\}|(?<=/)(main|a\.txt|t|b|accepted)(?=/|$)", "*", path)

    listed = {shape(path) for _, path, _ in ROUTES}
    known = {shape(path) for path in KNOWN if "{name}/{name}" in path and not path.startswith(("/datasets", "/lfs"))}
    assert {path for path in known if path not in listed} == {"/api/models/{repo}/tree/*/*", "/{repo}/tree/*/*"}
