"""What a dead pull left is gone on with by the next one, and nobody writes into what another may still write."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from zoo.hub.lease import Lease
from zoo.hub.owner import is_gone, new_owner
from zoo.hub.partial import SUFFIX, Partial, leftovers
from zoo.hub.records import WantedFile

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WANTED = WantedFile("model.safetensors", len(CONTENT), SHA256, SHA256)
DEAD = "import os; from zoo.hub.owner import new_owner; print(new_owner(), end='')"


def dead_owner() -> str:
    """Return the name of a process that has ended."""
    return subprocess.run([sys.executable, "-c", DEAD], capture_output=True, text=True, check=True).stdout


def test_who_is_gone() -> None:
    assert not is_gone(new_owner())
    assert is_gone(dead_owner())
    place, pid, _, rest = new_owner().split("-")
    assert is_gone(f"{place}-{pid}-1-{rest}"), "the number was given to another process since"
    assert not is_gone(f"elsewhere-{2**30}-1-{rest}"), "of another machine nothing is known"
    assert not is_gone("")


def test_a_dead_beginning_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / f"{SHA256}.{dead_owner()}{SUFFIX}").write_bytes(CONTENT[:5000])
    (tmp_path / f"{SHA256}.{dead_owner()}{SUFFIX}").write_bytes(CONTENT[:100])
    file = Partial(tmp_path, WANTED)
    assert file.size == 5000
    file.append(CONTENT[5000:])
    assert file.publish(tmp_path / SHA256)
    assert [path.name for path in tmp_path.iterdir()] == [SHA256]
    assert (tmp_path / SHA256).read_bytes() == CONTENT


def test_a_beginning_of_another_machine_is_copied(tmp_path: Path) -> None:
    theirs = tmp_path / f"{SHA256}.0123456789ab-7-7-00000000{SUFFIX}"
    theirs.write_bytes(CONTENT[:5000])
    file = Partial(tmp_path, WANTED)
    with open(theirs, "r+b") as still_written:
        still_written.write(b"other bytes")
    file.append(CONTENT[5000:])
    assert file.publish(tmp_path / SHA256)
    assert (tmp_path / SHA256).read_bytes() == CONTENT


def test_a_beginning_that_is_being_written_here_is_left_alone(tmp_path: Path) -> None:
    first = Partial(tmp_path, WANTED)
    first.append(CONTENT[:5000])
    second = Partial(tmp_path, WANTED)
    assert second.size == 0
    second.release()
    first.release()


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"x", CONTENT[:-1], CONTENT + b"x"])
def test_wrong_bytes_get_no_name(tmp_path: Path, wrong: bytes) -> None:
    file = Partial(tmp_path, WANTED)
    file.append(wrong)
    assert not file.publish(tmp_path / SHA256)
    file.discard()
    assert not list(tmp_path.iterdir())


def test_what_is_released_is_free_for_all(tmp_path: Path) -> None:
    file = Partial(tmp_path, WANTED)
    file.append(CONTENT[:10])
    file.release()
    ((_, size, owner),) = leftovers(tmp_path)
    assert size == 10 and is_gone(owner)
    again = Partial(tmp_path, WANTED)
    assert again.size == 10
    again.release()


def test_one_at_a_time_holds_a_lease(tmp_path: Path) -> None:
    order = []

    def work(name: str) -> None:
        with Lease(tmp_path / "lease"):
            order.append(f"{name} in")
            time.sleep(0.05)
            order.append(f"{name} out")

    threads = [threading.Thread(target=work, args=(str(place),)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [line.split()[1] for line in order] == ["in", "out"] * 4
    assert not (tmp_path / "lease").exists()


def test_a_dead_lease_is_taken_over_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lease").write_text(dead_owner())
    monkeypatch.setattr("zoo.hub.lease.STALE_SECONDS", 1e9)
    with Lease(tmp_path / "lease") as lease:
        assert lease.held()


def test_a_silent_lease_is_taken_over_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.lease.STALE_SECONDS", 0.3)
    (tmp_path / "lease").write_text("0123456789ab-7-7-00000000")
    with Lease(tmp_path / "lease"):
        assert os.path.exists(tmp_path / "lease")
