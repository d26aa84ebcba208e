"""`zoo demo`."""

from typing import Any


def test_a_folder_of_something_else_is_left_alone(tiny: None, says: Any, tmp_path: Any) -> None:
    said = says("demo", "--out", "weights", code=2)
    assert said == "zoo: weights exists and is not an earlier demo; choose another --out\n"
    assert (tmp_path / "weights" / "config.json").is_file()
