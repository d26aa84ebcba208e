"""Maps of classes: every method, on convolutions and on patches, at the images' own size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from zoo_explain.images.components import components
from zoo_explain.images.drawing import side_by_side, unit

import zoo

EVERYWHERE = ["integrated_gradients", "smoothgrad", "gradient_shap", "occlusion", "patch_components"]
STAGES, ATTENTION = ["layercam", "gradcam"], ["gradient_attention", "attention_rollout"]


@pytest.mark.parametrize("method", [*EVERYWHERE, *STAGES])
def test_maps_have_the_images_own_size(method: str, convolutions: Path, images: list[Path]) -> None:
    found = zoo.load(convolutions).explain(images, method=method)
    drawn = [result["colors"] if method == "patch_components" else result["map"] for result in found]
    assert [array.shape[:2] for array in drawn] == [(40, 70), (90, 35)]
    assert all(np.isfinite(array).all() and array.any() for array in drawn)


@pytest.mark.parametrize("method", [*EVERYWHERE, *ATTENTION])
def test_patches_need_no_reshape_by_hand(method: str, patches: Path, images: list[Path]) -> None:
    model: Any = zoo.load(patches)
    assert set(model.explain.fitting()) >= {*EVERYWHERE, *ATTENTION}
    (result,) = model.explain(images[0], method=method)
    assert result["colors" if method == "patch_components" else "map"].shape[:2] == (40, 70)


@pytest.mark.parametrize("name", ["convnext_atto", "mobilenetv3_small_100", "efficientnet_b0", "mobilenetv2_100"])
def test_nobody_names_a_layer(name: str, tmp_path: Path, images: list[Path]) -> None:
    model = zoo.create(name, num_classes=3)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3)
    zoo.save(model, tmp_path / "w", task="image-classification", labels=("a", "b", "c"), inputs=inputs)
    assert zoo.load(tmp_path / "w").explain(images[0], method="layercam")[0]["map"].shape == (40, 70)


@pytest.mark.parametrize("method", ["layercam", "integrated_gradients", "smoothgrad", "gradient_shap", "occlusion"])
def test_a_map_does_not_depend_on_the_batch(method: str, convolutions: Path, images: list[Path]) -> None:
    explain = zoo.load(convolutions).explain
    both = explain(images, method=method, batch_size=16)
    again = explain(images, method=method, batch_size=16)
    assert all(np.array_equal(one["map"], other["map"]) for one, other in zip(both, again, strict=True))
    if method in ("layercam", "integrated_gradients", "occlusion"):  # the others draw noise for a batch
        alone = explain(images, method=method, batch_size=1)
        for one, other in zip(both, alone, strict=True):
            assert np.allclose(one["map"], other["map"], atol=1e-4 * np.abs(one["map"]).max())


def test_integrated_gradients_add_up_to_the_difference(convolutions: Path, images: list[Path]) -> None:
    model: Any = zoo.load(convolutions)
    explainer = model.explain.explainer("integrated_gradients")
    pixels, sizes = next(iter(zoo.read_batches(images, explainer.inputs, 2)))
    seen = zoo.as_inputs(pixels, explainer.inputs, next(model.parameters()))
    chosen = explainer.subject.choose(seen, "cat", sizes)
    with torch.no_grad():
        apart = explainer.subject.score(seen, *chosen.arguments)
        apart = apart - explainer.subject.score(explainer.flat(0, seen).expand_as(seen), *chosen.arguments)
    total = explainer.attributions(seen, chosen, 16).sum((1, 2, 3))
    assert torch.allclose(total, apart, atol=0.03 * float(apart.abs().max()))


def test_a_target_is_explained(convolutions: Path, images: list[Path]) -> None:
    explain = zoo.load(convolutions).explain
    found = {name: explain(images[0], target=name)[0] for name in ("ant", "bee", "cat")}
    assert [found[name]["target"] for name in found] == ["ant", "bee", "cat"]
    assert sum(one["score"] for one in found.values()) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(found["ant"]["map"], found["cat"]["map"])
    likeliest = max(found, key=lambda name: found[name]["score"])
    assert explain(images[0])[0]["target"] == likeliest


def test_where_the_model_does_not_look_is_nothing(tmp_path: Path, images: list[Path]) -> None:
    model = zoo.create("resnet20", num_classes=2, depth=1, widths=[4, 8, 16])
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, crop_mode="center")
    zoo.save(model, tmp_path / "w", task="image-classification", labels=("a", "b"), inputs=inputs)
    (found,) = zoo.load(tmp_path / "w").explain(images[0], method="integrated_gradients")
    seen = ~np.isnan(found["map"])  # the middle 40 of 70 columns
    assert seen[:, 15:55].all() and not seen[:, :15].any() and not seen[:, 55:].any()


def test_stages_that_are_tokens_have_another_method(patches: Path, images: list[Path]) -> None:
    with pytest.raises(zoo.UsageError, match="stages of 'vit' are no maps but tokens; choose gradient_attention"):
        zoo.load(patches).explain(images, method="layercam")


def test_convolutions_have_no_attention(convolutions: Path, images: list[Path]) -> None:
    with pytest.raises(zoo.UsageError, match="'resnet20' for image-classification has no attention that decides"):
        zoo.load(convolutions).explain(images, method="gradient_attention")


def test_a_quantized_model_is_named(convolutions: Path, images: list[Path]) -> None:
    model: Any = zoo.load(convolutions)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        parameter.data = parameter.data.to(torch.int8)
    with pytest.raises(zoo.UsageError, match="no weights that gradients pass through, as after quantizing"):
        model.explain(images, method="layercam")


def test_two_kinds_of_parts_have_two_colors() -> None:
    maps = torch.zeros(1, 8, 4, 6)
    maps[:, :4, :, 3:] = 1
    colors, share = components(maps + 1e-3 * torch.randn(maps.shape, generator=torch.Generator().manual_seed(0)))
    assert share > 0.99
    assert (colors[0, :, 3:, 0] - colors[0, :, :3, 0]).abs().min() > 0.9


def test_pictures_lie_side_by_side_with_a_legend() -> None:
    picture = Image.new("RGB", (50, 40), "red")
    ramp = np.linspace(0, 1, 50, dtype=np.float32)[None].repeat(40, 0)
    results = {name: {"target": "cat", "score": 0.5, "map": ramp} for name in ("layercam", "smoothgrad")}
    drawn = np.asarray(side_by_side(picture, results))
    assert drawn.shape[1] > 3 * 250 and drawn.shape[0] > 200
    assert (drawn == (253, 231, 37)).all(2).any() or (drawn.astype(int) - (253, 231, 36) == 0).all(
        2
    ).any()  # the bar's end
    assert unit(np.full((2, 2), -1, np.float32)).max() == 0  # nothing speaks for it
