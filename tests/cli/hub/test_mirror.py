"""`zoo hub mirror`."""

from typing import Any


def test_what_is_there_is_not_copied_again(pushed: str, says: Any) -> None:
    last = "1 repo is the same on both"
    assert says("hub", "mirror", "hub", "other").splitlines() == [
        "model me/tiny: 0 tags, 7 files changed, 4.3 kB",
        last,
    ]
    assert says("hub", "mirror", "hub", "other").splitlines() == ["model me/tiny: 0 tags, all there", last]
