"""`zoo hub stats`."""

import re
from typing import Any


def test_what_a_hub_holds(pushed: str, says: Any) -> None:
    said = re.sub(r"(?<=database )[\d.]+ \wB|^[\d.]+ \wB(?= free)", "SIZE", says("hub", "stats", "hub"), flags=re.M)
    assert said.splitlines() == [
        "1 model · 2 commits · 1 user · 1 download",
        "7 blobs, 4.3 kB · database SIZE",
        "SIZE free on the disk",
        "",
        "REPO            BLOBS  SIZE",
        "models/me/tiny  7      4.3 kB",
    ]
