"""A file of Keras goes the whole way: described, finetuned, pushed, pulled and verified as any weights."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a small ResNet as a `.keras` file."""
    arguments = {"widths": [4, 4, 4, 4], "num_classes": 2}
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
    model = zoo.create("resnet18", **arguments)
    zoo.save(model, tmp_path / "w", name="resnet18", arguments=arguments, labels=("dark", "light"), inputs=inputs)
    return zoo.export(tmp_path / "w", to="keras", out=tmp_path / "model.keras")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of pictures of three classes."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for place, name in enumerate(("black", "grey", "white")):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.clip(random.normal(100 * place + 20, 10, (32, 32, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{number}.png")
    return tmp_path / "data"


def test_it_is_described(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["info", str(file)])
    out = capsys.readouterr().out
    assert not ended.value.code
    assert "resnet18" in out and "dark, light" in out and "weights file" in out


def test_it_is_finetuned_and_written_again(file: Path, data: Path, tmp_path: Path) -> None:
    run = zoo.finetune(file, task="image-classification", data=str(data), out=tmp_path / "run", settings={"steps": 2})
    known = zoo.describe(run.folder)
    assert (known.architecture, known.labels) == ("resnet18", ("black", "grey", "white"))
    again = zoo.load(zoo.export(run.folder, to="keras", out=tmp_path / "again.keras"))
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(again(images), zoo.load(run.folder)(images))


def test_it_is_pulled_from_a_hub(file: Path, tmp_path: Path, served_hub: Any) -> None:
    from huggingface_hub import HfApi

    folder = tmp_path / "repo"
    folder.mkdir()
    shutil.copy(file, folder / "model.keras")
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("me/theirs")
    api.upload_folder(repo_id="me/theirs", folder_path=folder)
    found = zoo.load("hf://me/theirs", hub=served_hub.url)
    assert found.num_classes == 2
