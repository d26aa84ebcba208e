"""Weights go out in the form of other libraries and come back equal; tests/interop opens them there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

import zoo
from zoo.cli.export import command
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.inputs import Preprocessing

LABELS = ("ant", "bee", "cat")
INPUTS = Preprocessing(image_size=(64, 64), channels=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3))


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    """Return a function that saves a fresh model with labels and preprocessing."""

    def save(name: str, **arguments: Any) -> Path:
        arguments = {"num_classes": 3, **arguments}
        model = zoo.create(name, **arguments)
        save_weights(tmp_path / "ours", model, model_name=name, arguments=arguments, labels=LABELS, inputs=INPUTS)
        (tmp_path / "ours" / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# A model\n")
        return tmp_path / "ours"

    return save


def assert_equal(one: Path, other: Path) -> None:
    mine, theirs = (zoo.load(place).state_dict() for place in (one, other))
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())


@pytest.mark.parametrize(
    ("name", "library", "arguments"),
    [
        ("mobilenetv3_small_100", "timm", {"norm_eps": 2e-5}),
        ("mobilenetv3_small_100", "torchvision", {"norm_eps": 1e-3, "norm_momentum": 0.01}),
        ("mobilenetv3_small_100", "transformers", {"channels": 1}),
        ("convnext_atto", "transformers", {"head_norm_eps": 1e-5}),
        ("resnet18", "transformers", {}),
    ],
)
def test_out_and_back(name: str, library: str, arguments: dict[str, Any], saved: Any, tmp_path: Path) -> None:
    folder = saved(name, **arguments)
    out = zoo.export(folder, to=library, out=tmp_path / "theirs")
    assert_equal(folder, out)
    before, after = read_config(folder), read_config(out)
    assert (after.architecture, after.arguments) == (before.architecture, before.arguments)
    if library != "torchvision":  # which writes no configuration
        assert (after.labels, after.preprocessing) == (before.labels, before.preprocessing)


def test_what_is_for_timm_has_both_descriptions(saved: Any, tmp_path: Path) -> None:
    out = zoo.export(saved("mobilenetv3_small_100", channels=1), to="timm", out=tmp_path / "theirs")
    config = json.loads((out / "config.json").read_text())
    assert config["architecture"] == "mobilenetv3_small_100"
    assert config["model_args"]["in_chans"] == 1
    assert config["pretrained_cfg"]["input_size"] == [1, 64, 64]
    assert config["zoo"]["labels"] == list(LABELS) == config["label_names"]


@pytest.mark.parametrize(
    ("name", "library", "arguments", "why"),
    [
        ("resnet20", "timm", {}, "timm has no resnet20; export it as a graph"),
        ("resnet18", "timm", {"cifar_stem": True}, "has cifar_stem=False, these weights have True"),
        ("resnet18", "torchvision", {"channels": 1}, "has channels=3, these weights have 1"),
        ("mobilenetv3_small_100", "torchvision", {}, r"has norm_eps=0\.001, these weights have 1e-05"),
    ],
)
def test_what_a_library_cannot_build(
    name: str, library: str, arguments: dict[str, Any], why: str, saved: Any, tmp_path: Path
) -> None:
    folder = saved(name, **arguments)
    with pytest.raises(zoo.UsageError, match=why):
        zoo.export(folder, to=library, out=tmp_path / "theirs")
    assert not (tmp_path / "theirs").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["ours"]


def test_053_what_stands_there_stays_unless_forced(saved: Any, tmp_path: Path) -> None:
    folder = saved("mobilenetv3_small_100")
    (tmp_path / "theirs").mkdir()
    with pytest.raises(zoo.UsageError, match="exists; choose another one, or replace it with --force"):
        zoo.export(folder, to="timm", out=tmp_path / "theirs")
    assert_equal(folder, zoo.export(folder, to="timm", out=tmp_path / "theirs", force=True))


def test_nothing_to_export_to(saved: Any, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="'caffe' is not an export target; choose one of timm, torchvision"):
        zoo.export(saved("resnet20"), to="caffe", out=tmp_path / "theirs")


def test_a_graph_computes_the_same_for_any_batch(saved: Any, tmp_path: Path) -> None:
    folder = saved("resnet20")
    done = CliRunner().invoke(command, [str(folder), "--to", "torch-export", "--out", str(tmp_path / "model.pt2")])
    assert done.exit_code == 0, done.output
    assert "open it:  torch.export.load(" in done.output
    program = torch.export.load(tmp_path / "model.pt2").module()
    for batch in (1, 3):
        images = torch.rand(batch, 3, 64, 64)
        with torch.no_grad():
            assert torch.allclose(zoo.load(folder)(images), program(images), atol=1e-5)


def test_pushed_for_transformers(saved: Any, served_hub: Any) -> None:
    folder = saved("convnext_atto")
    before = (folder / "model.safetensors").read_bytes()
    zoo.push(folder, "tester/model", hub=served_hub.url, private=True, library="transformers")
    pulled = zoo.pull("hf://tester/model", hub=served_hub.url).folder
    assert json.loads((pulled / "config.json").read_text())["model_type"] == "convnext"
    assert "convnext.embeddings.layernorm.weight" in load_file(pulled / "model.safetensors")
    assert_equal(folder, pulled)
    assert (folder / "model.safetensors").read_bytes() == before, "the source is only read"
