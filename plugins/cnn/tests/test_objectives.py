"""What the recipes minimise, each against its definition."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.dino import Centre, _cross_entropy
from zoo_cnn.pretraining.distillation import divergence
from zoo_cnn.pretraining.momentum import follow, teacher_of
from zoo_cnn.pretraining.simclr import nt_xent
from zoo_cnn.pretraining.views import two_views

import zoo
from plugins.cnn.tests.tiny import INPUTS, batch, stepper, unit


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
