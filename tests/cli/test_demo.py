"""`zoo demo`."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.lettering import READABLE, written
from zoo.cli import demo


def test_a_folder_of_something_else_is_left_alone(tiny: None, says: Any, tmp_path: Any) -> None:
    said = says("demo", "--out", "weights", code=2)
    assert said == "zoo: weights exists and is not an earlier demo; choose another --out\n"
    assert (tmp_path / "weights" / "config.json").is_file()


def test_the_whole_way_ends_with_one_picture_and_what_to_type_next(
    says: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "autoencoder")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "ARGUMENTS", {"widths": [2, 4, 4]})
    monkeypatch.setattr(demo, "PRETRAINING", {"steps": 2, "batch_size": 16})
    monkeypatch.setattr(demo, "FINETUNING", {"steps": 1, "batch_size": 16})
    with written() as texts:
        printed = says("demo", "--seeds", "2", "--labels", "20").splitlines()
    assert sum(line.startswith("  seed ") for line in printed) == 2 * len(demo.METHODS)
    table = next(place for place, line in enumerate(printed) if line.startswith("NETWORK"))
    assert printed[table].split("  ")[0] == "NETWORK" and printed[table].endswith("SEEDS 0 TO 1")
    assert [line.split("  ")[0] for line in printed[table + 1 : table + 4]] == list(demo.METHODS.values())
    assert printed[-4:] == ["What to type next", *(f"  {line}" for line in demo.next_commands(Path("demo")))]
    assert {"image", "output", "test accuracy, %"} < texts.keys() and min(texts.values()) >= READABLE
    with Image.open("demo/demo.png") as picture:
        assert picture.width > 1000
    embed, compare, _ = (line.split()[1:] for line in demo.next_commands(Path("demo")))
    assert "accuracy" in says(*compare)
    assert says(*embed)


def test_a_gain_is_the_mean_of_what_each_seed_gains() -> None:
    scores = {"scratch": [60.0, 70.0, 65.0], "full": [66.0, 75.0, 72.0]}
    assert demo._gain(scores, "full") == "+6.0 ± 1.0" and demo._gain(scores, "scratch") == ""
