"""`zoo hub backup`."""

from typing import Any


def test_new_blobs_alone_are_copied(pushed: str, says: Any) -> None:
    assert says("hub", "backup", "hub", "copy") == "copied 7 new blobs (4.3 kB) to copy\n"
    assert says("hub", "backup", "hub", "copy") == "copied 0 new blobs (0 B) to copy\n"
    assert says("pull", "hf://me/tiny", "--hub", "copy").startswith("me/tiny at COMMIT, 7 files verified")
