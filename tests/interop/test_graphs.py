"""Exported graphs compute the same without Zoo, in batches of any size."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo

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


@pytest.mark.parametrize("name", NAMES)
def test_torch_export(name: str, tmp_path: Path, saved: Any) -> None:
    folder, model = saved(name)
    program = torch.export.load(zoo.export(folder, to="torch-export", out=tmp_path / "model.pt2"))
    for batch in (1, 2, 5):
        images = torch.randn(batch, 3, 96, 96)
        with torch.no_grad():
            assert torch.allclose(model(images), program.module()(images), rtol=1e-4, atol=1e-4)
