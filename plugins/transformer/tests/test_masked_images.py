"""Masked image modelling keeps what every recipe keeps; what is hidden is not seen, and is put back in its place."""

from pathlib import Path
from typing import Any

import pytest
import torch
from zoo_transformer.pretraining.masked_images import MaskedImageModelling
from zoo_transformer.pretraining.settings import MaskedImageSettings

import zoo
from zoo.testing import RecipeTests

SMALL: dict[str, Any] = {"width": 24, "depth": 2, "num_heads": 3, "mlp_width": 48, "image_size": 16, "patch_size": 4}
QUICK: dict[str, Any] = {"decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}
INPUTS = zoo.Preprocessing(image_size=(16, 16), channels=3)


def pictures(count: int = 6) -> torch.Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class TestMaskedImageModelling(RecipeTests):
    name = "masked_image_modelling"
    model = "transformer/vit"
    steps = 30

    def arguments(self) -> dict[str, Any]:
        return SMALL

    def settings(self) -> dict[str, Any]:
        return QUICK

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": pictures()}


class TestOfPooledPatches(TestMaskedImageModelling):
    def arguments(self) -> dict[str, Any]:
        return {**SMALL, "pool": "avg", "class_token": False}


def recipe(**settings: Any) -> MaskedImageModelling:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("transformer/vit", **SMALL)
        return MaskedImageModelling(MaskedImageSettings(**{**QUICK, **settings}), model, (), INPUTS)


def test_hidden_patches_change_nothing_that_is_said() -> None:
    made, images = recipe(masked=0.5), pictures()
    order = made._order(zoo.Draws(0, 0, torch.arange(6)))
    patches = made._cut(images)
    noise = torch.rand(patches.shape, generator=torch.Generator().manual_seed(1))
    hidden = torch.ones(6, 16, 1).scatter(1, order[:, :8, None], 0)
    changed = made._joined(torch.where(hidden > 0, noise, patches), images)
    with torch.no_grad():
        assert torch.equal(made.model(images, order, 8), made.model(changed, order, 8))
        assert not torch.equal(made.model(images, order, 8), made.model(changed, order, 16))


def test_patches_are_put_back_where_they_were() -> None:
    made, images = recipe(), pictures()
    assert torch.equal(made._joined(made._cut(images), images), images)
    assert torch.equal(made._cut(images)[0, 1].view(4, 4, 3), images[0, :, :4, 4:8].permute(1, 2, 0))


def test_the_loss_is_that_of_the_authors() -> None:
    """`forward_loss` of facebookresearch/mae, models_mae.py, with norm_pix_loss."""
    made, images = recipe(masked=0.75), pictures()
    draws = zoo.Draws(0, 0, torch.arange(6))
    with torch.no_grad():
        mine = made._loss(images, draws)
        order = made._order(draws)
        said = made.model(images, order, made.seen)
        target = torch.einsum("nchpwq->nhwpqc", images.reshape(6, 3, 4, 4, 4, 4)).reshape(6, 16, 48)
        mean, var = target.mean(dim=-1, keepdim=True), target.var(dim=-1, keepdim=True)
        loss = ((said - (target - mean) / (var + 1.0e-6) ** 0.5) ** 2).mean(dim=-1)
        mask = torch.ones(6, 16).scatter(1, order[:, : made.seen], 0)
    assert made.seen == 4
    torch.testing.assert_close(mine, (loss * mask).sum() / mask.sum())


def test_the_decoder_is_not_published() -> None:
    exported = recipe().export()
    fresh = zoo.create("transformer/vit", **SMALL, num_classes=0)
    assert exported.state_dict().keys() == fresh.state_dict().keys()


def test_other_models_and_other_sizes_are_refused(tmp_path: Path) -> None:
    model = zoo.create("transformer/vit", **SMALL)
    with pytest.raises(zoo.UsageError, match="--arg image_size=N"):
        MaskedImageModelling(
            MaskedImageSettings(),
            model,
            (),
            zoo.Preprocessing(image_size=(20, 20), channels=3),  # type: ignore[arg-type]
        )
    with pytest.raises(zoo.UsageError, match="use another for this model"):
        MaskedImageModelling(MaskedImageSettings(), torch.nn.Linear(2, 2), (), INPUTS)
    with pytest.raises(zoo.UsageError, match="masks none"):
        recipe(masked=0.01)
    with pytest.raises(zoo.UsageError, match="must divide"):
        recipe(decoder_heads=3)
