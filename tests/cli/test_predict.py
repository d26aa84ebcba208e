"""`zoo predict`."""

import json
import re
from typing import Any

import pytest
from PIL import Image


@pytest.fixture
def picture(tiny: None) -> str:
    Image.new("L", (8, 8), 200).save("a.png")
    return "a.png"


def test_a_table(picture: str, says: Any) -> None:
    head, line = says("predict", "weights", picture).splitlines()
    assert head == "IMAGE  LABEL  SCORE  NEXT"
    assert re.fullmatch(r"a\.png  dog    0\.\d{3}  cat 0\.\d{3}", line)


def test_json(picture: str, says: Any) -> None:
    (found,) = json.loads(says("predict", "weights", picture, "--json"))
    assert (found["image"], [item["label"] for item in found["predictions"]]) == ("a.png", ["dog", "cat"])


def test_what_reads_no_pictures_of_a_folder(tiny: None, says: Any, tmp_path: Any) -> None:
    (tmp_path / "empty").mkdir()
    said = says("predict", "weights", "empty", code=9)
    assert said == "zoo: no images in empty; give files, or a folder of images\n"
