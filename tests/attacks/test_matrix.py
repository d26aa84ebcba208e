"""Every route, asked by every kind of visitor for every kind of repo: who is let in, and what nobody else sees."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.attacks.hub_process import Answer, Client
from tests.attacks.routes import Route, expected, routes
from tests.attacks.town import HIDDEN, KINDS, NAMESPACE, Town, Visitor, changed, push

VISITORS = (
    "owner", "writer", "reader", "guest", "stranger", "browser", "anonymous", "revoked", "gone", "foreign token",
    "half a token", "other name", "page of others",
)  # fmt: skip
_REPOLESS = ("nothing", "list", "user")


def asked(client: Client, route: Route, repo: str) -> Answer:
    form = {"Content-Type": "application/x-www-form-urlencoded" if route.body[:6] == b"paths=" else "application/json"}
    return client(route.method, route.path.replace("{repo}", repo), route.body, form if route.body else {})


def wrong_with(answer: Answer, wanted: tuple[int, ...], town: Town, visitor: Visitor) -> str | None:
    """Return what must not have been answered."""
    if answer.status not in wanted:
        return f"{answer.status} instead of {wanted}: {answer.body[:200]!r}"
    if b"Traceback" in answer.body:
        return "a traceback"
    if any(word in answer.everything for word in town.kept_from(visitor)):
        return f"what is private: {answer.body[:200]!r}"
    return None


@pytest.mark.parametrize("name", VISITORS)
def test_every_route_for_every_kind_of_repo(town: Town, name: str) -> None:
    visitor, client, faults, count = town.visitors[name], town.client(name), [], 0
    for kind in KINDS:
        for route in routes(town.name(kind), town.forged(kind), f"of-{name.replace(' ', '-')}"):
            if route.needs in _REPOLESS and kind != KINDS[0]:
                continue
            wanted, repo = expected(route, visitor, kind), town.name(kind)
            if route.alters and wanted[0] < 300:  # whoever may, does so to a repo of their own
                repo, route = stand_in(town, route, kind)
            answer = asked(client, route, repo)
            count += 1
            if fault := wrong_with(answer, wanted, town, visitor):
                faults.append(f"{route.method} {route.path} of {kind}: {fault}")
    assert not faults, "\n".join(faults)
    assert count > 200


def stand_in(town: Town, route: Route, kind: str) -> tuple[str, Route]:
    """Make a repo that may be altered, and return its name and the same route for it."""
    stand_in.count = count = getattr(stand_in, "count", 0) + 1  # type: ignore[attr-defined]
    name = f"spare-{count}"
    repo = f"{NAMESPACE}/{name}"
    if route.path != "/api/repos/create":
        values = {"name": name, "organization": NAMESPACE, "private": kind == "private"}
        changed(town.owner, "POST", "/api/repos/create", values)
        push(town.owner, repo, {"a.txt": b"a"})
        changed(town.owner, "POST", f"/api/models/{repo}/tag/main", {"tag": "v1"})
        changed(town.owner, "POST", f"/api/models/{repo}/branch/dev", {})
    body = route.body.replace(town.name(kind).encode(), repo.encode())
    return repo, replace(route, body=body.replace(town.name(kind).partition("/")[2].encode(), name.encode()))


@pytest.mark.parametrize("name", ["stranger", "guest", "browser", "anonymous"])
def test_a_private_repo_is_told_by_nothing_from_one_that_never_was(town: Town, name: str) -> None:
    client, faults = town.client(name), []
    for route in routes("org/name", "/"):
        if route.needs in (*_REPOLESS, "signature"):
            continue
        seen = []
        for kind in HIDDEN:
            full = town.name(kind)
            body = route.body.replace(b"org/name", full.encode())
            body = body.replace(b'"name": "name"', b'"name": "%s"' % full.partition("/")[2].encode())
            answer = asked(client, replace(route, body=body), full)
            headers = {key: value for key, value in answer.headers.items() if key not in ("x-request-id", "date")}
            seen.append(
                (answer.status, str(headers).replace(full, "NAME"), answer.body.replace(full.encode(), b"NAME"))
            )
        if any(other != seen[0] for other in seen):
            faults.append(f"{route.method} {route.path}: {seen}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["stranger", "guest", "browser", "anonymous"])
def test_lists_name_no_private_repo(town: Town, name: str) -> None:
    client = town.client(name)
    hidden = [town.name("private"), f"{NAMESPACE}/elsewhere"]
    for path in (
        "/", "/org", "/api/models?limit=1000", "/api/models?search=thing", "/api/models?search=canary",
        "/api/models?author=org", "/api/models?filter=canary", "/api/models?full=true&expand=siblings",
        "/?search=elsewhere", "/api/models?search=elsewhere", "/api/models?filter=license:mit&sort=createdAt",
    ):  # fmt: skip
        answer = client("GET", path)
        assert answer.status == 200
        assert not [repo for repo in hidden if repo.encode() in answer.body], path


def test_all_repos_are_as_they_were(town: Town) -> None:
    for kind in ("public", "private", "gated"):
        found: dict[str, Any] = json.loads(town.owner("GET", f"/api/models/{town.name(kind)}").body)
        assert (found["private"], found["gated"]) == (kind == "private", "manual" if kind == "gated" else False)
        content = town.owner("GET", f"/{town.name(kind)}/resolve/main/notes.txt").body
        assert re.fullmatch(rb"canary-\w+-[0-9a-f]{16}", content)
    assert town.hub.alive and not town.hub.faults(), town.hub.said.read_text()
