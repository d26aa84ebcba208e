"""`zoo predict`."""

import json
import re
from typing import Any

import pytest
from PIL import Image

from zoo.cli import run


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


def test_133_one_bad_file_among_many(picture: str, says: Any, capsys: Any, tmp_path: Any) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "acd":
        Image.new("L", (8, 8), 200).save(folder / f"{name}.png")
    (folder / "b.png").write_bytes(b"no picture")
    (folder / "e.png").write_bytes((folder / "a.png").read_bytes()[:40])
    assert run(["predict", "weights", str(folder), "--out", "drawn"]) == 9
    printed, said = capsys.readouterr()
    assert [line.split()[0].rpartition("/")[2] for line in printed.splitlines()[1:4]] == ["a.png", "c.png", "d.png"]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "c.png", "d.png"]
    assert [line.split(": ")[1] for line in said.splitlines()[:2]] == ["left out", "left out"]
    assert "zoo: 2 of 5 images were left out, first: " in said and "b.png" in said and "e.png" in said
    assert run(["predict", "weights", str(folder), "--json"]) == 9
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_133_one_bad_file_alone(picture: str, says: Any, tmp_path: Any) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert "b.png" in says("predict", "weights", "b.png", code=9)
    assert "left out, first" not in says("predict", "weights", "b.png", code=9)


def test_133_a_batch_of_bad_files(picture: str, says: Any, capsys: Any, tmp_path: Any) -> None:
    bad = []
    for place in range(64):
        (tmp_path / f"{place}.png").write_bytes(b"no picture")
        bad.append(f"{place}.png")
    assert run(["predict", "weights", *bad, "a.png"]) == 9
    printed, said = capsys.readouterr()
    assert printed.splitlines()[1].startswith("a.png  dog")
    assert "64 of 65 images were left out" in said
