"""What was given to upload with is good for what it was given for, and no longer than that lasts."""

import hashlib
import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi

from tests.hub.server.conftest import asking
from tests.hub.server.uploads import XORB, Cas, chunk, count_calls, lfs_object, shard
from zoo.hub.server.options import Limits, Options
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

CONTENT = b"0123456789" * 2  # two parts of the hub of the table
Use = Callable[[], int]


class Case:
    """A user of a team, a repo of the team, and a Hub that takes files in parts from 15 bytes on."""

    def __init__(self, hub: Any, name: str) -> None:
        self.hub = hub
        self.name = name
        self.owner = HfApi(endpoint=hub.url, token=hub.token)
        self.ask = asking(hub.url)
        self.repo = f"{name}-team/thing"
        self.store = Store(hub.folder)
        self.store.users.add(name, (f"{name}-team",))
        self.user = self.store.users.find(name)
        self.api = HfApi(endpoint=hub.url, token=self.new_token())
        self.api.create_repo(self.repo)
        self.content = CONTENT + name.encode()
        self.oid = hashlib.sha256(self.content).hexdigest()

    def new_token(self) -> str:
        assert self.user is not None
        return self.store.users.new_token(self.user, "laptop", "write")

    def sql(self, statement: str, *values: object) -> None:
        with self.store.database.transaction() as connection:
            connection.execute(statement, values)

    def kept(self) -> list[Any]:
        """Return all that the Hub has taken from the user."""
        blobs = self.store.database.rows("SELECT sha256 FROM uploads WHERE sha256=?", self.oid)
        commits = self.store.database.rows("SELECT oid FROM commits WHERE title=?", self.name)
        return [*blobs, *commits]


def upload_address(case: Case, *, part: bool = False) -> str:
    upload = lfs_object(case.ask, case.api, case.repo, case.content)["actions"]["upload"]
    return str(urlsplit(upload["header"]["1"] if part else upload["href"]).path)


def xorb(case: Case) -> Use:
    cas = Cas(case.ask, case.api, case.repo)
    return lambda: cas(f"/v1/xorbs/default/{XORB}", chunk(case.content))


def shard_of_it(case: Case, route: str = "/v1/shards") -> Use:
    cas = Cas(case.ask, case.api, case.repo)
    assert cas(f"/v1/xorbs/default/{XORB}", chunk(case.content)) == 200
    return lambda: cas(route, shard(case.oid, [(XORB, 0, 1, len(case.content))]))


def shard_in_lines(case: Case) -> Use:
    return shard_of_it(case, "/v2/shards")


def whole_file(case: Case) -> Use:
    address = upload_address(case)
    return lambda: case.ask("PUT", address, case.content)[0]


def part_of_a_file(case: Case) -> Use:
    address = upload_address(case, part=True)
    return lambda: case.ask("PUT", address, case.content[:10])[0]


def parts_together(case: Case) -> Use:
    upload = lfs_object(case.ask, case.api, case.repo, case.content)["actions"]["upload"]
    parts = []
    for start in range(0, len(case.content), 10):
        number = start // 10 + 1
        path = urlsplit(upload["header"][str(number)]).path
        etag = case.ask("PUT", path, case.content[start : start + 10])[1]["etag"]
        parts.append({"partNumber": number, "etag": etag})
    body = json.dumps({"oid": case.oid, "parts": parts}).encode()
    return lambda: case.ask("POST", urlsplit(upload["href"]).path, body)[0]


def verification(case: Case) -> Use:
    verify = lfs_object(case.ask, case.api, case.repo, case.content)["actions"]["verify"]["href"]
    assert case.ask("PUT", upload_address(case), case.content)[0] == 200
    body = json.dumps({"oid": case.oid, "size": len(case.content)}).encode()
    return lambda: case.ask("POST", urlsplit(verify).path, body, Authorization=f"Bearer {case.api.token}")[0]


def begun(case: Case, method: str, path: str, body: bytes, **headers: str) -> Use:
    """Send a request but for its last byte, and that when used."""
    connection = http.client.HTTPConnection(str(urlsplit(case.hub.url).netloc), timeout=10)
    connection.putrequest(method, path)
    for key, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(key, value)
    connection.endheaders(body[:-1])
    assert case.ask("GET", "/healthz")[0] == 200  # whose head is read after that one's

    def finish() -> int:
        with closing(connection):
            connection.send(body[-1:])
            return connection.getresponse().status

    return finish


def file_under_way(case: Case) -> Use:
    return begun(case, "PUT", upload_address(case), case.content)


def commit_under_way(case: Case) -> Use:
    lines = [{"key": "header", "value": {"summary": case.name}}]
    lines.append({"key": "file", "value": {"path": "a", "content": "eA==", "encoding": "base64"}})
    body = "\n".join(map(json.dumps, lines)).encode()
    return begun(case, "POST", f"/api/models/{case.repo}/commit/main", body, Authorization=f"Bearer {case.api.token}")


def user_removed(case: Case) -> None:
    assert case.store.users.remove(case.name)


def token_revoked(case: Case) -> None:
    case.sql("DELETE FROM tokens WHERE user=?", case.user.id)  # type: ignore[union-attr]


def token_replaced(case: Case) -> None:
    case.new_token()


def namespace_taken_away(case: Case) -> None:
    case.sql("DELETE FROM namespaces WHERE user=?", case.user.id)  # type: ignore[union-attr]


def repo_deleted(case: Case) -> None:
    case.owner.delete_repo(case.repo)


def repo_deleted_and_made_again(case: Case) -> None:
    case.owner.delete_repo(case.repo)
    case.owner.create_repo(case.repo)


def repo_moved(case: Case) -> None:
    case.owner.move_repo(case.repo, f"{case.name}-team/elsewhere")


def made_private(case: Case) -> None:
    case.owner.update_repo_settings(case.repo, private=True)


def gated(case: Case) -> None:
    case.owner.update_repo_settings(case.repo, gated="manual")


SIGNED = [xorb, shard_of_it, shard_in_lines, whole_file, part_of_a_file, parts_together, file_under_way]
WITH_TOKEN = [verification, commit_under_way]
OF_THE_USER = [user_removed, token_revoked, token_replaced, namespace_taken_away]
OF_THE_REPO = [repo_deleted, repo_deleted_and_made_again, repo_moved]
OF_ITS_READERS = [made_private, gated]
TABLE = [
    *itertools.product(SIGNED, [*OF_THE_USER, *OF_THE_REPO, *OF_ITS_READERS]),
    *itertools.product(WITH_TOKEN, [*OF_THE_USER, *OF_THE_REPO]),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve_folder(tmp_path_factory.mktemp("table") / "hub", options=IN_PARTS) as hub:
        yield hub


@pytest.fixture
def case(hub: Any) -> Iterator[Case]:
    case = Case(hub, f"user{next(NUMBERS)}")
    yield case
    case.store.close()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Return a case on a Hub of its own, which looks through its uploads in parts all the time."""
    monkeypatch.setattr("zoo.hub.server.parts._SWEEP_SECONDS", 0.01)
    with serve_folder(tmp_path / "alone", options=IN_PARTS) as hub:
        case = Case(hub, "alone")
        yield case
        case.store.close()


IN_PARTS = Options(limits=Limits(multipart_from=15, part_size=10))
NUMBERS = itertools.count()


@pytest.mark.parametrize(("capability", "event"), TABLE, ids=lambda function: function.__name__)
def test_127_no_capability_outlives_what_it_was_given_for(
    case: Case, capability: Callable[[Case], Use], event: Callable[[Case], None]
) -> None:
    use = capability(case)
    before = case.kept()
    event(case)
    assert use() in (401, 403, 404)
    assert set(case.kept()) <= set(before)


@pytest.mark.parametrize("capability", [*SIGNED, *WITH_TOKEN])
def test_a_capability_is_good_while_nothing_changes(case: Case, capability: Callable[[Case], Use]) -> None:
    use = capability(case)
    case.store.users.add("somebody-else")
    assert use() == 200


@pytest.mark.parametrize("event", OF_ITS_READERS)
def test_a_commit_under_way_lands_when_its_repo_is_hidden_meanwhile(case: Case, event: Callable[[Case], None]) -> None:
    use = commit_under_way(case)
    event(case)
    assert use() == 200


@pytest.mark.parametrize("change", [{"private": False}, {"gated": False}])
def test_settings_that_change_nothing_end_nothing(case: Case, change: dict[str, Any]) -> None:
    use = whole_file(case)
    case.owner.update_repo_settings(case.repo, **change)
    assert use() == 200


def test_127_a_capability_is_for_one_purpose_and_no_other(case: Case) -> None:
    address = upload_address(case)
    *_, text = address.split("/")
    assert case.ask("POST", f"/cas/x/v1/xorbs/default/{XORB}", b"", Authorization=f"Bearer {text}")[0] == 403
    other = hashlib.sha256(b"other").hexdigest()
    assert case.ask("PUT", address.replace(case.oid, other), b"other")[0] == 403
    for number in range(4):  # another token, user, repo, epoch than was signed
        words = text.split(".")
        words[number] = "0" * 16 if number == 0 else str(int(words[number]) + 1)
        assert case.ask("PUT", address.replace(text, ".".join(words)), case.content)[0] == 403
    assert case.api.token is not None and case.api.token not in text


def test_parts_belong_to_who_began_them(case: Case) -> None:
    """A second member of the team neither finishes nor spoils what the first has begun."""
    finish = parts_together(case)
    case.store.users.add("second", (f"{case.name}-team",))
    second = case.store.users.find("second")
    assert second is not None
    api = HfApi(endpoint=case.hub.url, token=case.store.users.new_token(second, "laptop", "write"))
    upload = lfs_object(case.ask, api, case.repo, case.content)["actions"]["upload"]
    for number in range(1, len(upload["header"])):
        assert case.ask("PUT", urlsplit(upload["header"][str(number)]).path, b"x" * 10)[0] in (200, 413, 422)
    body = json.dumps({"oid": case.oid, "parts": []}).encode()
    assert case.ask("POST", urlsplit(upload["href"]).path, body)[0] == 422
    assert finish() == 200


def temporary(case: Case, wanted: int) -> int:
    """Return how many temporary files there are, once they are so many or it took too long."""
    deadline = time.monotonic() + 10
    while (count := len(list((case.hub.folder / "temporary").iterdir()))) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return count


@pytest.mark.parametrize("event", [user_removed, repo_deleted, made_private])
def test_127_parts_go_with_their_capability(alone: Case, event: Callable[[Case], None]) -> None:
    assert part_of_a_file(alone)() == 200
    assert temporary(alone, 1) == 1
    event(alone)
    assert temporary(alone, 0) == 0


def test_parts_that_nothing_follows_go(alone: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.parts._KEPT_SECONDS", 0)
    assert part_of_a_file(alone)() == 200
    assert temporary(alone, 0) == 0


def test_one_user_begins_only_so_many_uploads(alone: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.parts._UPLOADS_A_USER", 2)
    finish = parts_together(alone)
    for number in range(3):
        alone.content = CONTENT + b"%d" % number
        assert part_of_a_file(alone)() == 200
    assert temporary(alone, 2) == 2
    assert finish() == 422  # the oldest was given up
    user_removed(alone)
    assert temporary(alone, 0) == 0


def test_125_addresses_of_parts_are_only_so_many(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.routes_lfs._MAX_PARTS", 20)
    issued = count_calls(monkeypatch, "zoo.hub.server.routes_lfs._actions")
    items = [{"oid": f"{number:064x}", "size": 50} for number in range(100)]
    body = json.dumps({"operation": "upload", "transfers": ["multipart"], "objects": items}).encode()
    bearer = f"Bearer {case.api.token}"
    assert case.ask("POST", f"/{case.repo}.git/info/lfs/objects/batch", body, Authorization=bearer)[0] == 413
    assert len(issued) == 4
