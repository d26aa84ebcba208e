"""dora and rslora learn, keep the base, and export what they have learnt as weights like any others."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from zoo_peft.methods import Decomposed

import zoo

SETTINGS: dict[str, Any] = {"steps": 3, "minimum_steps": 0, "batch_size": 16, "lora_rank": 4, "learning_rate": 0.05}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a small ResNet."""
    torch.manual_seed(0)
    model = zoo.create("resnet18", widths=[8, 8, 8, 8], channels=1)
    inputs = zoo.Preprocessing(image_size=(28, 28), channels=1)
    return zoo.save(model, tmp_path / "weights", inputs=inputs)


@pytest.mark.parametrize("method", ["dora", "rslora"])
def test_a_run_learns_and_exports_plain_weights(method: str, weights: Path, tmp_path: Path) -> None:
    result = zoo.finetune(
        weights,
        task="image-classification",
        data="fashion_mnist_sample",
        out=tmp_path / "run",
        labels=100,
        method=method,
        settings=SETTINGS,
    )
    before, after = zoo.load(weights).state_dict(), zoo.load(result.weights).state_dict()
    assert {name for name in before if "fc" not in name} <= after.keys()
    changed = {name for name in before if "fc" not in name and not torch.equal(before[name], after[name])}
    assert changed == {name for name in changed if name.endswith("weight") and before[name].ndim == 4}
    assert changed


def learner(method: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    network = zoo.create("resnet18", widths=[8, 8, 8, 8], channels=1, num_classes=3)
    return zoo.learner(zoo.FinetuneSettings(method=method, lora_rank=4, **changes), network)


def test_dora_begins_where_the_base_is_and_counts_one_length_for_each_output() -> None:
    torch.manual_seed(0)
    base = zoo.create("resnet18", widths=[8, 8, 8, 8], channels=1, num_classes=3).eval()
    method, inputs = learner("dora"), torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(method.network.eval()(inputs), base(inputs))
    layers = [layer for layer in method.network.modules() if isinstance(layer, Decomposed)]
    assert layers and all(layer.magnitude.shape == layer.base.weight.shape[:1] for layer in layers)
    count = sum(item.numel() for item in method.network.parameters() if item.requires_grad)
    lora = sum(item.numel() for item in learner("lora").network.parameters() if item.requires_grad)
    assert count == lora + sum(layer.magnitude.numel() for layer in layers)


def test_merged_rows_compute_what_was_learnt() -> None:
    method, inputs = learner("dora"), torch.randn(2, 1, 28, 28)
    for parameter in method.network.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn_like(parameter)
    learnt = method.network.eval()(inputs)
    exported = method.export()
    assert not any(isinstance(layer, Decomposed) for layer in exported.modules())
    torch.testing.assert_close(exported(inputs), learnt, atol=1e-5, rtol=1e-4)


def test_a_linear_layer_without_a_bias_is_decomposed_as_well() -> None:
    class Adapted(nn.Module):
        base, down, up, scale = nn.Linear(6, 5, bias=False), nn.Linear(6, 2, bias=False), nn.Linear(2, 5), 1.5

    Adapted.up = nn.Linear(2, 5, bias=False)
    layer, inputs = Decomposed(Adapted()), torch.randn(3, 4, 6)
    layer.magnitude.data *= 2
    found = layer(inputs)
    torch.testing.assert_close(layer.merged()(inputs), found)


def test_rslora_counts_by_the_root_of_the_rank() -> None:
    scales = {layer.scale for layer in learner("rslora", lora_alpha=8.0).network.modules() if hasattr(layer, "scale")}
    assert scales == {8.0 / 2}
