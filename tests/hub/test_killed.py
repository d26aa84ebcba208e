"""Pulls that are killed, and pulls at once, fetch little twice."""

import hashlib
import os
from pathlib import Path
from typing import Any

from tests.faults.kills import at_once, kill_and_finish
from zoo.hub.push import push_folder


def test_killed_pulls_and_pulls_at_once_fetch_little_twice(tmp_path: Path, served_hub: Any) -> None:
    """A sample of tests/faults/kills.py, which `make test-pull-kills` kills a hundred times."""
    (tmp_path / "source").mkdir()
    content = os.urandom(24_000_000)
    (tmp_path / "source" / "model.safetensors").write_bytes(content)
    push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first", private=False)
    sha256 = hashlib.sha256(content).hexdigest()
    sent, _ = kill_and_finish(served_hub.url, 0, tmp_path / "killed", sha256, usual=2.0)
    assert sent <= 2 * len(content)
    assert at_once(served_hub.url, 3, tmp_path / "together", sha256, "no-op flock") <= 2 * len(content)
