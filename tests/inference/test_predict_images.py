"""What weights say of pictures, in code and at the shell: read as they were trained, named as they were labelled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from tests.tiny import install, make_weights
from zoo.cli import run
from zoo.errors import UsageError


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Path:
    install(site)
    inputs = zoo.Preprocessing(image_size=(8, 8), channels=1, mean=(0.4,), std=(0.2,), crop=0.8)
    make_weights(tmp_path / "weights", inputs=inputs)
    return tmp_path / "weights"


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for place in range(5):
        Image.fromarray(random.integers(0, 256, (30 + place, 40, 3), np.uint8)).save(folder / f"{place}.png")
    return sorted(folder.iterdir())


def test_each_picture_gets_its_labels_whatever_the_batches(weights: Path, photos: list[Path]) -> None:
    model = zoo.load(weights)
    together = model.predict(photos)
    alone = [model.predict(str(photo))[0] for photo in photos]
    opened = model.predict([Image.open(photo) for photo in photos], batch_size=2)
    for results in (alone, opened):
        for mine, theirs in zip(together, results, strict=True):
            assert [item["label"] for item in mine["predictions"]] == [item["label"] for item in theirs["predictions"]]
            assert mine["predictions"][0]["score"] == pytest.approx(theirs["predictions"][0]["score"], abs=1e-6)
    assert sorted(item["label"] for item in together[0]["predictions"]) == ["cat", "dog"]


def test_pictures_are_read_as_the_weights_took_them(weights: Path, photos: list[Path]) -> None:
    model = zoo.load(weights)
    with Image.open(photos[0]) as picture:  # 40 x 30 covers 10 x 10 as 13 x 10, of which the middle is 8 x 8
        scaled = picture.convert("L").resize((13, 10), Image.Resampling.BILINEAR).crop((2, 1, 10, 9))
    pixels = (torch.from_numpy(np.array(scaled))[None, None].float() / 255 - 0.4) / 0.2
    with torch.no_grad():
        expected = model(pixels).softmax(1).max()
    assert model.predict(photos[0])[0]["predictions"][0]["score"] == pytest.approx(float(expected), abs=1e-6)


def test_nothing_of_no_pictures(weights: Path) -> None:
    assert zoo.load(weights).predict([]) == []


def test_the_training_mode_stays_as_it_was(weights: Path, photos: list[Path]) -> None:
    model = zoo.load(weights).train()
    model.predict(photos[:1])
    assert model.training


def test_a_table_json_and_drawn_pictures_at_the_shell(
    weights: Path, photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "drawn"
    assert run(["predict", str(weights), str(photos[0].parent), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["IMAGE", "LABEL", "SCORE", "NEXT"]
    assert sorted(path.name for path in out.iterdir()) == [f"{place}.png" for place in range(5)]
    with Image.open(out / "0.png") as drawn:
        assert drawn.width >= 40 and drawn.height > 30
    assert run(["predict", str(weights), str(photos[0]), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["image"] == str(photos[0]) and found["predictions"][0]["label"] in ("cat", "dog")


def test_pictures_of_one_name_are_all_drawn(weights: Path, photos: list[Path], tmp_path: Path) -> None:
    again = tmp_path / "again" / "0.png"
    again.parent.mkdir()
    again.write_bytes(photos[0].read_bytes())
    assert run(["predict", str(weights), str(photos[0]), str(again), "--out", str(tmp_path / "drawn")]) == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["0-0.png", "0-1.png"]


def test_091_a_broken_picture_is_named_and_the_others_are_printed(
    weights: Path, photos: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    photos[1].write_bytes(b"")
    assert run(["predict", str(weights), *map(str, photos)]) == 9
    printed = capsys.readouterr()
    assert f"zoo: 1 of {len(photos)} images were left out, first: {photos[1]}" in printed.err
    assert len(printed.out.splitlines()) == len(photos) and str(photos[1]) not in printed.out


def test_a_folder_without_pictures(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["predict", str(weights), str(tmp_path / "empty")]) == 9
    assert "no images in" in capsys.readouterr().err


def test_weights_without_labels_say_what_to_do(site: Any, tmp_path: Path, photos: list[Path]) -> None:
    install(site)
    make_weights(tmp_path / "unlabelled", labels=())
    with pytest.raises(UsageError, match="finetune it for a task first"):
        zoo.load(tmp_path / "unlabelled").predict(photos)
