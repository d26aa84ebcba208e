"""Pictures of a run."""

from pathlib import Path

import pytest
import torch
from PIL import Image, ImageColor

from tests.lettering import READABLE, written
from zoo.engine.figures import colours
from zoo.engine.pictures import (
    bar_chart,
    compare_curves,
    confusion_matrix,
    feature_map,
    image_animation,
    image_grid,
    labelled_grid,
)


def rows(value: float) -> list[torch.Tensor]:
    return [torch.full((3, 1, 8, 8), value), torch.full((2, 1, 8, 8), value)]


def test_a_grid_is_as_wide_as_its_shortest_row(tmp_path: Path) -> None:
    with Image.open(image_grid(rows(1.0), tmp_path / "grid.png")) as picture:
        assert picture.size == (2 * (64 + 2) + 2, 2 * (64 + 2) + 2)


@pytest.mark.parametrize("captions", [(), ("step 1", "step 2", "step 3")])
def test_an_animation_shows_grids_one_after_the_other(tmp_path: Path, captions: tuple[str, ...]) -> None:
    values = (0.0, 0.5, 1.0)
    path = image_animation([rows(value) for value in values], tmp_path / "film.png", captions=captions, seconds=0.25)
    assert path.read_bytes().startswith(b"\x89PNG")
    with Image.open(path) as film:
        assert film.n_frames == 3
        for place, value in enumerate(values):
            film.seek(place)
            assert film.convert("L").getpixel((film.width - 10, 10)) == round(255 * value)
            assert film.info["duration"] == (1000 if place == 2 else 250)


def test_losses_of_players_are_drawn_one_by_one(tmp_path: Path) -> None:
    lines = [
        {"event": "train", "step": step, "loss": 1.0, "loss/generator": 0.5 * step, "loss/discriminator": 0.5}
        for step in (1, 2)
    ]
    with written() as texts:
        compare_curves({"": lines}, tmp_path / "curves.png")
    assert {"generator", "discriminator"} < texts.keys()
    with written() as texts:
        compare_curves({"": [{"event": "train", "step": 1, "loss": 1.0}]}, tmp_path / "curves.png")
    assert not {"generator", "discriminator"} & texts.keys()


def test_a_loss_of_one_step_is_seen(tmp_path: Path) -> None:
    path = compare_curves({"": [{"event": "train", "step": 1, "loss": 1.0}]}, tmp_path / "curves.png")
    with Image.open(path) as picture:
        shades = {shade for _, shade in picture.convert("RGB").getcolors(1 << 20) or ()}
    assert ImageColor.getrgb(colours(1)[0]) in shades


def test_steps_are_whole_numbers(tmp_path: Path) -> None:
    lines = [{"event": "train", "step": step, "loss": 7.0 + step} for step in (1, 2)]
    with written() as texts:
        compare_curves({"": lines}, tmp_path / "curves.png")
    assert not {"1.2", "1.4", "1.25", "1.50"} & texts.keys()


@pytest.mark.parametrize("name", ["costs $5 or $6", "$\\frac{", "a\x1b[2J\nb\x07", "dog\u202e"])
def test_117_a_class_may_be_called_what_it_likes(tmp_path: Path, name: str) -> None:
    """What is no formula is read as none, and what cannot be drawn is an escape: warnings are errors here."""
    names = (name, "other")
    confusion_matrix(torch.eye(2), names, tmp_path / "confusion.png")
    labelled_grid(torch.rand(2, 1, 8, 8), names, [True, False], tmp_path / "examples.png")
    bar_chart({name: 0.5}, tmp_path / "bars.png", title=name)
    feature_map(torch.rand(8, 3), tmp_path / "map.png", labels=torch.arange(8) % 2, class_names=names)
    lines = [{"event": "train", "step": 1, "loss": 1.0, f"loss/{name}": 1.0}, {"event": "test", "step": 1, name: 1.0}]
    compare_curves({"": lines}, tmp_path / "curves.png")
    compare_curves({name: lines, "other": lines}, tmp_path / "several.png")
    assert len(list(tmp_path.glob("*.png"))) == 6


def test_all_text_can_be_read(tmp_path: Path) -> None:
    classes = [f"class {place}" for place in range(25)]
    lines = [
        {"event": event, "step": step, "loss": 1.0, "accuracy": 50.0} for event in ("train", "test") for step in (1, 20)
    ]
    with written() as texts:
        confusion_matrix(torch.eye(25), classes, tmp_path / "confusion.png")
        labelled_grid(torch.rand(10, 1, 8, 8), classes[:10], [False] * 10, tmp_path / "examples.png")
        bar_chart(dict.fromkeys(classes, 0.5), tmp_path / "bars.png", title="average precision")
        feature_map(torch.rand(50, 3), tmp_path / "map.png", labels=torch.arange(50) % 25, class_names=classes)
        compare_curves({"one": lines, "two": lines}, tmp_path / "curves.png")
        image_grid(rows(0.5), tmp_path / "grid.png", captions=("input", "output"))
        image_animation([rows(0.5)] * 2, tmp_path / "film.png", captions=("step 1", "step 2"))
    assert {*classes, "average precision", "one", "input", "step 2", "0.50", "100", "step", "predicted"} <= texts.keys()
    assert min(texts.values()) >= READABLE


def test_captions_get_the_room_they_take(tmp_path: Path) -> None:
    """A picture of a film has the size of every other one, however long its caption is."""
    widths = []
    for caption in ("", "in", "as a network gives it back"):
        captions = (caption, "") if caption else ()
        with Image.open(image_grid(rows(0.5), tmp_path / "grid.png", captions=captions)) as picture:
            widths.append(picture.width)
    bare, short, long = widths
    assert bare < short < long
    image_animation([rows(0.5)] * 2, tmp_path / "film.png", captions=("in", "as a network gives it back"))
    with Image.open(tmp_path / "film.png") as film:
        assert film.width == long and film.n_frames == 2


def test_a_matrix_of_a_thousand_classes_stays_small(tmp_path: Path) -> None:
    with written() as texts:
        confusion_matrix(torch.eye(1000), [f"class {place}" for place in range(1000)], tmp_path / "confusion.png")
    assert "class 7" not in texts and {"true", "predicted"} <= texts.keys()
    with Image.open(tmp_path / "confusion.png") as picture:
        assert max(picture.size) < 2000


def test_what_the_caller_draws_himself_keeps_its_style(tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams), matplotlib.get_backend(auto_select=False)
    bar_chart({"a": 0.5}, tmp_path / "bars.png", title="bars")
    assert (dict(matplotlib.rcParams), matplotlib.get_backend(auto_select=False)) == before
