"""Bodies that are almost right, for every reader of the server: it says what is wrong with them, and runs on."""

import random
from pathlib import Path

import pytest

from tests.attacks.bodies import readers
from tests.attacks.scale import sample
from tests.attacks.spoil import spoilt
from tests.attacks.town import Town
from zoo.hub.server.fsck import check_store
from zoo.hub.server.store import Store

EACH = sample(25)
FULL = (503, 507)


def test_spoilt_bodies(town: Town) -> None:
    draw, faults, counts = random.Random("bodies"), [], {}
    for name, reader in readers(town).items():
        answer = reader.send(reader.right)
        assert answer.status < 300 or answer.status in (404, 409, 422), f"{name}: {answer}"
        seen = counts[name] = {answer.status: 1}
        for number in range(EACH):
            body = spoilt(reader.right, draw, [reader.right])
            answer = reader.send(body)
            seen[answer.status] = seen.get(answer.status, 0) + 1
            if (
                answer.status >= 500
                and answer.status not in FULL
                or b"Traceback" in answer.body
                or b"Internal error" in answer.body
            ):
                faults.append(f"{name} {number}: {answer.status} for {body[:300]!r}")
        assert town.hub.alive, f"{name} ended the Hub: {town.hub.said.read_text()}"
    print({name: dict(sorted(seen.items())) for name, seen in counts.items()})
    assert not faults, "\n".join(faults)
    assert sum(sum(seen.values()) for seen in counts.values()) >= 700


def test_nothing_failed_and_the_store_is_whole(town: Town) -> None:
    assert town.owner("GET", "/healthz").status == 200
    assert not town.hub.faults(), town.hub.said.read_text()
    store = Store(Path(town.hub.folder))
    assert check_store(store).problems == []
    store.close()


@pytest.mark.parametrize("name", ["private", "gated"])
def test_repos_of_others_are_untouched(town: Town, name: str) -> None:
    assert town.owner("GET", f"/{town.name(name)}/resolve/main/notes.txt").body.startswith(b"canary-")
