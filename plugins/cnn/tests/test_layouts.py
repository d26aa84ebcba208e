"""The conversions account for every tensor, both ways; real weights of an author load and compute what he published."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.registry.registry import default_registry
from zoo.specs.named import load_target
from zoo.weights.build import build, full_arguments
from zoo.weights.config import read_config
from zoo.weights.foreign.renaming import to_ours, to_theirs

DATA = Path(os.environ.get("ZOO_DATA", Path(__file__).parents[4] / "shared" / "data"))
RESNET20 = DATA / "weights" / "resnet20_cifar10"
NAMES = zoo.list_models(family="cnn")

real = pytest.mark.skipif(not RESNET20.is_dir(), reason=f"no {RESNET20}; $ZOO_DATA says where real weights lie")


@pytest.mark.parametrize("name", NAMES)
def test_names_go_there_and_come_back(name: str) -> None:
    offer = default_registry().model(name)
    state = build(offer, full_arguments(offer, {}), device="meta").state_dict()
    layouts = [layout for layout in load_target(offer.spec.layouts) if name in layout.models]
    assert layouts, "every model has a layout"
    for layout in layouts:
        theirs = [to_theirs(ours, layout.renames).name for ours in state]
        assert len(set(theirs)) == len(state), layout.library
        assert [to_ours(other, layout.renames).name for other in theirs] == list(state), layout.library
        assert {layout.stem, layout.classifier} <= set(state), layout.library


@real
def test_the_real_resnet20_loads_by_one_call() -> None:
    model = zoo.load(RESNET20)
    assert sum(parameter.numel() for parameter in model.parameters()) == 269_722
    block = read_config(RESNET20)
    assert (block.architecture, block.labels[:2]) == ("resnet20", ("airplane", "automobile"))
    assert block.preprocessing is not None
    assert (block.preprocessing.mean, block.preprocessing.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@real
def test_the_real_resnet20_knows_its_pictures() -> None:
    """Of the first 500 test pictures; all 10,000 give 91.73 %: docs/interop.md."""
    places = [DATA / "cifar10" / "cifar-10-batches-bin", DATA / "cifar-10-batches-bin"]
    folder = next((place for place in places if (place / "test_batch.bin").is_file()), None)
    if folder is None:
        pytest.skip(f"no cifar10 in {DATA}")
    records = torch.frombuffer(bytearray((folder / "test_batch.bin").read_bytes()[: 500 * 3073]), dtype=torch.uint8)
    records = records.view(-1, 3073)
    inputs = read_config(RESNET20).preprocessing
    assert inputs is not None
    mean, std = (torch.tensor(values)[:, None, None] for values in (inputs.mean, inputs.std))
    images = (records[:, 1:].reshape(-1, 3, 32, 32) / 255 - mean) / std
    with torch.inference_mode():
        right = int((zoo.load(RESNET20)(images).argmax(1) == records[:, 0]).sum())
    assert abs(right - 455) <= 2  # another order of sums may move a picture on the border


@real
def test_the_real_resnet20_comes_back_from_a_hub_in_the_same_bits(served_hub: Any, tmp_path: Path) -> None:
    folder = tmp_path / "resnet20"
    shutil.copytree(RESNET20, folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    (folder / "README.md").write_text("---\nlicense: bsd-2-clause\n---\n\n# ResNet-20\n")
    zoo.push(folder, "tester/resnet20", hub=served_hub.url, private=True)
    pulled = zoo.pull("hf://tester/resnet20", hub=served_hub.url)
    assert (pulled.folder / "model.safetensors").read_bytes() == (RESNET20 / "model.safetensors").read_bytes()
    images = torch.rand(8, 3, 32, 32)
    with torch.no_grad():
        before, after = zoo.load(RESNET20)(images), zoo.load("hf://tester/resnet20", hub=served_hub.url)(images)
    assert torch.equal(before, after)
