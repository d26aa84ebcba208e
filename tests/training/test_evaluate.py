"""Held-out data are scored whole, by the weights' own classes."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import zoo
import zoo.training.evaluate
from tests.training.greys import counted, grey_weights, pictures
from zoo.cli import run
from zoo.data.images.image_folder import open_image_folder
from zoo.errors import DataError, UsageError
from zoo.modalities.data_source import open_data


@pytest.fixture
def weights(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return grey_weights(site, tmp_path, monkeypatch)


def test_148_data_that_are_not_split_are_scored_whole(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = counted(weights, pictures(Path("all"), cat=4, dog=5, eel=6), capsys)
    assert found["samples"] == 15
    assert found["accuracy"] == 100
    assert {name: values["count"] for name, values in found["classes"].items()} == {"cat": 4, "dog": 5, "eel": 6}


def test_148_a_test_split_is_scored_alone(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(Path("both/train"), cat=9, dog=9, eel=9)
    pictures(Path("both/test"), cat=2, dog=3)
    assert counted(weights, "both", capsys)["samples"] == 5


def test_148_a_folder_with_test_alone(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(Path("held/test"), cat=2, dog=3, eel=4)
    assert counted(weights, "held", capsys)["samples"] == 9


def test_148_classes_are_those_of_the_weights_by_name(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = counted(weights, pictures(Path("some"), cat=2, eel=3), capsys)
    assert (found["samples"], found["accuracy"]) == (5, 100)


def test_148_one_class_alone(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = counted(weights, pictures(Path("one"), eel=3), capsys)
    assert (found["samples"], found["accuracy"], list(found["classes"])) == (3, 100, ["eel"])


def test_148_a_class_that_the_weights_do_not_know(weights: str) -> None:
    with pytest.raises(UsageError, match=r"has classes that .* does not know: fox; it knows cat, dog, eel"):
        zoo.evaluate(weights, data=pictures(Path("other"), cat=2, fox=2))


def test_148_data_without_labels(weights: str) -> None:
    pictures(Path("bare"), cat=2)
    with pytest.raises(DataError, match="no labels"):
        zoo.evaluate(weights, data="bare/cat")


def test_148_to_train_on_it_is_split_as_before(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures(Path("all"), cat=10, dog=10, eel=10)
    assert counted(weights, data, capsys)["samples"] == 30
    splits = open_image_folder(Path(data)).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 24, "test": 6}


def test_148_a_table_of_labels(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(Path("table"), cat=3, eel=2)
    with open("table/labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        for path in sorted(Path("table").glob("*/*.png")):
            writer.writerow([path.relative_to("table").as_posix(), path.parent.name])
    assert counted(weights, "table", capsys)["samples"] == 5


def test_what_is_printed_and_written(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures(Path("all"), cat=2, dog=1, eel=1)
    Image.new("L", (8, 8), 255).save("all/dog/eel-in-truth.png")
    assert run(["evaluate", weights, "--data", data, "--out", "said/all.jsonl"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{weights} on {data}, 5 samples: accuracy 80 · recall 83.33 · loss ")
    assert said[1].split() == ["CLASS", "COUNT", "RECALL", "PRECISION", "F1"]
    assert [line.split() for line in said[2:5]] == [
        ["cat", "2", "100", "100", "100"],
        ["dog", "2", "50", "100", "66.67"],
        ["eel", "1", "100", "50", "66.67"],
    ]
    assert said[5] == "5 predictions written to said/all.jsonl"
    rows = [json.loads(line) for line in Path("said/all.jsonl").read_text().splitlines()]
    assert Counter((row["label"], row["predictions"][0]["label"]) for row in rows) == {
        ("cat", "cat"): 2, ("dog", "dog"): 1, ("dog", "eel"): 1, ("eel", "eel"): 1,
    }  # fmt: skip
    assert run(["evaluate", weights, "--data", data, "--out", "said/all.jsonl"]) == 2
    assert "said/all.jsonl exists" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["said.csv", "said.json", "said"])
def test_other_files_than_json_lines_are_refused(name: str, weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures(Path("all"), cat=2, dog=1, eel=1)
    assert run(["evaluate", weights, "--data", data, "--out", name]) == 2
    assert f"--out {name} is no name of JSON lines, which are written; say --out said.jsonl" in capsys.readouterr().err
    assert not Path(name).exists()


def test_bad_pictures_may_be_skipped(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures(Path("all"), cat=2, dog=2)
    Path("all/dog/bad.png").write_bytes(b"no picture")
    assert counted(weights, data, capsys, "--skip-bad", "1")["samples"] == 4
    shutil.rmtree("zoo-cache")
    with pytest.raises(DataError, match=r"bad\.png"):
        zoo.evaluate(weights, data=data)


@pytest.mark.parametrize(("changed", "times"), [(False, 1), (True, 2)])
def test_data_are_opened_once_and_told_of_once(
    changed: bool, times: int, paint: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others of the same name are opened anew, and what is wrong with them is said once as well."""
    opened = []
    monkeypatch.setattr(zoo.training.evaluate, "open_data", lambda *said: opened.append(said) or open_data(*said))
    Path("photos/test/dark/bad.png").write_bytes(b"")
    paint(skip_bad=1)
    if changed:
        Image.new("L", (8, 8), 99).save("photos/train/dark/another.png")
    caplog.clear()
    zoo.evaluate("run", data="photos", skip_bad=1)
    assert len(opened) == times
    assert len([record for record in caplog.records if "bad.png" in record.getMessage()]) == 1


def test_what_says_nothing_of_single_samples(site: Any, tmp_path: Path, paint: Any, capsys: Any) -> None:
    paint()
    assert run(["evaluate", "run", "--data", "photos"]) == 0
    assert capsys.readouterr().out.startswith("run on photos, 4 samples: mse ")
    assert run(["evaluate", "run", "--data", "photos", "--out", "said.jsonl"]) == 2
    said = capsys.readouterr()
    assert said.err.endswith(
        "zoo: run is scored by recipe 'painting' of zoo-painter, which says nothing of single samples; omit --out\n"
    )
    assert not said.out and not Path("said.jsonl").exists()


EACH = """
    def evaluate_each(self, batches):
        with zoo.evaluating(self.model):
            errors = [
                float(F.mse_loss(self.model.reconstruct(image[None]), image[None]))
                for batch in batches for image in batch["images"]
            ]
        return {"mse": sum(errors) / len(errors)}, [{"mse": error} for error in errors]

    def pictures(self"""


def test_a_plugin_s_recipe_says_something_of_each_sample(paint: Any, capsys: Any) -> None:
    paint(("\n    def pictures(self", EACH))
    assert run(["evaluate", "run", "--data", "photos", "--out", "said.jsonl"]) == 0
    rows = [json.loads(line) for line in Path("said.jsonl").read_text().splitlines()]
    files = [f"photos/test/{name}/{place}.png" for name in ("dark", "light") for place in range(2)]
    assert [(row["index"], row["file"]) for row in rows] == list(enumerate(files))
    mean = sum(row["mse"] for row in rows) / 4
    assert f"mse {mean:.4g}" in capsys.readouterr().out


def test_a_plugin_s_recipe_that_fails_at_it_is_named(paint: Any, capsys: Any) -> None:
    paint(("\n    def pictures(self", EACH.replace("errors = [", "errors = [0 / 0 * ")))
    assert run(["evaluate", "run", "--data", "photos", "--out", "said.jsonl"]) == 8
    assert "recipe 'painting' of zoo-painter 1.0 failed: ZeroDivisionError" in capsys.readouterr().err


def test_predictions_are_written_though_nobody_reads_what_is_printed(weights: str, tmp_path: Path) -> None:
    data = pictures(Path("all"), cat=4, dog=5, eel=6)
    command = [sys.executable, "-m", "zoo", "evaluate", weights, "--data", data, "--out", "said.jsonl"]
    reader, writer = os.pipe()
    os.close(reader)
    path = os.pathsep.join(sys.path)
    subprocess.run(command, stdout=writer, env={**os.environ, "PYTHONPATH": path}, timeout=120)
    os.close(writer)
    assert len(Path("said.jsonl").read_text().splitlines()) == 15
