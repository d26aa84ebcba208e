"""Rights to upload, each as a way to use it, and what ends them."""

import hashlib
import http.client
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import HfApi

from tests.hub.server.uploads import XORB, Cas, asking, chunk, lfs_object, shard
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
