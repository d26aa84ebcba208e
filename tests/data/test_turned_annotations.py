"""Boxes and masks fit their pictures, whichever way the EXIF of these turns them, and whatever they were drawn on."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from zoo.data.boxes.open import open_boxes
from zoo.data.images.dataset import ImageDataset, ImageSplit
from zoo.data.masks.folder import open_mask_folder

_HEIGHT, _WIDTH = 20, 30
_LEFT, _TOP, _RIGHT, _BOTTOM = 3, 2, 12, 6
_TURNS = range(1, 9)


def _stored() -> np.ndarray:
    """Return a picture with one bright rectangle, which no turn maps onto itself."""
    pixels = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
    pixels[_TOP:_BOTTOM, _LEFT:_RIGHT] = 255
    return pixels


def _save(path: Path, turn: int) -> tuple[int, int]:
    """Write the picture as stored, before noise of its own; return the width and height that it is seen in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = turn
    noise = np.random.default_rng(sum(path.name.encode())).integers(0, 120, _stored().shape, np.uint8)
    Image.fromarray(np.maximum(_stored(), noise)).save(path, exif=exif)
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).size


def _bright(image: np.ndarray) -> list[int]:
    """Return left, top, right, bottom of what is bright in (channels, rows, columns)."""
    rows, columns = np.flatnonzero(image[0].max(1) > 127), np.flatnonzero(image[0].max(0) > 127)
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def _seen_box(path: Path) -> list[int]:
    with Image.open(path) as opened:
        return _bright(np.asarray(ImageOps.exif_transpose(opened)).transpose(2, 0, 1))


def _coco(folder: Path, turn: int, *, as_seen: bool, sized: bool = True) -> Path:
    entries = []
    for place, name in enumerate(("a.png", "b.png")):
        width, height = _save(folder / "images" / name, turn)
        if not as_seen:
            width, height = _WIDTH, _HEIGHT
        size = {"width": width, "height": height} if sized else {}
        entries.append({"id": place, "file_name": name, **size})
    left, top, right, bottom = _seen_box(folder / "images" / "a.png") if as_seen else (_LEFT, _TOP, _RIGHT, _BOTTOM)
    sides = [int(left), int(top), int(right - left), int(bottom - top)]
    content = {
        "images": entries,
        "annotations": [{"image_id": place, "category_id": 1, "bbox": sides} for place in (0, 1)],
        "categories": [{"id": 1, "name": "lamp"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def _check_boxes(dataset: ImageDataset) -> None:
    for split in dataset.splits.values():
        assert split.boxes is not None
        assert split.boxes[0, 0, :4].tolist() == _bright(np.asarray(split.images[np.arange(1)][0]))


@pytest.mark.parametrize("turn", _TURNS)
def test_129_boxes_drawn_on_the_picture_as_it_is_seen(turn: int, tmp_path: Path) -> None:
    dataset = open_boxes(_coco(tmp_path / "coco", turn, as_seen=True))
    assert dataset.image_size == ((_WIDTH, _HEIGHT) if turn > 4 else (_HEIGHT, _WIDTH))
    _check_boxes(dataset)


@pytest.mark.parametrize("turn", [1, 5, 6, 7, 8])
def test_129_boxes_drawn_on_the_picture_as_it_is_stored(
    turn: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _check_boxes(open_boxes(_coco(tmp_path / "coco", turn, as_seen=False)))
    assert not caplog.records


@pytest.mark.parametrize(("turn", "sized"), [(2, True), (3, True), (4, True), (6, False), (8, False)])
def test_129_a_line_says_what_was_assumed_of_boxes(
    turn: int, sized: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "zoo"):
        _check_boxes(open_boxes(_coco(tmp_path / "coco", turn, as_seen=True, sized=sized)))
    (line,) = [record.getMessage() for record in caplog.records]
    assert "2 pictures are turned by their EXIF" in line and "assumed after, as viewers show them" in line


@pytest.mark.parametrize("turn", _TURNS)
def test_129_shares_are_of_the_picture_as_it_is_seen(turn: int, tmp_path: Path) -> None:
    folder = tmp_path / "yolo"
    for name in ("a", "b"):
        width, height = _save(folder / "images" / f"{name}.png", turn)
        left, top, right, bottom = _seen_box(folder / "images" / f"{name}.png")
        shares = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        (folder / "labels").mkdir(exist_ok=True)
        (folder / "labels" / f"{name}.txt").write_text(f"0 {' '.join(map(str, shares))}\n")
    for split in open_boxes(folder).splits.values():
        assert split.boxes is not None
        assert np.allclose(split.boxes[0, 0, :4], _bright(np.asarray(split.images[np.arange(1)][0])), atol=1e-4)


def _masked(folder: Path, turn: int, make: Callable[[Image.Image], Image.Image], *, own: int = 1) -> Path:
    for name in ("a", "b"):
        _save(folder / "images" / f"{name}.png", turn)
        (folder / "masks").mkdir(exist_ok=True)
        exif = Image.Exif()
        exif[0x0112] = own
        make(Image.fromarray(_stored()[..., 0] // 255)).save(folder / "masks" / f"{name}.png", exif=exif)
    return folder


def _turned(turn: int) -> Callable[[Image.Image], Image.Image]:
    def make(mask: Image.Image) -> Image.Image:
        mask.getexif()[0x0112] = turn
        return ImageOps.exif_transpose(mask)

    return make


def _check_masks(dataset: ImageDataset) -> None:
    for split in dataset.splits.values():
        assert _mask_of(split) == _bright(np.asarray(split.images[np.arange(1)][0]))


def _mask_of(split: ImageSplit) -> list[int]:
    assert split.masks is not None
    return _bright(np.asarray(split.masks[0])[None] * 255)


@pytest.mark.parametrize("turn", _TURNS)
def test_129_masks_painted_on_the_picture_as_it_is_seen(turn: int, tmp_path: Path) -> None:
    _check_masks(open_mask_folder(_masked(tmp_path / "street", turn, _turned(turn))))


@pytest.mark.parametrize("turn", [1, 5, 6, 7, 8])
def test_129_masks_painted_on_the_picture_as_it_is_stored(
    turn: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _check_masks(open_mask_folder(_masked(tmp_path / "street", turn, lambda mask: mask)))
    assert not caplog.records


@pytest.mark.parametrize("turn", _TURNS)
def test_129_masks_that_are_turned_by_their_own_exif(
    turn: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _check_masks(open_mask_folder(_masked(tmp_path / "street", turn, lambda mask: mask, own=turn)))
    assert not caplog.records


@pytest.mark.parametrize("turn", [2, 3, 4])
def test_129_a_line_says_what_was_assumed_of_masks_each_time(
    turn: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = _masked(tmp_path / "street", turn, _turned(turn))
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "zoo"):
            _check_masks(open_mask_folder(folder))
        (line,) = [record.getMessage() for record in caplog.records]
        assert "2 pictures are turned by their EXIF" in line and "assumed after" in line
