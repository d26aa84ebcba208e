"""What is told of features as they are trained: neighbours, a probe and their rank, which change nothing."""

import pytest
import torch
from zoo_cnn.pretraining.neighbours import FeatureBank, effective_rank, nearest, neighbour_votes

import zoo
from plugins.cnn.tests.tiny import batch, stepper, unit


def test_bank_keeps_the_last_and_counts_all() -> None:
    bank, features = FeatureBank(5, 3), unit(8, 3)
    bank.push(features[:4], torch.arange(4))
    assert bank.filled()[1].tolist() == [0, 1, 2, 3]
    bank.push(2 * features[4:], torch.arange(4, 8))
    kept, labels = bank.filled()
    assert sorted(labels.tolist()) == [3, 4, 5, 6, 7] and int(bank.seen) == 8
    torch.testing.assert_close(kept, features[labels], atol=1e-4, rtol=0)
    bank.push(features[:2], None)
    assert int(bank.seen) == 10 and sorted(bank.filled()[1].tolist()) == [3, 4, 5, 6, 7]


def test_near_neighbours_vote_by_their_cosine() -> None:
    references, labels = unit(30, 4), torch.arange(30) % 3
    queries = unit(7, 4, seed=1)
    votes = neighbour_votes(queries, references, labels, 3, neighbours=5, temperature=0.1)
    for query, vote in zip(queries, votes, strict=True):
        cosines = references @ query
        expected = torch.zeros(3)
        for place in cosines.argsort(descending=True)[:5]:
            expected[labels[place]] += (cosines[place] / 0.1).exp()
        torch.testing.assert_close(vote, expected, rtol=1e-4, atol=0)


def test_none_votes_for_itself() -> None:
    features = unit(3000, 8)
    labels = torch.arange(3000)
    votes = neighbour_votes(features, features, labels, 3000, neighbours=1, leave_own_out=True)
    expected = nearest(features, features, 2)[:, 1]
    assert torch.equal(votes.argmax(1), expected)


def test_rank_tells_collapse_from_spread() -> None:
    assert effective_rank(torch.ones(50, 6)) == pytest.approx(1, abs=1e-3)
    spread = torch.linalg.qr(torch.randn(50, 6, generator=torch.Generator().manual_seed(0)))[0]
    assert effective_rank(spread) == pytest.approx(6, abs=1e-3)
    assert effective_rank(spread[:4]) <= 4.001, "fewer samples than features"


@pytest.mark.parametrize("name", ["simclr", "byol", "dino"])
def test_the_probe_changes_nothing_of_the_backbone(name: str) -> None:
    watched, alone = stepper(name, ("a", "b")), stepper(name)
    for step in range(2):
        watched.step(batch(), step)
        alone.step(batch(labels=False), step)
    theirs = alone.modules["model"].state_dict()
    for key, value in watched.modules["model"].state_dict().items():
        assert torch.equal(value, theirs[key]), key
    assert "linear_probe" in watched.modules and "linear_probe" not in alone.modules


@pytest.mark.parametrize("name", ["simclr", "byol", "dino"])
def test_scores_with_labels_without_and_of_weights_alone(name: str) -> None:
    fresh = stepper(name, ("a", "b"))
    assert set(fresh.recipe.evaluate([batch()])) == {"rankme", "knn"}, "nothing was trained that could be scored"
    fresh.step(batch(), 0)
    scores = fresh.recipe.evaluate([batch(), batch(3)])
    assert set(scores) == {"loss", "rankme", "knn", "linear_probe"}
    assert 0 <= scores["knn"] <= 100 and 0 <= scores["linear_probe"] <= 100
    unlabelled = stepper(name)
    unlabelled.step(batch(labels=False), 0)
    assert set(unlabelled.recipe.evaluate([batch(labels=False)])) == {"loss", "rankme"}
    assert fresh.recipe.export().num_classes == 0, "no head is published that nothing has trained"


def test_pictures_of_many_classes_each_have_no_probe() -> None:
    many = batch()
    many["labels"] = torch.ones(8, 2)
    trained = stepper("simclr", ("a", "b"))
    trained.step(many, 0)
    assert set(trained.recipe.evaluate([many])) == {"loss", "rankme"}
    with pytest.raises(zoo.DataError, match="needs single-label images"):
        stepper("supervised", ("a", "b")).step(many, 0)


def test_probe_and_neighbours_learn_what_is_plain_to_see() -> None:
    dark_or_bright = batch(32)
    dark_or_bright["images"] = dark_or_bright["images"] * 0.2 + 0.7 * dark_or_bright["labels"].view(-1, 1, 1, 1)
    trained = stepper("simclr", ("dark", "bright"), jitter=0.0, probe_rate=0.1)
    for step in range(30):
        trained.step(dark_or_bright, step)
    scores = trained.recipe.evaluate([dark_or_bright])
    assert scores["knn"] == 100 and scores["linear_probe"] == 100
