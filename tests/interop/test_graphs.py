"""Exported graphs compute the same without Zoo, in batches of any size."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.registry.registry import default_registry
from zoo.weights.folder import save_weights

NAMES = ["resnet18", "convnext_atto", "mobilenetv3_small_100", "efficientnet_b0", "resnet20", "vit_tiny_patch16_224"]


@pytest.mark.parametrize("name", NAMES)
def test_onnx(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    pytest.importorskip("onnxscript", reason="needs onnx and onnxscript: make test-interop")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: make test-interop")
    folder, model = saved(name)
    session = onnxruntime.InferenceSession(zoo.export(folder, to="onnx", out=tmp_path / "model.onnx"))

    class Graph(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(session.run(["outputs"], {"images": images.numpy()})[0])

    for batch in (1, 2, 5):
        assert_alike(model, Graph(), torch.randn(batch, 3, 96, 96))


NAMED = """
from torch import nn
import zoo

class Named(nn.Module):
    def __init__(self, *, num_classes: int = 2):
        super().__init__()
        self.num_classes = num_classes
        for name in {names!r}:
            setattr(self, name, nn.Linear(4, 4))
        self.head = nn.Linear(4, num_classes)

    def forward(self, images):
        x = images.flatten(1)[:, :4]
        for name in {names!r}:
            x = getattr(self, name)(x)
        return self.head(x)

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="named", family="cnn", summary="Named as torch's own", target="zoo_named:Named",
                        task="image-classification", license="MIT")
"""


def test_onnx_of_modules_that_are_named_as_attributes_of_the_exporter(site: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs onnx and onnxscript: make test-interop")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: make test-interop")
    site.install("zoo-named", NAMED.format(names=["code", "graph", "module", "range_constraints"]))
    default_registry.cache_clear()
    model = zoo.create("named")
    inputs = zoo.Preprocessing(image_size=(4, 4), channels=1)
    save_weights(tmp_path / "named", model, model_name="named", arguments={}, labels=("a", "b"), inputs=inputs)
    path = zoo.export(tmp_path / "named", to="onnx", out=tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(path)
    images = torch.rand(3, 1, 4, 4)
    found = torch.from_numpy(session.run(["outputs"], {"images": images.numpy()})[0])
    assert torch.allclose(model.eval()(images), found, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_torch_export(name: str, tmp_path: Path, saved: Any) -> None:
    folder, model = saved(name)
    program = torch.export.load(zoo.export(folder, to="torch-export", out=tmp_path / "model.pt2"))
    for batch in (1, 2, 5):
        images = torch.randn(batch, 3, 96, 96)
        with torch.no_grad():
            assert torch.allclose(model(images), program.module()(images), rtol=1e-4, atol=1e-4)
