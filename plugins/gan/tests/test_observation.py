"""What a run remembers, the feature space of weights, and what is said and drawn of a generator."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from zoo_gan.features import FeatureSpace
from zoo_gan.memory import Film, PictureBank
from zoo_gan.observation import Observer, along_sphere, drawn_pictures
from zoo_gan.settings import AdversarialSettings

import zoo
from zoo.weights.folder import save_weights

CPU = torch.device("cpu")
INPUTS = zoo.Preprocessing(image_size=(16, 16), channels=1)


@pytest.fixture(autouse=True)
def _own_random_state() -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def flat(value: float, *shape: int) -> torch.Tensor:
    return torch.full(shape, value)


def batches(count: int = 20, size: int = 8) -> list[dict[str, torch.Tensor]]:
    """Return pictures whose brightness is their place in the split."""
    index = torch.arange(count)
    images = (index / count).view(-1, 1, 1, 1).expand(-1, 1, 16, 16)
    return [{"images": images[part], "index": part} for part in index.split(size)]


def observer(classes: tuple[str, ...] = (), **settings: Any) -> Observer:
    model = zoo.create("dcgan", image_size=16, width=4, latent_size=6, classes=len(classes))
    return Observer(AdversarialSettings(score_samples=16, bank_size=8, **settings), model, classes, INPUTS)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return weights that tell three classes of colour pictures of 8 pixels."""
    folder = tmp_path_factory.mktemp("classifier") / "weights"
    arguments = {"image_size": 8, "channels": 3, "widths": [4], "code_size": 5, "num_classes": 3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("conv_autoencoder", **arguments)
    inputs = zoo.Preprocessing(image_size=(8, 8), channels=3, mean=(0.5,) * 3, std=(0.5,) * 3)
    save_weights(folder, model, model_name="conv_autoencoder", arguments=arguments, inputs=inputs)
    return folder


def test_film_keeps_one_frame_a_moment() -> None:
    film = Film(4, (2, 1, 2, 2))
    film.take(flat(0.2, 2, 1, 2, 2))
    film.take(flat(0.4, 2, 1, 2, 2))
    film.advance()
    film.take(flat(0.6, 2, 1, 2, 2))
    (first, before), (second, after) = film.shown()
    assert (first, second) == (0, 1)
    torch.testing.assert_close(before, flat(0.2, 2, 1, 2, 2))
    torch.testing.assert_close(after, flat(0.6, 2, 1, 2, 2))


def test_a_full_film_drops_every_other_frame() -> None:
    film = Film(4, (1, 1, 1, 1))
    for place in range(7):
        film.advance()
        film.take(flat(place / 10, 1, 1, 1, 1))
    assert [parts for parts, _ in film.shown()] == [1, 5, 7], "1 2 3 4, halved to 1 3 and 5 6, halved to 1 5 and 7"
    assert [round(10 * float(frame)) for _, frame in film.shown()] == [0, 4, 6]


def test_bank_keeps_the_last() -> None:
    bank = PictureBank(5, (1, 1, 1))
    for first in (0, 3, 6):
        bank.push(torch.arange(first, first + 3).view(3, 1, 1, 1) / 255)
    assert sorted((255 * bank.filled()).round().flatten().tolist()) == [4, 5, 6, 7, 8]
    bank.push(torch.arange(10).view(10, 1, 1, 1) / 255)
    assert sorted((255 * bank.filled()).round().flatten().tolist()) == [5, 6, 7, 8, 9]


def test_pictures_to_compare_with_are_drawn_from_the_whole_split() -> None:
    chosen = drawn_pictures(batches(), 6, 0)
    assert torch.equal(
        chosen.flatten(1)[:, 0].sort().values, drawn_pictures(batches(size=20), 6, 0)[:, 0, 0, 0].sort().values
    )
    assert len(chosen) == 6 and float(chosen.std()) > 0.1, "a folder lists one class after the other"
    assert not torch.equal(chosen, drawn_pictures(batches(), 6, 1))
    assert len(drawn_pictures(batches(), 100, 0)) == 20
    with pytest.raises(zoo.DataError):
        drawn_pictures([], 6, 0)


def test_the_way_lies_on_the_sphere() -> None:
    start, end = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    way = along_sphere(start, end, torch.tensor([0.0, 0.5, 1.0]))[0]
    torch.testing.assert_close(way, torch.tensor([[1.0, 0.0], [0.5**0.5, 0.5**0.5], [0.0, 1.0]]), atol=1e-3, rtol=0)
    torch.testing.assert_close(along_sphere(start, start, torch.tensor([0.5]))[0], start, atol=1e-3, rtol=0)


def test_features_of_pictures_of_other_sizes_and_channels(classifier: Path) -> None:
    space = FeatureSpace(str(classifier), CPU)
    assert space.name == "conv_autoencoder" and space.num_classes == 3
    features, seen = space(torch.rand(300, 1, 16, 16))
    assert features.shape == (300, 4 * 4 * 4) and seen.shape == (300,) and set(seen.tolist()) <= {0, 1, 2}
    image = torch.rand(2, 3, 8, 8)
    model = zoo.load(classifier)
    expected = model.forward_head(model.forward_features((image - 0.5) / 0.5), pre_logits=True)
    torch.testing.assert_close(space(image)[0], expected)


def test_scores_carry_the_name_of_their_space(classifier: Path) -> None:
    watched = observer(("a", "b", "c"), feature_weights=str(classifier))
    found = watched.scores(batches())
    named = ["frechet", "kid", "precision", "recall", "modes", "as_asked"]
    assert list(found) == ["sliced_wasserstein", *(f"{name}@conv_autoencoder" for name in named), "samples/compared"]
    assert found["samples/compared"] == 16
    assert found == watched.scores(batches()), "the latents are the same every time"
    assert set(observer().scores(batches())) == {"sliced_wasserstein", "samples/compared"}


def test_weights_for_scores_that_are_gone_stop_training_but_no_scoring(tmp_path: Path) -> None:
    watched = observer(feature_weights=str(tmp_path / "gone"))
    assert set(watched.scores(batches())) == {"sliced_wasserstein", "samples/compared"}
    with pytest.raises(zoo.NotFoundError):
        watched.check()


def test_all_pictures_are_drawn(tmp_path: Path, classifier: Path) -> None:
    watched = observer(("a", "b", "c"), feature_weights=str(classifier), accumulate=2)
    for _ in range(3):
        for _ in range(2):
            watched.observe(torch.rand(4, 1, 16, 16))
        watched.scores(batches())
    written = watched.pictures(tmp_path)
    names = ["samples", "training", "steps", "interpolation", "classes", "nearest"]
    assert [path.name for path in written] == [f"{name}.png" for name in names]
    with Image.open(tmp_path / "training.png") as film:
        assert film.n_frames == 3, "one for each time that scores were taken"


def test_without_training_there_is_nothing_to_remember(tmp_path: Path) -> None:
    names = {path.name for path in observer().pictures(tmp_path)}
    assert names == {"samples.png", "interpolation.png"}
