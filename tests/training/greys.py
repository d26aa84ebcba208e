"""Weights that tell cat, dog and eel by how bright a picture is, and such pictures."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import zoo
from tests.tiny import install
from zoo.cli import run

GREY = {"cat": 0, "dog": 128, "eel": 255}


def pictures(folder: Path, **counts: int) -> str:
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for place in range(count):
            Image.new("L", (8, 8), GREY.get(name, 60)).save(folder / name / f"{place}.png")
    return str(folder)


def counted(weights: str, data: str, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert run(["evaluate", weights, "--data", data, "--json", *more]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def grey_weights(site: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write the weights into a folder, beside an empty cache, and go there."""
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    monkeypatch.chdir(folder)
    install(site)
    from zoo.weights.folder import save_weights

    model = zoo.create("tiny", num_classes=3)
    with torch.no_grad():
        model.stem.weight.zero_()
        model.stem.weight[0, 0, 1, 1] = 1
        model.stem.bias.zero_()
        model.head.weight.zero_()
        model.head.weight[:, 0] = torch.tensor([0.0, 10.0, 20.0])
        model.head.bias.copy_(torch.tensor([0.0, -3.0, -10.0]))
    inputs = zoo.Preprocessing(image_size=(8, 8), channels=1)
    save_weights(
        folder / "weights",
        model,
        model_name="tiny",
        arguments={"num_classes": 3},
        labels=("cat", "dog", "eel"),
        inputs=inputs,
        data=None,
        task="image-classification",
    )
    return str(folder / "weights")
