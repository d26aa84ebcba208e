"""What people change by the pages' forms: with the rights of the API, by nobody else's page, without script."""

import base64
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.hub.server.uploads import Ask
from zoo.hub.server.store import Store

FORM = "application/x-www-form-urlencoded"
Send = Callable[..., tuple[int, dict[str, str], str]]


class Person:
    """Somebody with a token in a browser without script."""

    def __init__(self, ask: Ask, url: str, token: str) -> None:
        self.ask, self.url = ask, url
        self.basic = "Basic " + base64.b64encode(f"me:{token}".encode()).decode()

    def read(self, path: str) -> str:
        status, _, body = self.ask("GET", path, Authorization=self.basic, Accept="text/html")
        assert status == 200, body
        return body.decode()

    def key(self, path: str) -> str:
        found = re.search(r'name="key" value="([0-9a-f]{64})"', self.read(path))
        assert found
        return found[1]

    def send(self, path: str, page: str | None = None, /, **fields: str) -> tuple[int, dict[str, str], str]:
        """Load a page, fill in its form and send it."""
        return self.forge(path, {"key": self.key(page or path), **fields}, Origin=self.url)

    def forge(self, path: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, str], str]:
        given = {"Authorization": self.basic, "Content-Type": FORM, "Accept": "text/html", **headers}
        status, headers, body = self.ask("POST", path, urlencode(fields).encode(), **given)
        return status, headers, body.decode()


@pytest.fixture
def owner(ask: Ask, served_hub: Any, api: HfApi) -> Person:
    return Person(ask, served_hub.url, served_hub.token)


@pytest.fixture
def alice(ask: Ask, served_hub: Any, person: Callable[..., HfApi]) -> Person:
    return Person(ask, served_hub.url, str(person("alice", "team").token))


def test_a_repo_is_made_renamed_hidden_and_deleted(owner: Person, api: HfApi) -> None:
    status, headers, _ = owner.send("/new", type="models", namespace="org", name="new", private="on")
    assert (status, headers["location"]) == (303, "/org/new")
    assert api.model_info("org/new").private
    assert owner.send("/new", type="datasets", namespace="org", name="new")[1]["location"] == "/datasets/org/new"
    page = "/org/new/settings"
    assert owner.send(page, do="configure", visibility="public", gated="manual")[0] == 303
    assert (api.model_info("org/new").private, api.model_info("org/new").gated) == (False, "manual")
    assert owner.send(page, do="rename", new_name="org/other")[1]["location"] == "/org/other"
    status, _, text = owner.send("/org/other/settings", do="delete", confirm="org/new")
    assert status == 400 and "type org/other to confirm" in text
    assert api.repo_exists("org/other")
    assert owner.send("/org/other/settings", do="delete", confirm="org/other")[1]["location"] == "/org"
    assert not api.repo_exists("org/other")


@pytest.mark.parametrize(
    ("path", "fields", "status", "said"),
    [
        ("/new", {"type": "models", "namespace": "org", "name": "thing"}, 409, "There is a model org/thing already"),
        ("/new", {"type": "models", "namespace": "org", "name": "a b"}, 400, "Invalid repo id"),
        ("/new", {"type": "models", "namespace": "api", "name": "x"}, 400, "Invalid repo id"),
        ("/new", {"type": "none", "namespace": "org", "name": "x"}, 400, "Unknown type"),
        ("/org/thing/settings", {"do": "rename", "new_name": "org/<b>"}, 400, "&lt;b&gt;"),
        ("/org/thing/settings", {"do": "rename", "new_name": "org/taken"}, 409, "There is a repo org/taken already"),
        ("/org/thing/settings", {"do": "configure", "gated": "open"}, 400, "gated is"),
        ("/org/thing/settings", {"do": "none"}, 400, "Unknown form"),
        ("/tokens", {"do": "create", "label": "owner", "role": "read"}, 409, "already"),
        ("/tokens", {"do": "create", "label": "", "role": "read"}, 400, "label"),
        ("/tokens", {"do": "create", "label": "x", "role": "admin"}, 400, "may read, or write"),
        ("/tokens", {"do": "revoke", "label": "none"}, 404, "no token none"),
        ("/tokens", {"do": "revoke", "label": "owner"}, 400, "lies in a file"),
    ],
)
def test_what_does_not_go_is_said_on_the_page(
    owner: Person, api: HfApi, path: str, fields: dict[str, str], status: int, said: str
) -> None:
    api.create_repo("org/taken")
    found, headers, text = owner.send(path, **fields)
    assert found == status and said in text and 'role="alert"' in text
    assert headers["content-type"].startswith("text/html")


FORMS = [
    ("/new", {"type": "models", "namespace": "org", "name": "forged"}),
    ("/org/thing/settings", {"do": "delete", "confirm": "org/thing"}),
    ("/tokens", {"do": "create", "label": "forged", "role": "write"}),
    ("/org/thing/edit/main/README.md", {"do": "save", "content": "forged", "was": ""}),
]


@pytest.mark.parametrize(("path", "fields"), FORMS)
def test_no_other_page_sends_forms_in_a_users_name(
    owner: Person, alice: Person, api: HfApi, served_hub: Any, path: str, fields: dict[str, str]
) -> None:
    key, other = owner.key("/new"), alice.key("/new")
    for forged, headers in (
        ({}, {"Origin": owner.url}),
        ({"key": ""}, {"Origin": owner.url}),
        ({"key": other}, {"Origin": owner.url}),
        ({"key": "é"}, {"Origin": owner.url}),
        ({"key": key}, {}),
        ({"key": key}, {"Origin": "http://evil.example"}),
        ({"key": key}, {"Origin": "null"}),
        ({"key": key}, {"Origin": owner.url, "Content-Type": "text/plain"}),
        ({"key": key}, {"Origin": owner.url, "Authorization": "Basic bWU6"}),
    ):
        assert owner.forge(path, {**fields, **forged}, **headers)[0] in (401, 403, 415), (forged, headers)
    bearer = {"Authorization": f"Bearer {served_hub.token}", "Origin": owner.url}
    assert owner.forge(path, fields, **bearer)[0] == 403
    assert [repo.id for repo in api.list_models()] == ["org/thing"]
    assert api.list_repo_files("org/thing") == []
    assert "forged" not in owner.read("/tokens")


def test_a_password_with_a_pages_key_works_at_the_api_and_without_does_not(owner: Person, api: HfApi) -> None:
    body = b'{"name": "by-script", "organization": "org"}'
    given = {"Authorization": owner.basic, "Content-Type": "application/json"}
    for headers in ({}, {"Origin": owner.url}, {"X-Form-Key": owner.key("/new")}):
        assert owner.ask("POST", "/api/repos/create", body, **given, **headers)[0] in (401, 403)
    headers = {"Origin": owner.url, "X-Form-Key": owner.key("/new")}
    assert owner.ask("POST", "/api/repos/create", body, **given, **headers)[0] == 200
    assert api.repo_exists("org/by-script")


def test_rights_are_those_of_the_api(
    owner: Person, alice: Person, ask: Ask, api: HfApi, person: Callable[..., HfApi]
) -> None:
    assert alice.send("/new", type="models", namespace="team", name="hers")[0] == 303
    assert alice.send("/new", type="models", namespace="org", name="not-hers")[0] == 403
    for page in ("/org/thing/settings", "/org/thing/edit/main/README.md"):
        assert ask("GET", page, Authorization=alice.basic, Accept="text/html")[0] == 403
    for path, fields in FORMS[1:2] + FORMS[3:]:
        assert alice.send(path, "/new", **fields)[0] == 403
    assert alice.send("/team/hers/settings", do="rename", new_name="org/hers")[0] == 403
    api.create_repo("org/secret", private=True)
    for page in ("settings", "edit/main/README.md"):
        assert ask("GET", f"/org/secret/{page}", Authorization=alice.basic, Accept="text/html")[0] == 404
    assert alice.send("/org/secret/settings", "/new", do="delete", confirm="org/secret")[0] == 404
    reader = Person(ask, owner.url, str(person("bob", "team", scope="read").token))
    assert reader.send("/new", type="models", namespace="bob", name="x")[0] == 403
    assert reader.send("/tokens", do="create", label="more", role="write")[0] == 403
    assert "Settings" not in reader.read("/team/hers") and "Settings" in alice.read("/team/hers")
    assert api.repo_exists("org/thing") and api.repo_exists("org/secret")


def test_who_is_not_logged_in_is_sent_to_log_in_and_back(owner: Person, ask: Ask) -> None:
    for page in ("/new", "/tokens", "/org/thing/settings", "/org/thing/edit/main/README.md"):
        status, headers, _ = ask("GET", page, Accept="text/html")
        assert (status, headers["location"]) == (303, f"/login?to={page}")
        assert ask("POST", page, b"", **{"Content-Type": FORM, "Origin": owner.url})[0] == 401
        assert ask("GET", headers["location"], Authorization=owner.basic)[1]["location"] == page
    for away in ("//evil.example", "https://evil.example", "/%5Cevil.example", "%5C%5Cevil.example", "/%0D%0Aa", ""):
        assert ask("GET", f"/login?to={away}", Authorization=owner.basic)[1]["location"] == "/"


def test_a_token_is_shown_once_and_ends_when_revoked(alice: Person, served_hub: Any) -> None:
    status, headers, text = alice.send("/tokens", do="create", label="laptop", role="write")
    assert (status, headers["cache-control"]) == (200, "no-store")
    found = re.search(r"zoo_[\w-]{40,}", text)
    assert found
    client = HfApi(endpoint=served_hub.url, token=found[0])
    assert client.whoami()["auth"]["accessToken"] == {"displayName": "laptop", "role": "write"}
    again = alice.read("/tokens")
    assert "laptop" in again and found[0] not in again and "revoked" in again
    assert alice.send("/tokens", do="revoke", label="laptop")[0] == 303
    with pytest.raises(HfHubHTTPError):
        client.whoami()
    with closing(Store(served_hub.folder)) as store:
        query = "SELECT user, subject, detail FROM audit WHERE action LIKE 'token.%' ORDER BY id DESC LIMIT 2"
        noted = store.database.rows(query)
    assert [tuple(row) for row in noted] == [("alice", "alice", "laptop"), ("alice", "alice", "laptop (write)")]


def test_a_card_is_previewed_as_it_will_look_and_committed(owner: Person, api: HfApi) -> None:
    page = "/org/thing/edit/main/README.md"
    text = "---\r\nlicense: mit\r\n---\r\n# Thing\r\n\r\n[config](config.json)\r\n\r\n<script>alert(1)</script>\r\n"
    status, _, shown = owner.send(page, do="preview", content=text, was="")
    assert status == 200 and '<article class="card"><h1>Thing</h1>' in shown and "<script>alert" not in shown
    assert 'href="/org/thing/blob/main/config.json"' in shown and api.list_repo_files("org/thing") == []
    assert "front matter is broken" in owner.send(page, do="preview", content="---\na: [\n---\n", was="")[2]
    status, headers, _ = owner.send(page, do="save", content=text, was="", summary="a card")
    commit = api.list_repo_commits("org/thing")[0]
    assert (status, headers["location"], commit.title) == (303, f"/org/thing/commit/{commit.commit_id}", "a card")
    assert Path(api.hf_hub_download("org/thing", "README.md")).read_bytes() == text.replace("\r\n", "\n").encode()
    assert api.model_info("org/thing").card_data["license"] == "mit"  # type: ignore[index]
    assert "license: mit" in owner.read(page)


def test_a_change_in_between_is_not_overwritten(owner: Person, api: HfApi) -> None:
    page = "/org/thing/edit/main/README.md"
    api.create_commit("org/thing", [CommitOperationAdd("README.md", b"first")], commit_message="1")
    was = re.search(r'name="was" value="(\w+)"', owner.read(page))
    assert was
    api.create_commit("org/thing", [CommitOperationAdd("other.txt", b"x")], commit_message="beside it")
    assert owner.send(page, do="save", content="mine", was=was[1])[0] == 303  # another file changed: no matter
    api.create_commit("org/thing", [CommitOperationAdd("README.md", b"theirs")], commit_message="2")
    head = api.model_info("org/thing").sha
    stale = re.search(r'name="was" value="(\w+)"', owner.read(page))
    api.create_commit("org/thing", [CommitOperationAdd("README.md", b"later")], commit_message="3")
    assert stale
    status, _, text = owner.send(page, do="save", content="mine again", was=stale[1])
    assert status == 412 and "changed by somebody else" in text and "mine again" in text
    assert (
        api.list_repo_commits("org/thing")[0].title == "3" and api.list_repo_commits("org/thing")[1].commit_id == head
    )
    now = re.search(r'name="was" value="(\w+)"', text)
    assert now and owner.send(page, do="save", content="both", was=now[1])[0] == 303


@pytest.mark.parametrize("path", ["data.bin", "folder", "../x", "con.txt", ".git/config"])
def test_what_is_no_text_is_not_edited(owner: Person, api: HfApi, path: str) -> None:
    operations = [CommitOperationAdd("data.bin", b"\0\1"), CommitOperationAdd("folder/a", b"1")]
    api.create_commit("org/thing", operations, commit_message="1")
    status = owner.ask("GET", f"/org/thing/edit/main/{path}", Authorization=owner.basic, Accept="text/html")[0]
    assert status in (415, 422)
    assert owner.ask("GET", "/org/thing/edit/none/README.md", Authorization=owner.basic, Accept="text/html")[0] == 404
