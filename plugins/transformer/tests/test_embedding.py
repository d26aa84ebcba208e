"""A ViT's vectors are what its head gets."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

import zoo
from zoo.weights.folder import save_weights


def test_a_vit_makes_vectors(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"width": 16, "depth": 2, "num_heads": 2, "mlp_width": 32, "image_size": 16}
    arguments |= {"patch_size": 4, "num_classes": 3}
    inputs = zoo.Preprocessing(image_size=(16, 16), channels=3)
    save_weights(tmp_path / "w", zoo.create("vit", **arguments), model_name="vit", arguments=arguments, inputs=inputs)
    model: Any = zoo.load(tmp_path / "w")
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 16), np.uint8)
    with torch.no_grad():
        features = model.forward_features(torch.from_numpy(image)[None] / 255)
    assert torch.allclose(model.embed([image]), features[:, 0])
