"""Weights in 8 bits: written, loaded as any other, measured, and refused where they lose too much or lie."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from zoo_quantize import quantizing
from zoo_quantize.container import SCALES, open_file
from zoo_quantize.rounding import fits, restored, rounded

import zoo

FILE = "model.int8.safetensors"


def run(*arguments: Any) -> None:
    from zoo.cli import main

    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert not ended.value.code, arguments


@pytest.fixture
def folder(weights: Path, tmp_path: Path) -> Path:
    """Return weights in 8 bits."""
    run("quantize", weights, "--to", "int8", "--out", tmp_path / "int8")
    return tmp_path / "int8"


def test_a_row_is_rounded_by_its_own_scale() -> None:
    tensor = torch.randn(5, 3, 3, 3) * torch.tensor([1e-6, 1.0, 50.0, 0.0, 3.0]).view(5, 1, 1, 1)
    values, scales = rounded("a", tensor)
    assert values.dtype == torch.int8 and values.abs().amax((1, 2, 3)).tolist() == [127, 127, 127, 0, 127]
    assert ((restored(values, scales) - tensor).abs() <= scales.view(5, 1, 1, 1) * 0.5001).all()
    with pytest.raises(zoo.UsageError, match="a holds NaN or infinity"):
        rounded("a", torch.tensor([[1.0, torch.nan]]))


def test_it_loads_as_any_weights_and_is_smaller(weights: Path, folder: Path) -> None:
    before, after = zoo.load(weights), zoo.load(folder)
    found = after.state_dict()
    for name, tensor in before.state_dict().items():
        step = tensor.flatten(1).abs().amax(1).max() / 127 if fits(tensor) else 0
        assert (found[name] - tensor).abs().max() <= step * 0.51, name
        assert found[name].dtype == tensor.dtype
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert (before(images) - after(images)).abs().max() < 0.1 * before(images).abs().max()
    described = zoo.describe(folder)
    assert (described.labels, described.task) == (("dark", "light"), "image-classification")
    assert (folder / FILE).stat().st_size < 0.5 * (weights / "model.safetensors").stat().st_size  # small widths
    assert not (folder / "config.json").exists() and "(0." in (folder / "README.md").read_text()
    assert torch.equal(zoo.load(folder / FILE)(images), after(images))


def test_it_is_evaluated_finetuned_and_exported(folder: Path, data: Path, tmp_path: Path) -> None:
    assert 0 <= zoo.evaluate(folder, data=str(data))["accuracy"] <= 100
    tuned = zoo.finetune(folder, task="image-classification", data=str(data), out=tmp_path / "r", settings={"steps": 1})
    again = zoo.export(tuned.folder, to="int8", out=tmp_path / "a.int8.safetensors")
    assert zoo.describe(again).recipe == zoo.describe(tuned.folder).recipe


def test_the_score_is_measured_and_written(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run("quantize", weights, "--to", "int8", "--data", data, "--out", out, "--max-loss", 100, "--keep-sensitive", 2)
    said = json.loads((out / "quantization.json").read_text())
    assert said["measured"]["score"] == "accuracy" and len(said["kept"]) == 2
    assert said["measured"]["before"] == zoo.evaluate(weights, data=str(data))["accuracy"]
    assert said["measured"]["after"] == zoo.evaluate(out, data=str(data))["accuracy"]
    with safe_open(out / FILE, "pt") as file:
        assert all(file.get_tensor(name).dtype == torch.float32 for name in said["kept"])
    assert said["kept"] == list(quantizing.by_error(zoo.load(weights).state_dict()))[:2]
    assert "speed: as before" in (told := capsys.readouterr().out) and "points lost" in told


def test_what_loses_too_much_is_no_success(
    weights: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo_quantize.command import command

    monkeypatch.setattr(quantizing, "measure", lambda *_: quantizing.Measured("accuracy", 91.73, 90.12))
    arguments = [str(weights), "--to", "int8", "--data", str(data), "--out", str(tmp_path / "out")]
    with pytest.raises(
        zoo.TrainingError, match=r"loses 1\.61 points .*more than --max-loss 1; .*--keep-sensitive 5 \("
    ):
        command.main(arguments, standalone_mode=False)
    assert not (tmp_path / "out").exists()
    with pytest.raises(zoo.TrainingError, match="loses nan"):
        monkeypatch.setattr(quantizing, "measure", lambda *_: quantizing.Measured("accuracy", 90.0, float("nan")))
        command.main(arguments, standalone_mode=False)


def test_what_is_better_smaller_is_measured_in_percent() -> None:
    found = quantizing.Measured("perplexity", 20.0, 20.1)
    assert found.unit == "percent" and abs(found.loss - 0.5) < 1e-9


LIES: dict[str, tuple[Callable[[dict[str, Any], dict[str, str]], Any], str]] = {
    "no config": (lambda tensors, said: said.pop("config"), "lacks config and int8"),
    "no scales": (lambda tensors, said: tensors.pop(SCALES), "lacks config and int8"),
    "another model": (lambda tensors, said: said.update(config="{}"), "does not say which model"),
    "few scales": (
        lambda tensors, said: tensors.update({SCALES: tensors[SCALES][1:].clone()}),
        "another number of scales",
    ),
    "no names": (lambda tensors, said: said.update(int8="{}"), "names other tensors"),
    "a name twice": (
        lambda tensors, said: said.update(int8=json.dumps(json.loads(said["int8"]) * 2)),
        "names other tensors",
    ),
    "a float in 8 bits": (lambda tensors, said: said.update(int8='["fc.bias"]'), "names other tensors"),
    "scales of NaN": (lambda tensors, said: tensors[SCALES].fill_(torch.nan), "scales that are no numbers"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_gets_one_line(folder: Path, lie: str) -> None:
    change, message = LIES[lie]
    tensors = load_file(folder / FILE)
    with safe_open(folder / FILE, "pt") as file:
        said = dict(file.metadata())
    change(tensors, said)
    save_file(tensors, folder / FILE, metadata=said)
    with pytest.raises(zoo.IntegrityError, match=message) as refused:
        open_file(folder / FILE).load()
    assert "\n" not in str(refused.value)


def test_what_is_no_safetensors_is_refused(folder: Path) -> None:
    (folder / FILE).write_bytes(b"neither")
    with pytest.raises(zoo.IntegrityError, match="is no file of safetensors"):
        zoo.load(folder)
