"""`zoo explain` at the shell."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from zoo_explain.command import command

import zoo


def explain(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_methods_are_drawn_side_by_side(convolutions: Path, images: list[Path], tmp_path: Path) -> None:
    done = explain(convolutions, *images, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].split() == ["INPUT", "METHOD", "TARGET", "SCORE", "WHERE"]
    assert [line.split()[1] for line in lines[1:7]] == ["layercam", "integrated_gradients", "gradcam"] * 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["tall.png", "wide.png"]


def test_json_has_no_arrays(convolutions: Path, images: list[Path]) -> None:
    done = explain(convolutions, images[0], "--method", "layercam", "--target", "bee", "--json")
    (row,) = json.loads(done.output)
    assert row.keys() == {"input", "method", "target", "score"} and row["target"] == "bee"


def test_equal_names_are_numbered(convolutions: Path, images: list[Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "wide.png").write_bytes(images[0].read_bytes())
    done = explain(convolutions, images[0], tmp_path / "other", "--method", "layercam", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["wide-1.png", "wide-2.png"]


@pytest.mark.parametrize(
    "words,said",
    [
        (["--target", "dog"], "no class 'dog'; choose one of ant, bee, cat"),
        (["--method", "heat"], "no method 'heat' explains these weights; choose of layercam, gradient_attention"),
        (["--method", "attention_rollout"], "has no attention that decides"),
    ],
)
def test_what_there_is_not_is_said_in_a_line(
    convolutions: Path, images: list[Path], words: list[str], said: str
) -> None:
    done = explain(convolutions, images[0], *words)
    assert isinstance(done.exception, zoo.ZooError) and said in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_broken_image_is_named(convolutions: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    done = explain(convolutions, tmp_path / "broken.png")
    assert isinstance(done.exception, zoo.DataError) and "broken.png is not a readable image" in str(done.exception)


def test_images_of_other_channels_are_refused(tmp_path: Path, images: list[Path]) -> None:
    model = zoo.create("resnet20", num_classes=2, depth=1, widths=[4, 8, 16], channels=5)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=5)
    zoo.save(model, tmp_path / "w", task="image-classification", labels=("a", "b"), inputs=inputs)
    done = explain(tmp_path / "w", images[0])
    assert isinstance(done.exception, zoo.DataError) and "1 or 3 channels, and not as 5" in str(done.exception)


def test_weights_for_a_task_that_nobody_explains_say_so(tmp_path: Path, images: list[Path]) -> None:
    model = zoo.create("resnet20", depth=1, widths=[4, 8, 16], num_classes=0)
    zoo.save(
        model,
        tmp_path / "w",
        task="image-feature-extraction",
        inputs=zoo.Preprocessing(image_size=(32, 32), channels=3),
    )
    done = explain(tmp_path / "w", images[0], "--method", "layercam")
    assert isinstance(done.exception, zoo.UsageError)
    assert "nobody here explains image-feature-extraction, which 'resnet20' is for" in str(done.exception)
