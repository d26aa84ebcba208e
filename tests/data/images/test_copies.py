"""Copies of one picture stay on one side of a split, and are counted where somebody else has split them."""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from zoo.data.boxes.open import open_boxes
from zoo.data.hashes import common_hashes
from zoo.data.images.copies import copies_among
from zoo.data.images.image_folder import open_image_folder
from zoo.data.masks.folder import open_mask_folder

Groups = list[set[str]]


def photograph(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Return something that looks like nothing else: blurred noise in color."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def write(path: Path, picture: Image.Image, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)
    return path


def groups_of(paths: list[Path]) -> Groups:
    """Return the names of those that belong together, two or more."""
    found = copies_among(paths, common_hashes(paths))
    by_group: dict[int, set[str]] = {}
    for path, group in zip(paths, [] if found is None else found.tolist(), strict=found is not None):
        by_group.setdefault(group, set()).add("/".join(path.parts[-2:]))
    return [names for names in by_group.values() if len(names) > 1]


@pytest.mark.parametrize(
    ("names", "together"),
    [
        (["a_jpg.rf.0123456789abcdef", "a_jpg.rf.fedcba9876543210", "b_jpg.rf.00112233445566aa"], 2),
        (["a.rf.0123456789abcdef", "a"], 2),
        (["a_png.rf.JJVzKr0z1dz9pyFP6lPL", "a_png.rf.aXk29bQmT7ffLs81Dkwe"], 2),
        (["a_aug1_aug2", "a_aug"], 2),
        (["a" + "__aug" * 45 + "x"], 0),
        (["a", "a_aug1", "a-aug-2", "a_augmented_3", "b_aug1"], 4),
        (["a", "a (1)", "a(2)", "a - Copy", "a_copy2"], 5),
        (["cat (1)", "cat (2)", "cat (3)"], 0),
        (["august", "8_august", "laugh2", "day-1", "day-2", "img_001", "img_002"], 0),
    ],
)
def test_names_that_tools_give_tell_what_was_made_of_one(tmp_path: Path, names: list[str], together: int) -> None:
    paths = [write(tmp_path / f"{name}.png", photograph(place)) for place, name in enumerate(names)]
    assert [len(found) for found in groups_of(paths)] == ([together] if together else [])


def test_equal_names_in_folders_of_other_classes_are_others_and_in_other_splits_are_not(tmp_path: Path) -> None:
    names = ["train/cat/1_aug1", "test/cat/1_aug2", "train/dog/1_aug1", "train/cat/2", "test/cat/2"]
    paths = [write(tmp_path / f"{name}.png", photograph(place)) for place, name in enumerate(names)]
    assert groups_of(paths) == [{"cat/1_aug1.png", "cat/1_aug2.png"}]


def test_pictures_that_look_alike_are_copies_whatever_was_done_to_them(tmp_path: Path) -> None:
    source = photograph(0, (240, 180))
    noise = np.random.default_rng(1).normal(0, 8, (180, 240, 3))
    made = {
        "source.png": source,
        "jpeg.jpg": source,
        "small.png": source.resize((60, 45)),
        "square.png": source.resize((64, 64)),
        "brighter.png": ImageEnhance.Brightness(source).enhance(1.15),
        "duller.png": ImageEnhance.Contrast(source).enhance(0.8),
        "noisy.png": Image.fromarray((np.asarray(source) + noise).clip(0, 255).astype(np.uint8)),
        "grey.png": source.convert("L"),
    }
    paths = [
        write(tmp_path / name, picture, **({"quality": 60} if "jpg" in name else {})) for name, picture in made.items()
    ]
    paths += [write(tmp_path / f"{place}.png", photograph(place)) for place in range(1, 60)]
    (found,) = groups_of(paths)
    assert {name.rpartition("/")[2] for name in found} == set(made)


def test_plain_pictures_are_like_none_but_to_the_byte(tmp_path: Path) -> None:
    shades = [write(tmp_path / f"{shade}.png", Image.new("L", (20, 20), shade)) for shade in (10, 20, 30)]
    assert groups_of(shades) == []
    again = write(tmp_path / "again.png", Image.new("L", (20, 20), 20))
    assert [{name.rpartition("/")[2] for name in found} for found in groups_of([*shades, again])] == [
        {"20.png", "again.png"}
    ]


def test_what_a_camera_sees_that_stands_still_is_no_copy(tmp_path: Path) -> None:
    scene = photograph(0)
    paths = []
    for place in range(30):
        picture = scene.copy()
        picture.putpixel((place, 5), (255, 0, 0))
        paths.append(write(tmp_path / f"{place}.png", picture))
    assert groups_of(paths) == []


def test_thumbnails_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write(tmp_path / f"{place}.png", photograph(place)) for place in range(3)]
    decoded: list[Path] = []
    module = "zoo.data.images.copies"
    real = __import__(module, fromlist=["_thumbnail"])._thumbnail
    monkeypatch.setattr(f"{module}._thumbnail", lambda path: (decoded.append(path), real(path))[1])
    for _ in range(2):
        copies_among(paths, common_hashes(paths))
    assert sorted(decoded) == paths


def test_splits_of_our_own_part_no_copies_and_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for place in range(10):
            for copy in range(3):
                seed = 100 * (name == "dog") + 10 * place + copy
                write(tmp_path / name / f"{place}_jpg.rf.{copy:016x}.png", photograph(seed))
    first, again = open_image_folder(tmp_path), open_image_folder(tmp_path)
    assert first.fingerprint == again.fingerprint
    groups = {name: set(split.groups.tolist()) for name, split in first.splits.items()}
    assert not groups["train"] & groups["test"] and len(first.splits["test"]) == 12
    assert np.bincount(first.splits["test"].labels).tolist() == [6, 6]
    held = first.hold_out(0.25, 0)
    kept = {name: set(split.groups.tolist()) for name, split in held.splits.items()}
    assert not kept["train"] & kept["validation"] and len(held.splits["validation"]) == 12
    assert np.bincount(held.splits["validation"].labels).tolist() == [6, 6]
    assert held.fingerprint != first.fingerprint


Make = Callable[[Path, dict[str, list[tuple[str, Image.Image]]]], None]


def _folder(path: Path, splits: dict[str, list[tuple[str, Image.Image]]]) -> None:
    for split, pictures in splits.items():
        for place, (name, picture) in enumerate(pictures):
            write(path / split / "ab"[place % 2] / f"{name}.png", picture)


def _boxes(path: Path, splits: dict[str, list[tuple[str, Image.Image]]]) -> None:
    for split, pictures in splits.items():
        for name, picture in pictures:
            write(path / split / "images" / f"{name}.png", picture)
            label = path / split / "labels" / f"{name}.txt"
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text("0 .5 .5 .5 .5\n")


def _masks(path: Path, splits: dict[str, list[tuple[str, Image.Image]]]) -> None:
    for split, pictures in splits.items():
        for name, picture in pictures:
            write(path / split / "images" / f"{name}.png", picture)
            mask = np.arange(64 * 48, dtype=np.uint8).reshape(48, 64) % 2
            write(path / split / "masks" / f"{name}.png", Image.fromarray(mask))


@pytest.mark.parametrize(
    ("make", "opened"), [(_folder, open_image_folder), (_boxes, open_boxes), (_masks, open_mask_folder)]
)
def test_a_line_counts_copies_that_a_given_split_parts(
    make: Make, opened: Callable[[Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    photograph(1).save(buffer, "JPEG", quality=50)
    train = [
        ("a_jpg.rf.0123456789abcdef", photograph(0)),
        ("seen", photograph(1)),
        ("c", photograph(2)),
        ("d", photograph(3)),
    ]
    test = [
        ("a_jpg.rf.00112233445566aa", photograph(4)),
        ("again", Image.open(buffer)),
        ("e", photograph(5)),
        ("f", photograph(6)),
    ]
    make(tmp_path / "data", {"train": train, "test": test})
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "zoo"):
            opened(tmp_path / "data")
        (line,) = [record.getMessage() for record in caplog.records]
        assert line.startswith("2 of 4 test samples of ") and "first a_jpg.rf.00112233445566aa.png and" in line


def test_boxes_that_nobody_split_are_split_by_their_rarest_class(tmp_path: Path) -> None:
    for place in range(40):
        write(tmp_path / "images" / f"{place}.png", photograph(place))
        label = tmp_path / "labels" / f"{place}.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 .5 .5 .5 .5\n" + ("1 .5 .5 .2 .2\n" if place % 4 == 0 else ""))
    test = open_boxes(tmp_path).splits["test"].boxes
    assert test is not None
    assert len(test) == 8 and (test[..., 4] == 1).any(1).sum() == 2, "a fifth of the ten with the rare class"
