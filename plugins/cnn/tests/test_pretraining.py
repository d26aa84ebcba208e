"""What the recipes are made of, each against its definition; and what stays untouched while they train."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.dino import Centre, _cross_entropy
from zoo_cnn.pretraining.distillation import divergence
from zoo_cnn.pretraining.momentum import follow, teacher_of
from zoo_cnn.pretraining.neighbours import FeatureBank, effective_rank, nearest, neighbour_votes
from zoo_cnn.pretraining.settings import SimCLRSettings
from zoo_cnn.pretraining.simclr import nt_xent
from zoo_cnn.pretraining.views import size_of_views, two_views

import zoo
from zoo.engine.stepper import Stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.named_recipe import make_recipe

TINY = {"depth": 1, "widths": [4, 8, 16], "channels": 1}
INPUTS = zoo.Preprocessing(image_size=(12, 12), channels=1)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def stepper(name: str, classes: tuple[str, ...] = (), model: str = "resnet20", **settings: Any) -> Stepper:
    torch.manual_seed(0)
    offer = default_registry().recipe(name)
    small = {"projection_hidden": 16, "projection_size": 8, "bank_size": 32, "neighbours": 3}
    chosen = settings_from(offer, {**(small if name in ("simclr", "byol", "dino") else {}), "warmup": 0.0, **settings})
    return Stepper(make_recipe(offer, chosen, zoo.create(model, **TINY), classes, INPUTS), chosen, 10)


def batch(count: int = 8, *, labels: bool = True) -> dict[str, torch.Tensor]:
    images = torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    index = torch.arange(count)
    return {"images": images, "index": index, **({"labels": index % 2} if labels else {})}


@pytest.fixture(autouse=True)
def _own_random_state() -> Any:
    with torch.random.fork_rng(devices=[]):
        yield


def test_contrastive_loss_is_its_formula() -> None:
    views = unit(5, 2, 4)
    flat, terms = views.flatten(0, 1), []
    for i in range(10):
        exponents = [(flat[i] @ flat[k] / 0.3).exp() for k in range(10)]
        terms.append(-torch.log(exponents[i ^ 1] / (sum(exponents) - exponents[i])))
    torch.testing.assert_close(nt_xent(views, views, 0, 0.3), torch.stack(terms).mean())


def test_contrastive_loss_of_a_share_takes_all_as_negatives() -> None:
    views = unit(6, 2, 4)
    parts = [nt_xent(views[start : start + 3], views, start, 0.3) for start in (0, 3)]
    torch.testing.assert_close(torch.stack(parts).mean(), nt_xent(views, views, 0, 0.3))


GRADIENTS = """
import sys, torch, torch.distributed as dist
from zoo_cnn.pretraining.processes import averaged, gathered
from zoo_cnn.pretraining.simclr import nt_xent
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=sys.argv[2], rank=rank, world_size=2)
views = torch.randn(6, 2, 4, generator=torch.Generator().manual_seed(0))
own = views[3 * rank : 3 * rank + 3].clone().requires_grad_()
everything, start = gathered(own)
nt_xent(own, everything, start, 0.5).backward()
whole = views.clone().requires_grad_()
nt_xent(whole, whole, 0, 0.5).backward()
# of the mean over two processes' losses
torch.testing.assert_close(own.grad / 2, whole.grad[3 * rank : 3 * rank + 3])
torch.testing.assert_close(averaged(torch.tensor([2.0 * rank])), torch.tensor([1.0]))
dist.destroy_process_group()
"""


def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    where = f"file://{tmp_path / 'store'}"
    arguments = [[sys.executable, "-c", GRADIENTS, str(rank), where] for rank in range(2)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [subprocess.Popen(a, env=environment, stderr=subprocess.PIPE, text=True) for a in arguments]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def test_the_loss_of_dino_is_that_of_its_authors() -> None:
    """`DINOLoss.forward` of facebookresearch/dino, main_dino.py: every global view of the teacher, all other views."""
    student = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(0))
    teacher = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(1))
    targets = ((teacher - 0.3) / 0.04).softmax(-1)
    total, count = torch.zeros(()), 0
    for place, target in enumerate(targets):
        for view, said in enumerate(student / 0.1):
            if view != place:
                total, count = total + torch.sum(-target * F.log_softmax(said, dim=-1), dim=-1).mean(), count + 1
    torch.testing.assert_close(_cross_entropy(targets, (student / 0.1).log_softmax(-1)), total / count)


def test_the_loss_of_byol_is_that_of_its_authors() -> None:
    """`regression_loss` of deepmind-research/byol, for each of the two views' predictions of the other."""
    recipe: Any = stepper("byol").recipe
    images, draws = batch()["images"], zoo.Draws(0, 0, torch.arange(8))
    with torch.no_grad():
        mine = recipe._loss(images, draws)
        views = two_views(images, draws, recipe.settings, recipe.observer.size)
        online = recipe.predictor(recipe.projector(pooled(recipe.model, views, INPUTS)))
        targets = recipe.teacher_projector(pooled(recipe.teacher, views, INPUTS))
        terms = []
        for said, target in zip(online.chunk(2), reversed(targets.chunk(2)), strict=True):
            x, y = said / said.norm(dim=1, keepdim=True), target / target.norm(dim=1, keepdim=True)
            terms.append((2 - 2 * (x * y).sum(1)).mean())
    torch.testing.assert_close(mine, torch.stack(terms).mean())


def test_distillation_matches_softened_classes() -> None:
    mine, theirs = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    q, p = (mine / 2).softmax(1), (theirs / 2).softmax(1)
    torch.testing.assert_close(divergence(mine, theirs, 2.0), 4 * (p * (p / q).log()).sum())
    assert float(divergence(mine, mine, 2.0)) == 0


def test_teacher_moves_by_its_momentum_however_many_micro_batches() -> None:
    student = torch.nn.BatchNorm1d(3)
    teacher, again = teacher_of(student), teacher_of(student)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    torch.nn.init.constant_(student.weight, 5.0)
    student.running_mean.fill_(7.0)
    follow(teacher, student, 0.9)
    for _ in range(4):
        follow(again, student, 0.9, share=4)
    torch.testing.assert_close(teacher.weight, torch.full((3,), 1.4))
    torch.testing.assert_close(again.weight, teacher.weight)
    assert float(teacher.running_mean.abs().max()) == 0, "running statistics are the teacher's own"


def test_centre_is_a_moving_average() -> None:
    centre = Centre(2)
    centre.move(torch.tensor([[1.0, 0.0], [3.0, 0.0]]), 0.9)
    torch.testing.assert_close(centre.values, torch.tensor([0.2, 0.0]))


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


def test_views_are_two_and_smaller_where_the_model_takes_that() -> None:
    settings = SimCLRSettings(jitter=0.0)
    images = batch()["images"]
    views = two_views(images, zoo.Draws(0, 0, torch.arange(8)), settings, [9, 9])
    assert views.shape == (16, 1, 9, 9)
    assert not torch.allclose(views[:8], views[8:])
    assert size_of_views(zoo.create("resnet20", **TINY), INPUTS, 0.75) == [9, 9]
    assert size_of_views(zoo.create("dense_autoencoder", image_size=12), INPUTS, 0.75) == [12, 12]


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


def test_distillation_says_what_it_needs(trained_teacher: Path) -> None:
    with pytest.raises(zoo.UsageError, match="--set teacher=WEIGHTS"):
        stepper("distillation")
    with pytest.raises(zoo.UsageError, match="tells 3 classes"):
        stepper("distillation", ("cat", "dog"), teacher=str(trained_teacher))
    with pytest.raises(zoo.NotFoundError):
        stepper("distillation", teacher=str(trained_teacher / "gone"))
    taught = stepper("distillation", teacher=str(trained_teacher))
    assert set(taught.recipe.evaluate([batch(labels=False)])) == {"agreement"}


def test_a_distilled_model_is_scored_where_its_teacher_has_gone(trained_teacher: Path) -> None:
    offer = default_registry().recipe("distillation")
    settings = settings_from(offer, {"teacher": str(trained_teacher / "gone")})
    model = zoo.create("resnet20", **TINY, num_classes=2)
    recipe = make_recipe(offer, settings, model, ("a", "b"), INPUTS)
    assert set(recipe.evaluate([batch()])) == {"accuracy", "loss"}


def test_pretraining_goes_from_the_shell_to_finetuned_weights(tmp_path: Path) -> None:
    settings = {"steps": 2, "batch_size": 32, "projection_hidden": 16, "bank_size": 64, "evaluations": 1}
    run = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "simclr",
        recipe="simclr",
        settings=settings,
        arguments={"depth": 1, "widths": [4, 8, 16]},
    )
    assert {"loss", "rankme", "knn", "linear_probe"} <= set(run.scores)
    assert {path.name for path in run.pictures} == {"curves.png", "views.png", "neighbours.png", "features.png"}
    assert zoo.describe(run.folder).labels == ()
    scores = zoo.evaluate(run.folder, data="fashion_mnist_sample")
    assert set(scores) == {"rankme", "knn"}
    supervised = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "supervised",
        settings={"steps": 2, "batch_size": 32, "mixing": "mixup_cutmix", "augmentation": "randaugment", "ema": 0.9},
        arguments={"depth": 1, "widths": [4, 8, 16], "drop_path_rate": 0.1},
    )
    block = zoo.describe(supervised.folder)
    assert len(block.labels) == 10 and block.task == "image-classification"
    assert json.loads((supervised.folder / "run.json").read_text())["recipe"] == "supervised"
    taught = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "taught",
        recipe="distillation",
        settings={"steps": 2, "batch_size": 32, "teacher": str(supervised.folder)},
        arguments={"depth": 1, "widths": [4, 8, 16]},
    )
    assert {"agreement", "accuracy", "loss"} == set(taught.scores)


def test_supervised_refuses_pictures_without_labels(tmp_path: Path) -> None:
    from PIL import Image

    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for place in range(4):
            Image.new("L", (12, 12), 60 * place).save(tmp_path / split / f"{place}.png")
    with pytest.raises(zoo.DataError, match="has no labels"):
        zoo.pretrain("resnet20", data=str(tmp_path), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batch_size": 4, "accumulate": 4}])
def test_simclr_needs_pictures_to_tell_apart(settings: dict[str, int]) -> None:
    with pytest.raises(zoo.UsageError, match="leaves one; set batch_size=[28] or more"):
        stepper("simclr", **settings)
