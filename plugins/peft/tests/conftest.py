"""A small base as transformers stores it, and a function that makes adapters to it as PEFT does."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import zoo
from zoo.testing import served_hub as served_hub

QUERY = "vit.layers.0.attention.q_proj"  # as transformers 5 calls it, and its files do not
KEY = "vit.encoder.layer.1.attention.attention.key"
PATCHES = "vit.embeddings.patch_embeddings.projection"
WIDTH, RANK = 16, 2


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of transformers' with a small ViT, and be where no zoo.lock is."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    sizes = {"width": WIDTH, "depth": 2, "num_heads": 2, "mlp_width": 24, "patch_size": 8, "image_size": 32}
    model = zoo.create("vit", **sizes, num_classes=2)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.4,) * 3, std=(0.3,) * 3)
    ours = zoo.save(model, tmp_path / "ours", task="image-classification", labels=("cat", "dog"), inputs=inputs)
    return zoo.export(ours, to="transformers", out=tmp_path / "base")


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    """Return the matrices of a LoRA by PEFT's names."""
    torch.manual_seed(1)
    shapes = {QUERY: (WIDTH, WIDTH), KEY: (WIDTH, WIDTH), PATCHES: (WIDTH, 3, 8, 8)}
    found = {}
    for name, (outputs, *inputs) in shapes.items():
        found[f"base_model.model.{name}.lora_A.weight"] = torch.randn(RANK, *inputs)
        found[f"base_model.model.{name}.lora_B.weight"] = torch.randn(outputs, RANK, *[1] * (len(inputs) - 1))
    return found


@pytest.fixture
def adapter(base: Path, tensors: dict[str, Tensor], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an adapter; None takes away what it would have."""

    def write(changed: Mapping[str, Tensor | None] | None = None, *, name: str = "adapter", **config: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        known = {"peft_type": "LORA", "base_model_name_or_path": str(base), "r": RANK, "lora_alpha": 6, **config}
        (folder / "adapter_config.json").write_text(json.dumps(known))
        whole = {key: tensor for key, tensor in {**tensors, **(changed or {})}.items() if tensor is not None}
        save_file(whole, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        return folder

    return write
