"""What `--check` measures, and what it says of good maps and of those of random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from scipy.stats import spearmanr
from zoo_explain.checking.check import Check, _verdict
from zoo_explain.checking.curves import deletion, edges, insertion, moved, order, road
from zoo_explain.checking.imputing import imputed
from zoo_explain.checking.randomizing import alike, randomized
from zoo_explain.command import command

import zoo


def test_pixels_go_highest_first() -> None:
    ranks = order(torch.tensor([[[0.1, 0.9], [0.5, 0.1]]]))
    assert ranks.tolist() == [[[2, 0], [1, 3]]]  # of equal ones the first


def test_curves_know_where_the_class_is() -> None:
    images = torch.zeros(2, 1, 16, 16)
    images[:, :, 4:8, 4:8] = 1  # what is explained is this square

    def likely(some: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return some[:, 0, 4:8, 4:8].mean((1, 2))

    right, wrong = images[:, 0], images[:, 0].flip(1)
    flat = torch.zeros(1, 1, 1, 1)
    assert (deletion(likely, images, right, flat, 8) < 0.1).all() and (
        deletion(likely, images, wrong, flat, 8) > 0.3
    ).all()
    assert (insertion(likely, images, right, 8) > 0.9).all()
    assert (insertion(likely, images, right, 8) > insertion(likely, images, wrong, 8) + 0.2).all()
    assert (road(likely, images, right, 8) < road(likely, images, wrong, 8) - 0.2).all()


def test_what_is_filled_in_is_the_mean_of_its_neighbours() -> None:
    random = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 9, 7, generator=random)
    gone = torch.rand(2, 9, 7, generator=random) < 0.5
    found = imputed(image, gone, torch.zeros_like(image))
    assert torch.equal(found.movedim(1, 3)[~gone], image.movedim(1, 3)[~gone])
    for place, row, column in gone.nonzero().tolist():
        total, weights = torch.zeros(3), 0.0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                y, x = row + down, column + right
                if (down or right) and 0 <= y < 9 and 0 <= x < 7:
                    weight = 1 / 12 if down and right else 1 / 6
                    total, weights = total + weight * found[place, :, y, x], weights + weight
        assert torch.allclose(found[place, :, row, column], total / weights, atol=1e-4)


def test_maps_are_as_alike_as_scipy_says() -> None:
    random = np.random.default_rng(0)
    one, other = random.integers(0, 9, (2, 5, 6)), random.integers(0, 9, (2, 5, 6))  # with many that are equal
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, other, strict=True)]
    assert np.allclose(alike(torch.tensor(one), torch.tensor(other)).numpy(), expected)
    assert alike(torch.ones(1, 3, 3), torch.rand(1, 3, 3)).tolist() == [0]


def test_weights_are_dealt_out_anew_from_the_head_down(convolutions: Path) -> None:
    model: Any = zoo.load(convolutions)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    shares = []
    for share, made in randomized(model, 0, stages=2):
        same = [name for name, tensor in made.named_parameters() if torch.equal(tensor, before[name])]
        shares.append(share)
        assert "fc.weight" not in same and ("conv1.weight" in same) == (share < 1)
        for name, tensor in made.named_parameters():
            assert torch.equal(tensor.flatten().sort().values, before[name].flatten().sort().values)
    assert shares == [0.5, 1]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_moved_map_has_the_same_numbers() -> None:
    maps = torch.rand(3, 8, 8)
    found = moved(maps, torch.Generator().manual_seed(0))
    assert torch.equal(found.flatten(1).sort(1).values, maps.flatten(1).sort(1).values)
    assert not torch.equal(found, maps)
    assert edges(torch.ones(1, 3, 8, 8)).max() == 0


@pytest.mark.parametrize(
    "figures,flagged,said",
    [
        ((0.4, 9.0, {}, None), True, "no better than the same maps moved elsewhere: do not trust them"),
        ((9.0, 0.4, {}, None), True, "no better than an edge detector does: do not trust them"),
        ((9.0, 9.0, {"1.00": 0.9}, None), True, "hardly change when the weights are random: do not trust them"),
        ((9.0, 9.0, {"1.00": 0.1}, 0.3), False, "lack 30% of what they should add up to"),
        ((9.0, 9.0, {"1.00": 0.1}, 0.01), False, "these maps find what decides, and follow the weights"),
    ],
)
def test_a_verdict_is_in_words(figures: Any, flagged: bool, said: str) -> None:
    found, words = _verdict(*figures)
    assert found is flagged and said in words


def test_the_command_says_it(convolutions: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for place in range(4):
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"{place}.png")
    words = [str(convolutions), str(tmp_path), "--check", "--method", "layercam", "--method", "integrated_gradients"]
    done = CliRunner().invoke(command, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert set(found) == {"layercam", "integrated_gradients"} and found["layercam"]["images"] == 4
    assert found["integrated_gradients"]["complete"] < 0.1 and found["layercam"]["complete"] is None
    assert list(found["layercam"]["followed"]) == ["0.25", "0.50", "0.75", "1.00"]
    assert found["layercam"]["flagged"] and "do not trust" in found["layercam"]["verdict"]  # of noise it knows nothing
    with pytest.raises(zoo.UsageError, match="--check tells nothing of 1 inputs; give 4 or more, or of images --data"):
        CliRunner().invoke(command, [words[0], str(tmp_path / "0.png"), *words[2:]], catch_exceptions=False)


def test_agreement_is_with_each_other(convolutions: Path) -> None:
    explainer: Any = zoo.load(convolutions).explain.explainer("layercam")
    check = Check(explainer.loaded, torch.rand(4, 3, 32, 32), explainer, batch_size=4)
    maps = check.maps(explainer)
    found = check.checked("layercam", explainer, {"layercam": maps, "same": maps}, maps=maps)
    assert found.agreement == {"same": pytest.approx(1)}
