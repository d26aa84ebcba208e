"""Every recipe trains, resumes, shows what it does, and minimises what its formula says."""

import math
from typing import Any

import pytest
import torch
from zoo_autoencoder.pretraining.penalized import discrepancy
from zoo_autoencoder.pretraining.reconstruction import corrupted
from zoo_autoencoder.pretraining.settings import DenoisingSettings

import zoo
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.testing import RecipeTests
from zoo.training.named_recipe import make_recipe


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


class TestSparse(TestReconstruction):
    name = "sparse"


class TestContractive(TestReconstruction):
    name = "contractive"
    steps = 12


class TestVariational(TestReconstruction):
    name = "variational"
    model = "variational_autoencoder"
    steps = 12

    def settings(self) -> dict[str, Any]:
        return {"free_bits": 0.01, "learning_rate": 1e-2}


class TestVariationalOfLinearLayersWithNormalPixels(TestVariational):
    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "hidden_sizes": [20], "code_size": 6}

    def settings(self) -> dict[str, Any]:
        return {"loss": "mean_squared_error", "beta": 0.5}


class TestWasserstein(TestReconstruction):
    name = "wasserstein"
    steps = 12


class TestVectorQuantized(TestReconstruction):
    name = "vector_quantized"
    model = "vector_quantized_autoencoder"
    steps = 20

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "widths": [4, 8], "code_size": 6, "codebook_size": 8}


def test_the_bound_is_that_of_a_linear_model_in_closed_form() -> None:
    """Without an encoder's say (mean 0, variance 1) the divergence is nothing, and the bound the likelihood alone."""
    model: Any = zoo.create("variational_autoencoder", image_size=4, hidden_sizes=[3], code_size=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    recipe = made("variational", model)
    found = recipe.evaluate([{"images": torch.full((5, 1, 4, 4), 0.25), "index": torch.arange(5)}])
    assert found["divergence"] == 0 and found["active"] == 0
    assert found["elbo"] == pytest.approx(-16 * math.log(2), rel=1e-5)  # each pixel is a half, whatever it is
    assert "bits_per_dimension" not in found, "binary cross-entropy is no likelihood of bytes"
    found = made("variational", model, loss="mean_squared_error", deviation=0.5).evaluate(
        [{"images": torch.full((5, 1, 4, 4), 0.25), "index": torch.arange(5)}]
    )
    # The density of one byte: a normal of mean 127.5 and deviation 127.5, at 63.75
    density = math.exp(-0.5 * 0.5**2) / (127.5 * math.sqrt(2 * math.pi))
    assert found["bits_per_dimension"] == pytest.approx(-math.log2(density * 255 / 256), rel=1e-5)


def test_the_jacobian_is_that_of_a_linear_encoder() -> None:
    model: Any = zoo.create("dense_autoencoder", image_size=4, code_size=3)
    with torch.no_grad():
        model.encoder[0][0].bias.fill_(100.0)  # far into the linear part of every ReLU
    recipe = made("contractive", model, step=0.1)
    images = torch.rand(4096, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    (loss,) = recipe.step({"images": images}, zoo.Draws(0, 0, torch.arange(4096)))
    expected = float(model.encoder[0][0].weight.detach().square().sum()) / 3
    assert float(loss.metrics["jacobian"]) == pytest.approx(expected, rel=0.05)


def test_without_a_corruption_denoising_is_reconstruction() -> None:
    model: Any = zoo.create("conv_autoencoder", image_size=12, widths=[4, 8], code_size=6)
    plain = made("reconstruction", model)
    nothing = made("denoising", model, noise=0.0, crop_area=1.0, covered=0)
    batch, draws = {"images": images()}, zoo.Draws(0, 0, torch.arange(16))
    (expected,), (loss,) = plain.step(batch, draws), nothing.step(batch, draws)
    assert torch.equal(loss.value, expected.value)
    (hard,) = made("denoising", model).step(batch, draws)
    assert not torch.equal(hard.value, expected.value)


def test_corruptions_hide_what_they_say_and_leave_the_pictures_alone() -> None:
    seen = images()
    kept, draws = seen.clone(), zoo.Draws(0, 0, torch.arange(16))
    covered = corrupted(seen, DenoisingSettings(noise=0.0, crop_area=1.0, covered=1), draws)
    shares = (covered != seen).flatten(1).double().mean(1)
    assert torch.equal(seen, kept) and float(shares.min()) > 0.02 and float(shares.max()) < 0.4
    cut = corrupted(seen, DenoisingSettings(noise=0.0, crop_area=0.25, covered=0), draws)
    assert cut.shape == seen.shape and not torch.equal(cut, seen)


def test_discrepancy_tells_the_prior_from_others() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 500, 4, generator=generator)
    assert abs(float(discrepancy(first, second))) < 0.02
    assert float(discrepancy(first + 2, second)) > 0.5


def test_discrepancy_is_the_unbiased_estimate_pair_by_pair() -> None:
    """Tolstikhin et al., 2018, algorithm 2, with inverse multiquadratic kernels."""
    first, second = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        away = float((a - b).square().sum())
        return sum(6 * scale / (6 * scale + away) for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))

    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    within = sum(kernel(rows[a], rows[b]) for rows in (first, second) for a, b in pairs) / 20
    between = sum(kernel(a, b) for a in first for b in second) / 25
    assert float(discrepancy(first, second)) == pytest.approx(within - 2 * between)


def test_the_divergence_is_that_of_two_normals() -> None:
    model: Any = zoo.create("variational_autoencoder", image_size=12, widths=[4, 8], code_size=6)
    recipe: Any = made("variational", model.eval())
    with torch.no_grad():
        _, found = recipe._bound(images(), zoo.Draws(0, 0, torch.arange(16)))
        mean, log_variance = model.posterior(images())
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_entries_follow_their_codes_and_unused_ones_are_revived() -> None:
    model: Any = zoo.create("vector_quantized_autoencoder", image_size=12, widths=[4, 8], code_size=6, codebook_size=16)
    with torch.no_grad():
        model.codebook[1:] = 1e3  # nothing is ever assigned to these
    recipe = made("vector_quantized", model)
    batch = {"images": images(), "index": torch.arange(16)}
    used = []
    for epoch in range(4):
        used += [float(loss.metrics["used"]) for loss in recipe.step(batch, zoo.Draws(0, epoch, torch.arange(16)))]
    assert float(model.codebook.abs().max()) < 100
    assert used[0] == 1 / 16 and used[-1] > 0.5


@pytest.mark.parametrize("recipe", ["variational", "vector_quantized", "sparse", "wasserstein"])
def test_a_model_that_lacks_what_is_asked_is_refused_by_name(recipe: str) -> None:
    with pytest.raises(zoo.UsageError, match="TinyAutoencoder"):
        made(recipe, zoo.create("tiny_autoencoder"))


def made(name: str, model: torch.nn.Module, **settings: Any) -> Any:
    offer = default_registry().recipe(name)
    inputs = zoo.Preprocessing(image_size=(12, 12), channels=1)
    return make_recipe(offer, settings_from(offer, settings), model, (), inputs)
