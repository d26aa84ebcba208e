"""Every recipe trains, resumes and is distributed, with both players in step; with classes and without."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

import zoo
from zoo.data.draws import Draws
from zoo.engine.average import averaged
from zoo.testing import RecipeTests

CLASSES = ("round", "square", "long")


def images(count: int = 12) -> torch.Tensor:
    return torch.rand(count, 1, 16, 16, generator=torch.Generator().manual_seed(0))


class OnDCGAN(RecipeTests):
    """Recipes on the smallest DCGAN; of the two players the discriminator wins on one batch."""

    __test__ = False
    model = "dcgan"
    lowered = "loss/discriminator"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 16, "width": 4, "latent_size": 6}

    def settings(self) -> dict[str, Any]:
        return {"discriminator_rate": 1e-2, "learning_rate": 1e-4, "score_samples": 8, "bank_size": 16, "ema": 0.0}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images()}


class WithClasses:
    """What changes where the model makes classes."""

    classes = CLASSES

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 16, "width": 4, "latent_size": 6, "classes": 3}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images(), "labels": torch.arange(12) % 3}


class WithAPenalty:
    """What changes where gradients by pictures are penalised."""

    # the gradient of a convolution on one channel has no one layout; DDP says so, and copies it
    @pytest.mark.filterwarnings("ignore:Grad strides do not match:UserWarning")
    @pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
    def test_trains_alike_when_distributed(self, sharding: str) -> None:
        if sharding == "ddp":
            super().test_trains_alike_when_distributed(sharding)
            return
        with pytest.raises(zoo.UsageError, match="--sharding ddp"):
            super().test_trains_alike_when_distributed(sharding)


class TestMinimax(OnDCGAN):
    __test__ = True
    name = "minimax"


class TestNonSaturating(OnDCGAN):
    __test__ = True
    name = "non_saturating"

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "augmentation": "colour_translation_cutout", "ema": 0.9}


class TestNonSaturatingOnTheTextbookGAN(OnDCGAN):
    __test__ = True
    name = "non_saturating"
    model = "dense_gan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 16, "hidden_size": 16, "latent_size": 6}


class TestLeastSquares(WithClasses, OnDCGAN):
    __test__ = True
    name = "least_squares"


class TestHinge(OnDCGAN):
    __test__ = True
    name = "hinge"
    model = "residual_gan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 16, "channels": 1, "width": 4, "latent_size": 6, "classes": 3}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": images(), "labels": torch.arange(12) % 3}


class TestWasserstein(WithAPenalty, OnDCGAN):
    __test__ = True
    name = "wasserstein_gan"

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "discriminator_norm": "none"}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "discriminator_steps": 3}


class TestRelativistic(WithAPenalty, WithClasses, OnDCGAN):
    __test__ = True
    name = "relativistic"

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "discriminator_norm": "none"}


def test_both_players_train_as_two_optimizers_written_out_do() -> None:
    settings = {"weight_decay": 0.1, "clip": 0.5, "schedule": "cosine", "warmup": 0.02, "ema": 0.9}
    made = TestMinimax()
    looped, plain = (made.stepper(channels_last=False, **settings) for _ in range(2))
    made.losses(looped, 0, 4)

    optimizers, peaks = {}, {"discriminator": 1e-2, "generator": 1e-4}
    for name, peak in peaks.items():
        decayed = [one for one in plain.modules[name].parameters() if one.ndim > 1]
        others = [one for one in plain.modules[name].parameters() if one.ndim == 1]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        optimizers[name] = torch.optim.Adam(groups, peak, (0.5, 0.999), fused=True)
    averages = {name: tensor.detach().clone() for name, tensor in averaged(plain.modules).items()}
    for step in range(4):
        factor = (step + 1) / 3 if step < 2 else 0.5 * (1 + math.cos(math.pi * (step - 2) / 98))
        for loss in plain.recipe.step({"index": torch.arange(12), "images": images()}, Draws(0, 0, torch.arange(12))):
            optimizer = optimizers[loss.optimizer]
            for group in optimizer.param_groups:
                group["lr"] = peaks[loss.optimizer] * factor
            optimizer.zero_grad()
            loss.value.backward()
            clip_grad_norm_([one for group in optimizer.param_groups for one in group["params"]], 0.5)
            optimizer.step()
        for name, tensor in averaged(plain.modules).items():
            averages[name].lerp_(tensor.detach(), 1 - min(0.9, (2 + step) / (11 + step)))

    for name, tensor in averaged(looped.modules).items():
        assert torch.equal(tensor, averaged(plain.modules)[name]), name
        assert torch.equal(looped.average.tensors[name], averages[name]), name


@pytest.mark.parametrize("of", [TestWasserstein, TestRelativistic])
def test_a_penalty_on_a_critic_with_batch_norm_is_refused(of: Any) -> None:
    made = of()
    arguments = {**made.arguments(), "discriminator_norm": "batch"}
    stepper = made.stepper(model=zoo.create("dcgan", **arguments), penalty=0.0)
    assert stepper.optimizers, "without a penalty there is nothing against it"
    with pytest.raises(zoo.UsageError, match="discriminator_norm=none"):
        made.stepper(model=zoo.create("dcgan", **arguments))


class TestFreezeDiscriminator(OnDCGAN):
    __test__ = True
    name = "freeze_discriminator"

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "augmentation": "translation"}

    def test_lower_stages_stay_and_all_else_learns(self) -> None:
        stepper = self.stepper()
        before = {key: value.clone() for key, value in stepper.modules["discriminator"].named_parameters()}
        self.losses(stepper, 0, 2)
        after = dict(stepper.modules["discriminator"].named_parameters())
        moved = {key for key, value in before.items() if not torch.equal(value, after[key])}
        assert moved and moved == {key for key in before if not key.startswith("trunk.stages.0.")}
        assert all(parameter.requires_grad for parameter in stepper.recipe.export().parameters())

    def test_from_scratch_nothing_is_frozen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = {**self.settings(), "method": "scratch"}
        monkeypatch.setattr(self, "settings", lambda: settings)
        assert all(parameter.requires_grad for parameter in self.stepper().modules["discriminator"].parameters())

    def test_more_stages_than_there_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = {**self.settings(), "frozen_stages": 9}
        monkeypatch.setattr(self, "settings", lambda: settings)
        with pytest.raises(zoo.UsageError, match="frozen_stages=9"):
            self.stepper()


def test_other_models_than_gans_are_refused(tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="cannot sample"):
        zoo.pretrain("conv_autoencoder", data="fashion_mnist_sample", out=tmp_path / "run", recipe="hinge")
