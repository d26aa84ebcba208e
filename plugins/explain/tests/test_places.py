"""Boxes of a detector, masks of a segmenter, and where autoencoders fail."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from zoo_explain.images.drawing import side_by_side

import zoo


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return images with one bright square each, with its mask, and its box as YOLO has it."""
    random = np.random.default_rng(0)
    for kind in ("masks", "boxes"):
        for split, count in (("train", 12), ("test", 4)):
            for place in range(count):
                pixels = random.integers(0, 60, (48, 48, 3), dtype=np.uint8)
                top, left = random.integers(4, 28, 2)
                pixels[top : top + 16, left : left + 16] += 150
                folder = tmp_path / kind / split
                (folder / "images").mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / "images" / f"{place}.png")
                beside = folder / ("masks" if kind == "masks" else "labels")
                beside.mkdir(exist_ok=True)
                if kind == "masks":
                    mask = np.zeros((48, 48), np.uint8)
                    mask[top : top + 16, left : left + 16] = 1
                    Image.fromarray(mask).save(beside / f"{place}.png")
                else:
                    line = f"0 {(left + 8) / 48} {(top + 8) / 48} {16 / 48} {16 / 48}\n"
                    (beside / f"{place}.txt").write_text(line)
        names = tmp_path / kind / "classes.txt"
        names.write_text("ground\nsquare\n" if kind == "masks" else "square\n")
    return tmp_path


def finetuned(data: Path, task: str, epochs: int) -> Any:
    torch.manual_seed(0)
    model = zoo.create("resnet20", depth=1, widths=[8, 16, 32])
    zoo.save(model, data / "w", inputs=zoo.Preprocessing(image_size=(48, 48), channels=3))
    kind = "boxes" if task == "object-detection" else "masks"
    settings = {"epochs": epochs, "batch_size": 4, "learning_rate": 5e-3}
    return zoo.finetune(data / "w", task=task, data=str(data / kind), out=data / "run", settings=settings).weights


def inside(values: np.ndarray, picture: Path) -> bool:
    """Tell whether there is more of a map in the square than beside it."""
    with Image.open(picture) as image:
        square = np.asarray(image).min(2) > 120
    return bool(values[square].mean() > values[~square].mean())


def test_a_mask_is_explained_by_its_class(data: Path) -> None:
    model: Any = zoo.load(finetuned(data, "image-segmentation", 6))
    pictures = sorted((data / "masks" / "test" / "images").iterdir())
    found = model.explain(pictures, method="layercam", target="square")
    assert [result["map"].shape for result in found] == [(48, 48)] * 4
    assert all(inside(result["map"], path) for result, path in zip(found, pictures, strict=True))
    assert model.explain(pictures[0], method="integrated_gradients")[0]["target"] == "ground"
    with pytest.raises(zoo.UsageError, match="no class 'circle'; choose one of ground, square"):
        model.explain(pictures, target="circle")


def test_a_box_is_explained_by_number_and_by_class(data: Path) -> None:
    model: Any = zoo.load(finetuned(data, "object-detection", 1))
    with torch.no_grad():
        model.class_output.bias.fill_(0.5)  # a detector that finds something everywhere
    pictures = sorted((data / "boxes" / "test" / "images").iterdir())
    boxes = model.predict(pictures[0])[0]["boxes"]
    for number in (1, len(boxes)):
        (found,) = model.explain(pictures[0], method="layercam", target=str(number))
        box = boxes[number - 1]
        assert found["target"] == f"square at {', '.join(f'{side:.0f}' for side in box['box'])}"
        assert found["box"] == tuple(box["box"])
        assert found["score"] == box["score"] and found["map"].shape == (48, 48) and found["map"].max() > 0
    assert model.explain(pictures[0])[0]["target"] == model.explain(pictures[0], target="square")[0]["target"]
    with pytest.raises(zoo.UsageError, match="no box 999; an image has"):
        model.explain(pictures[0], target="999")
    with torch.no_grad():
        model.class_output.bias.fill_(-9)
    with pytest.raises(zoo.DataError, match="nothing is found in an image, so there is no box to explain"):
        model.explain(pictures[0])


def test_the_box_is_drawn() -> None:
    result = {"target": "a cat at 10, 20, 60, 70", "score": 0.5, "map": np.zeros((100, 100), np.float32)}
    plain = np.asarray(side_by_side(Image.new("RGB", (100, 100)), {"layercam": result}))
    boxed = np.asarray(side_by_side(Image.new("RGB", (100, 100)), {"layercam": {**result, "box": (10, 20, 60, 70)}}))
    changed = (plain != boxed).any(2)[60:360]  # below the titles, of an image that is drawn three times as large
    assert plain.shape == boxed.shape and set(np.flatnonzero(changed.any(1))) == set(range(60, 211))
    assert changed[100].sum() == 2 * 2 * 4 and not changed[64:206, 12 + 34 : 12 + 176].any()


def test_an_autoencoder_shows_where_it_fails(tmp_path: Path) -> None:
    model = zoo.create("conv_autoencoder", image_size=32, channels=3)
    zoo.save(model, tmp_path / "w", inputs=zoo.Preprocessing(image_size=(32, 32), channels=3))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 50, 3), dtype=np.uint8))
    explain: Any = zoo.load(tmp_path / "w").explain
    assert explain.fitting() == ["reconstruction_error", "patch_components"]
    (found,) = explain(picture)
    assert found["map"].shape == (20, 50) and (found["map"] >= 0).all() and 0 < found["score"] < 1
