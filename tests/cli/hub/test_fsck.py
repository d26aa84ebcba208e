"""`zoo hub fsck`."""

from pathlib import Path
from typing import Any


def test_all_is_well(pushed: str, says: Any) -> None:
    assert says("hub", "fsck", "hub").splitlines() == ["7 blobs (4.3 kB) and 2 commits checked", "all is well"]


def test_no_hub(tiny: None, says: Any) -> None:
    said = says("hub", "fsck", "weights", code=3)
    assert said == "zoo: no Hub in the folder weights; give the folder that `zoo hub serve` was given\n"
    assert not Path("weights/store.db").exists()
