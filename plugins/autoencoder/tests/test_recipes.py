"""Both recipes train, resume and show what they do."""

from typing import Any

import torch

from zoo.testing import RecipeTests


def images() -> torch.Tensor:
    return torch.rand(16, 1, 12, 12, generator=torch.Generator().manual_seed(0))


class TestReconstruction(RecipeTests):
    name = "reconstruction"
    model = "conv_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "widths": [4, 8], "code_size": 6}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images()}


class TestReconstructionByCrossEntropy(TestReconstruction):
    model = "dense_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "code_size": 6}

    def settings(self) -> dict[str, Any]:
        return {"loss": "binary_cross_entropy", "optimizer": "adam", "clip": 1.0}


class TestDenoising(TestReconstruction):
    name = "denoising"
    steps = 12
