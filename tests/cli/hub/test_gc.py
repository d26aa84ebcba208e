"""`zoo hub gc`."""

from typing import Any


def test_nothing_to_remove(pushed: str, says: Any) -> None:
    assert says("hub", "gc", "hub") == "removed 0 blobs (0 B), 0 folders, 0 uploads, 0 files that nothing named\n"
