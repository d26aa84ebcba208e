"""`zoo choose` as it is typed, with small weights and the pictures that come with Zoo."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from zoo_choose.command import amount, command

import zoo

SIZE: dict[str, Any] = {"image_size": (28, 28), "channels": 1, "mean": (0.5,), "std": (0.5,)}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def weights(tmp_path: Path) -> list[Path]:
    made = []
    for name, widths in (("small", [4, 8, 16]), ("large", [8, 16, 32])):
        model = zoo.create("resnet20", channels=1, widths=widths)
        made.append(zoo.save(model, tmp_path / name, inputs=zoo.Preprocessing(**SIZE)))
    return made


def typed(folder: Path, *words: object) -> Result:
    asked = ["--task", "image-classification", "--data", "fashion_mnist_sample", "--out", folder / "choice", *words]
    return CliRunner().invoke(command, [str(word) for word in asked], catch_exceptions=False)


def test_a_table_a_picture_and_the_next_line(tmp_path: Path, weights: list[Path]) -> None:
    result = typed(tmp_path, "-c", weights[0], "-c", weights[1], "-c", tmp_path / "nothing", "--samples", 60)
    lines = result.stdout.split("\n")
    assert lines[0].split()[:3] == ["WEIGHTS", "SCORE", "95"]
    assert sorted(line.split()[0] for line in lines[1:3]) == sorted(map(str, weights))
    assert lines[3].startswith("logistic regression on pixels  ")
    assert any(line.startswith(f"left out: {tmp_path / 'nothing'}: ") for line in lines)
    assert any(line.startswith("--method ") for line in lines)
    assert (tmp_path / "choice" / "choice.png").read_bytes().startswith(b"\x89PNG")
    best = json.loads((tmp_path / "choice" / "choice.json").read_text())["candidates"][0]["name"]
    assert lines[-2].startswith(f"next: zoo finetune {best} --task image-classification")


def test_pixels_tell_more_than_random_weights_and_that_is_said(tmp_path: Path, weights: list[Path]) -> None:
    found = json.loads(typed(tmp_path, "-c", weights[0], "--samples", 400, "--json").stdout)
    simple = found["baseline"]
    assert simple["name"] == "logistic regression on pixels"
    assert simple["low"] < simple["score"] < simple["high"]
    assert not simple["behind"] and simple["score"] > found["candidates"][0]["score"]
    assert found["advice"][1].startswith(f"logistic regression on pixels tells {simple['score']:.1f} %")


def test_features_are_computed_once(tmp_path: Path, weights: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("-c", weights[0], "--samples", 40, "--json")
    first = json.loads(typed(tmp_path, *words).stdout)
    monkeypatch.setattr(zoo, "features", lambda *given, **named: pytest.fail("computed again"))
    assert json.loads(typed(tmp_path, *words).stdout) == first


def test_what_takes_too_much_memory_is_left_out(tmp_path: Path, weights: list[Path]) -> None:
    with pytest.raises(zoo.NotFoundError, match=r"training takes .* GB of memory, 0\.0 GB are allowed"):
        typed(tmp_path, "-c", weights[0], "--samples", 40, "--memory", "1MB")


def test_weights_whose_licence_is_not_known_to_allow_it_are_left_out(tmp_path: Path, weights: list[Path]) -> None:
    with pytest.raises(zoo.NotFoundError, match="its licence is not known to allow commercial use"):
        typed(tmp_path, "-c", weights[0], "--license-allows", "commercial")


def test_what_cannot_take_its_fewest_steps_in_time_is_left_out(tmp_path: Path, weights: list[Path]) -> None:
    with pytest.raises(zoo.NotFoundError, match=r"5 steps take \d+ s here, the budget is 0 s"):
        typed(tmp_path, "-c", weights[0], "--samples", 40, "--budget", "0.000001s")


def test_an_interruption_keeps_what_is_known_and_the_same_command_goes_on(
    tmp_path: Path, weights: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = zoo.features
    looked: list[Any] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        if looked:
            raise KeyboardInterrupt
        looked.append(given)
        return look(*given, **named)

    monkeypatch.setattr(zoo, "features", interrupted)
    words = ("-c", weights[0], "-c", weights[1], "--samples", 40, "--budget", "10m", "--json")
    found = json.loads(typed(tmp_path, *words).stdout)
    assert [row["name"] for row in found["candidates"]] == [str(weights[0])]
    assert found["left out"] == {str(weights[1]): "not looked at: interrupted; the same command goes on"}
    monkeypatch.setattr(zoo, "features", look)
    again = json.loads(typed(tmp_path, *words[:-3], "--json").stdout)
    assert len(again["candidates"]) == 2 and not again["left out"]


def test_a_budget_finetunes_the_best_few_on_held_out_samples(
    tmp_path: Path, weights: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo_choose.choosing.FEWEST_STEPS", 0)  # a busy machine takes more than a second for five
    found = json.loads(
        typed(
            tmp_path, "-c", weights[0], "-c", weights[1], "--samples", 40, "--labels", 40, "--budget", "1s", "--json"
        ).stdout
    )
    scores = [row["finetuned"] for row in found["candidates"]]
    known = [score for score in scores if score is not None]
    assert all(0 <= score <= 100 for score in known)
    assert known == sorted(known, reverse=True)
    rounds = sorted(path.parent.name for path in (tmp_path / "choice").glob("round-1/*/run.json"))
    assert rounds == sorted(["from-scratch", *(str(path).replace("/", "-") for path in weights)])


def test_weights_of_other_data_are_left_out_and_the_rest_goes_on(tmp_path: Path, weights: list[Path]) -> None:
    text = zoo.save(zoo.create("bert", width=32, depth=1, num_heads=2, mlp_width=32, vocab_size=50), tmp_path / "text")
    found = json.loads(typed(tmp_path, "-c", text, "-c", weights[0], "--samples", 40, "--json").stdout)
    assert list(found["left out"]) == [str(text)]
    assert [row["name"] for row in found["candidates"]] == [str(weights[0])]


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("90", 90), ("1.5h", 5400)])
def test_amounts_have_units(text: str, seconds: float) -> None:
    assert amount(text, {"": 1, "s": 1, "m": 60, "h": 3600}, "--budget") == seconds


@pytest.mark.parametrize("text", ["", "m", "10x", "-1m", "1e9m", "NaN"])
def test_other_amounts_are_refused(text: str) -> None:
    with pytest.raises(zoo.UsageError, match="--budget"):
        amount(text, {"": 1, "s": 1, "m": 60}, "--budget")
