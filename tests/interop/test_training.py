"""Training and scores are those of transformers, timm, scikit-learn and torchmetrics: `make test-interop`."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo.data.augmentation.mixing import cutmix, mixup
from zoo.engine.average import Average
from zoo.engine.distribution import Distribution
from zoo.engine.schedule import rate
from zoo.specs.settings import TrainingSettings
from zoo.tasks.class_scores import confusion_counts
from zoo.tasks.multi_label import class_loss, multi_label_scores
from zoo.tasks.text.classification import TextClassification

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
from tests.interop.test_text import GPT2  # noqa: E402  # behind what is skipped without

timm = pytest.importorskip("timm", reason="needs timm: make test-interop")


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_cosine_is_transformers_behind_the_warm_up() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = transformers.get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=10, num_training_steps=100)
    settings = TrainingSettings(warmup=0.1)
    for step in range(100):
        if step >= 10:
            assert rate(step, 100, settings) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_perplexity_is_transformers_of_each_text(tmp_path: Path, randomised: Any) -> None:
    torch.manual_seed(0)
    model = randomised(transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT2)))
    model.save_pretrained(tmp_path)
    ours: Any = zoo.load(tmp_path)
    ids = torch.randint(3, 88, (1, 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        loss = float(model(ids, labels=ids).loss)
        mine = F.cross_entropy(ours.lm_logits(ours.forward_features(ids))[0, :-1], ids[0, 1:])
    assert math.exp(float(mine)) == pytest.approx(math.exp(loss), rel=1e-5)


def test_smoothed_labels_are_timms_and_transformers() -> None:
    from timm.loss import LabelSmoothingCrossEntropy
    from transformers.trainer_pt_utils import LabelSmoother

    logits, labels = drawn(16, 7), torch.arange(16) % 7
    mine = float(class_loss(logits, labels, 0.1, several=False))
    assert mine == pytest.approx(float(LabelSmoothingCrossEntropy(0.1)(logits, labels)), rel=1e-6)
    assert mine == pytest.approx(float(LabelSmoother(0.1)({"logits": logits}, labels)), rel=1e-6)


@pytest.mark.parametrize("function", [mixup, cutmix])
def test_mixed_pictures_are_timms_for_the_same_share(function: Any) -> None:
    """timm blends with the batch turned round, too; its targets are lam · own + (1 - lam) · other."""
    images, labels = torch.rand(6, 3, 8, 8), torch.arange(6) % 3
    targets = F.one_hot(labels, 3).float()
    blended, shares = function(images, targets, zoo.Draws(0, 0, torch.arange(6)))
    own = ((shares - targets.flip(0)) * (targets - targets.flip(0))).sum(1)
    apart = ((targets - targets.flip(0)) ** 2).sum(1)
    for place in (row for row in range(6) if apart[row] > 0):
        lam = float(own[place] / apart[place])
        theirs = timm.data.mixup.mixup_target(labels, 3, lam)[place]
        torch.testing.assert_close(shares[place], theirs, atol=1e-6, rtol=0)
        if function is mixup:
            torch.testing.assert_close(blended[place], images[place] * lam + images.flip(0)[place] * (1 - lam))
        else:
            kept = (blended[place] == images[place]).all(0).float().mean()
            assert float(kept) == pytest.approx(lam, abs=1e-6)


def test_the_moving_average_is_timms() -> None:
    """Once it is warm: to begin with the average takes in more (TensorFlow's `num_updates`)."""
    from timm.utils import ModelEmaV3

    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    theirs = ModelEmaV3(model, decay=0.9, use_warmup=False)
    mine = Average({"model": model}, 0.9, Distribution(torch.device("cpu")))
    for step in range(1000, 1060):
        with torch.no_grad():
            model.weight.add_(drawn(2, 3, seed=step))
        theirs.update(model, step=step)
        mine.update(step)
    with mine.in_place():
        torch.testing.assert_close(model.weight.detach(), theirs.module.weight.detach())


def test_scores_of_classes_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    logits, true = drawn(200, 6), torch.randint(0, 5, (200,), generator=torch.Generator().manual_seed(1))
    said = logits.argmax(1)
    counts = confusion_counts(logits, true, 6)
    assert counts.tolist() == metrics.confusion_matrix(true, said, labels=range(6)).tolist()
    scored = TextClassification.scores(type("Scored", (), {"classes": tuple("abcdef")})(), logits, true)
    assert scored["accuracy"] == pytest.approx(100 * metrics.accuracy_score(true, said))
    assert scored["f1_macro"] == pytest.approx(100 * metrics.f1_score(true, said, average="macro"))
    assert scored["loss"] == pytest.approx(
        metrics.log_loss(true, logits.double().softmax(1), labels=range(6)), rel=1e-5
    )


def test_average_precision_of_labels_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    logits = drawn(120, 4)
    labels = (drawn(120, 4, seed=2) > 0.4).to(torch.uint8)
    scored = multi_label_scores(logits, labels, tuple("abcd"))
    each = metrics.average_precision_score(labels.numpy(), logits.numpy(), average=None)
    assert [scored[f"ap/{name}"] for name in "abcd"] == pytest.approx([100 * value for value in each])
    assert scored["map"] == pytest.approx(100 * float(each.mean()))
    said = (logits > 0).numpy()
    assert scored["f1_macro"] == pytest.approx(100 * metrics.f1_score(labels.numpy(), said, average="macro"))


def test_frechet_and_kernel_distances_are_torchmetrics() -> None:
    image = pytest.importorskip("torchmetrics.image.kid")
    frechet = pytest.importorskip("torchmetrics.image.fid")
    from zoo_gan import scores

    real, made = drawn(300, 8), 0.7 * drawn(300, 8, seed=3) + 0.5
    theirs = frechet._compute_fid(real.mean(0), real.T.cov(), made.mean(0), made.T.cov())
    assert float(scores.frechet_distance(real, made)) == pytest.approx(float(theirs), rel=1e-3)
    kernel = image.poly_mmd(real, made)
    assert float(scores.kernel_distance(real, made, subsets=1, size=300)) == pytest.approx(float(kernel), rel=1e-4)
