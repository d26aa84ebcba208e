"""Every recipe trains, resumes and is distributed; on labels and without them, and on other plugins' backbones."""

from pathlib import Path
from typing import Any

import pytest
import torch

from zoo.testing import RecipeTests

CLASSES = ("round", "square", "long")


def images(count: int = 16) -> torch.Tensor:
    return torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(0))


def labels(count: int = 16) -> torch.Tensor:
    return torch.arange(count) % len(CLASSES)


class OnResNet(RecipeTests):
    """Recipes on the smallest ResNet, with labels."""

    __test__ = False
    model = "resnet20"
    classes = CLASSES

    def arguments(self) -> dict[str, Any]:
        return {"depth": 1, "widths": [4, 8, 16], "channels": 1}

    def settings(self) -> dict[str, Any]:
        return {"projection_hidden": 16, "projection_size": 8, "bank_size": 24, "neighbours": 3}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images(), "labels": labels()}


class WithoutLabels:
    """What changes where there are none."""

    classes = ()

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images()}


class TestSupervised(OnResNet):
    __test__ = True
    name = "supervised"

    def settings(self) -> dict[str, Any]:
        return {}


class TestSupervisedOnAnAutoencoder(TestSupervised):
    model = "conv_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "widths": [4, 8], "code_size": 6}


class TestSimCLR(OnResNet):
    __test__ = True
    name = "simclr"


class TestSimCLRWithoutLabels(WithoutLabels, TestSimCLR):
    pass


class TestSimCLROnADenseAutoencoder(TestSimCLR):
    model = "dense_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "code_size": 6}


class TestBYOL(OnResNet):
    __test__ = True
    name = "byol"


class TestBYOLWithoutLabels(WithoutLabels, TestBYOL):
    pass


class TestDINO(OnResNet):
    __test__ = True
    name = "dino"
    steps = 12

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "prototypes": 12, "local_crops": 2}


class TestDINOWithoutLabels(WithoutLabels, TestDINO):
    pass


class TestDINOOnADenseAutoencoder(TestDINO):
    """It takes no smaller pictures, so that local views have the whole size."""

    model = "dense_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "code_size": 6}


class TestDistillation(OnResNet):
    __test__ = True
    name = "distillation"
    teacher: Path

    @pytest.fixture(autouse=True)
    def _loads(self, trained_teacher: Path) -> None:
        self.teacher = trained_teacher

    def settings(self) -> dict[str, Any]:
        return {"teacher": str(self.teacher), "hard_weight": 0.3}


class TestDistillationWithoutLabels(WithoutLabels, TestDistillation):
    pass
