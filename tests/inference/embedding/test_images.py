"""`model.embed` of images: what the head would get, by the preprocessing of the weights, the same in any batch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.errors import DataError, UsageError

Weights = Callable[..., Path]


def test_the_features_that_the_head_gets_whatever_the_batches(weights: Weights, photos: Path) -> None:
    model = zoo.load(weights(image_size=(16, 16), crop=0.8))
    paths = sorted(photos.rglob("*.png"))
    vectors = model.embed(paths)
    assert isinstance(model.embed, zoo.Embeds) and vectors.shape == (9, 6) and not vectors.requires_grad
    with Image.open(paths[0]) as image:  # 40 x 30 covers 20 x 20 as 26 x 20, of which the middle is 16 x 16
        scaled = image.convert("L").resize((26, 20), Image.Resampling.BILINEAR).crop((5, 2, 21, 18))
    pixels = (torch.from_numpy(np.array(scaled))[None, None].float() / 255 - 0.4) / 0.2
    with torch.no_grad():
        assert torch.allclose(vectors[0], model.stem(pixels).relu().mean((2, 3))[0], atol=1e-6)
    opened = model.embed([Image.open(path) for path in paths], batch_size=2)
    alone = torch.cat([model.embed(str(path)) for path in paths])
    assert torch.allclose(opened, vectors, atol=1e-6) and torch.allclose(alone, vectors, atol=1e-6)


def test_vectors_of_length_one(weights: Weights, photos: Path) -> None:
    embed = zoo.load(weights()).embed
    paths = sorted(photos.rglob("*.png"))
    plain, normalized = embed(paths), embed(paths, normalize=True)
    assert torch.allclose(normalized * plain.norm(dim=1, keepdim=True), plain)
    assert embed([]).shape == (0, 6)


def test_arrays_are_taken_in_the_size_of_the_weights(weights: Weights) -> None:
    embed = zoo.load(weights()).embed
    grey = np.full((1, 28, 28), 102, np.uint8)
    assert torch.allclose(embed([grey]), embed(Image.fromarray(grey[0])))
    with pytest.raises(DataError, match=r"float64 of shape \(28, 28\); give uint8 of shape \(1, 28, 28\)"):
        embed([np.zeros((28, 28))])
    with pytest.raises(UsageError, match="batch_size is 0"):
        embed([grey], batch_size=0)


def test_an_autoencoder_keeps_its_own_method(weights: Weights) -> None:
    model = zoo.load(weights("coder"))
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(model.embed(images), images.flatten(1)[:, :5] * 2)


def test_a_model_that_is_not_the_stored_one_makes_no_vectors(weights: Weights) -> None:
    assert not hasattr(zoo.load(weights(), num_classes=3), "embed")


def test_a_data_set_names_its_files_and_splits(weights: Weights, photos: Path) -> None:
    from zoo.modalities.data_source import data_source, with_options

    embed = zoo.load(weights()).embed
    source = with_options(data_source(str(photos), None, None), "image")
    samples = embed.data(source, "all")  # type: ignore[attr-defined]
    assert sorted(samples.names) == [f"{'abc'[place // 3]}/{place}.png" for place in range(9)]
    for item, name in zip(samples.items, samples.names, strict=True):
        assert item == photos / name
    test = embed.data(source, "test")  # type: ignore[attr-defined]
    assert list(test.names) == samples.names[: len(test.names)] and len(test.names) == 3
    assert test.fingerprint != samples.fingerprint
    with pytest.raises(UsageError, match="has no split 'dev'; it has test, train, or take all"):
        embed.data(source, "dev")  # type: ignore[attr-defined]
    named = embed.data(with_options(data_source("fashion_mnist_sample", None, None), "image"), "all")  # type: ignore[attr-defined]
    assert (named.names[0], named.names[-1], len(named.names)) == ("test/0", "train/1999", 2500)
    assert named.items[500].shape == (1, 28, 28) and not np.array_equal(named.items[499], named.items[500])
