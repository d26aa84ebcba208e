"""`zoo diff` as it is typed: folders, runs, commits on a Hub, and what cannot be compared."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from zoo_diff.command import command

import zoo


def typed(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.5,) * 3, std=(0.5,) * 3)
    labels = [str(number) for number in range(10)]
    return zoo.save(zoo.create("resnet20", widths=[4, 8, 16]), tmp_path / "before", labels=labels, inputs=inputs)


def changed(folder: Path, out: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    model = zoo.load(folder)
    change(dict(model.named_parameters()))
    return zoo.save(model, out)


def shift(tensors: dict[str, Any]) -> None:
    with torch.no_grad():
        tensors["conv1.weight"].mul_(1.5)


def test_what_is_equal_is_said_to_be(before: Path) -> None:
    result = typed(before, before, "--exit-code")
    assert result.output == "116 tensors, all equal; so is what stands beside them\n"
    assert result.exit_code == 0


def test_a_change_is_told_with_its_numbers(before: Path, tmp_path: Path) -> None:
    after = changed(before, tmp_path / "after", shift)
    result = typed(before, after)
    first, head, row, *_ = result.output.split("\n")
    assert first == "tensors  1 changed, of 116"
    assert head.split() == ["TENSOR", "KIND", "SHAPE", "CHANGE", "LARGEST", "VALUES"]
    assert row.split()[:5] == ["conv1.weight", "changed", "4x3x3x3", "F32", "0.5"]
    assert row.endswith("100.0%")
    assert typed(before, after, "--exit-code").exit_code == 1


def test_another_head_is_a_change_of_shape_and_of_config(before: Path, tmp_path: Path) -> None:
    after = zoo.save(zoo.load(before, num_classes=3), tmp_path / "after", labels=["a", "b", "c"])
    found = json.loads(typed(before, after, "--json").stdout)
    kinds = {change["name"]: change["kind"] for change in found["tensors"]}
    assert kinds["fc.weight"] == kinds["fc.bias"] == "reshaped"
    assert found["config"]["zoo.labels"] == [[str(n) for n in range(10)], ["a", "b", "c"]]
    assert found["total"] == 116


def test_another_type_is_told_with_what_it_moved(before: Path, tmp_path: Path) -> None:
    after = zoo.save(zoo.load(before, dtype="bfloat16"), tmp_path / "after")
    found = json.loads(typed(before, after, "--json").stdout)
    stem = next(change for change in found["tensors"] if change["name"] == "conv1.weight")
    assert (stem["kind"], stem["before"]["dtype"], stem["after"]["dtype"]) == ("retyped", "F32", "BF16")
    assert 0 < stem["relative"] < 2**-8


def test_two_commits_of_a_repo(before: Path, tmp_path: Path, served_hub: Any) -> None:
    after = changed(before, tmp_path / "after", shift)
    first = zoo.push(before, "tester/net", hub=served_hub.url, private=False, license="other")
    second = zoo.push(after, "tester/net", hub=served_hub.url, license="other")
    addresses = [f"hf://tester/net@{pushed.commit}" for pushed in (first, second)]
    found = json.loads(typed(*addresses, "--hub", served_hub.url, "--json").stdout)
    assert [change["name"] for change in found["tensors"]] == ["conv1.weight"]
    assert (found["before"], found["after"]) == tuple(addresses)


def test_card_files_and_scores(before: Path, tmp_path: Path) -> None:
    after = changed(before, tmp_path / "after", lambda tensors: None)
    for folder, score, words in ((before, 0.5, "old\nsame\n"), (after, 0.75, "new \x1b[31m\nsame\n")):
        (folder / "README.md").write_text(words)
        (folder / "metrics.jsonl").write_text(json.dumps({"event": "test", "step": 1, "accuracy": score}) + "\n")
    (after / "notes.txt").write_text("more")
    result = typed(before, after, "--card")
    assert "tensors  all equal, of 116" in result.output
    assert "scores  accuracy: 0.5 → 0.75" in result.output
    assert "card  +1 −1 lines" in result.output
    assert "+new \\x1b[31m" in result.output
    assert "file  notes.txt added" in result.output


def test_a_picture_is_drawn(before: Path, tmp_path: Path) -> None:
    after = changed(before, tmp_path / "after", shift)
    picture = tmp_path / "diff.png"
    assert typed(before, after, "--picture", picture).output.endswith(f"drawn: {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_many_changes_are_cut_unless_all_are_asked_for(before: Path, tmp_path: Path) -> None:
    def every(tensors: dict[str, Any]) -> None:
        with torch.no_grad():
            for tensor in tensors.values():
                tensor.add_(0.01)

    after = changed(before, tmp_path / "after", every)
    short, long = (typed(before, after, *words).output.split("\n") for words in ((), ("--all",)))
    assert len(long) > len(short)
    assert "--all lists" in short[1]


def test_a_broken_file_is_refused_by_its_name(before: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.safetensors"
    file.write_bytes((before / "model.safetensors").read_bytes()[:-4])
    with pytest.raises(zoo.IntegrityError, match=r"broken\.safetensors"):
        typed(before, file)
