"""One optimizer step: accumulated, weighted, clipped, averaged, in half precision."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from players import Adversaries, made, run, weights
from torch import Tensor

from zoo.data.draws import Draws
from zoo.engine.distribution import Distribution
from zoo.engine.recipe import Batch, Loss
from zoo.engine.stepper import Stepper
from zoo.errors import PluginError
from zoo.specs.settings import TrainingSettings

ALONE = Distribution(torch.device("cpu"))


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield


def trained(**settings: Any) -> dict[str, Tensor]:
    stepper = made(ALONE, **settings)
    run(stepper)
    return weights(stepper)


def furthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert set(one) == set(other)
    return max(float((tensor - other[name]).abs().max()) for name, tensor in one.items())


@pytest.mark.parametrize("accumulate", [2, 3, 12])
def test_accumulation_equals_the_large_batch(accumulate: int) -> None:
    assert furthest(trained(), trained(accumulate=accumulate)) < 1e-5


class Words(Adversaries):
    """A text recipe in little: a loss is the mean over as many words as its samples happen to have."""

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        words = (batch["index"] % 5 + 1).float()
        errors = self.discriminator(batch["images"].flatten(1)).square().squeeze(1)
        yield Loss("discriminator", (errors * words).sum() / words.sum(), count=words.sum())


@pytest.mark.parametrize("accumulate", [2, 4])
def test_micro_batches_weigh_as_many_things_as_they_hold(accumulate: int) -> None:
    found = []
    for count in (1, accumulate):
        stepper = Stepper(Words(), TrainingSettings(batch_size=12, accumulate=count), 50, ALONE)
        run(stepper, last=20)
        found.append(weights(stepper))
    assert furthest(*found) < 1e-5


def test_clipping_bounds_the_step() -> None:
    settings = TrainingSettings(batch_size=12, clip=1e-3, schedule="constant", warmup=0.0)
    stepper = Stepper(Adversaries(), settings, 50, ALONE)
    before = weights(stepper)
    run(stepper, last=1)
    after = weights(stepper)
    moved = torch.cat([(after[name] - before[name]).flatten() for name in after if name.startswith("generator")])
    assert 0 < float(moved.norm()) <= 0.05 * 1e-3 * 1.01


def test_the_moving_average_is_that_of_the_weights() -> None:
    stepper = made(ALONE, ema=0.9)
    expected = {name: tensor.clone() for name, tensor in weights(made(ALONE)).items()}
    for step in range(30):
        run(stepper, step, step + 1)
        decay = min(0.9, (2 + step) / (11 + step))
        live = weights(stepper)
        expected = {name: decay * tensor + (1 - decay) * live[name] for name, tensor in expected.items()}
    found = {
        name.removeprefix("average/"): item for name, item in weights(stepper).items() if name.startswith("average")
    }
    assert furthest(expected, found) < 1e-5


def test_what_is_exported_is_the_average_and_training_goes_on_without_it() -> None:
    stepper = made(ALONE, ema=0.99)
    run(stepper, last=10)
    live = weights(stepper)
    with stepper.exported():
        inside = dict(stepper.recipe.generator.state_dict())  # type: ignore[attr-defined]
        assert torch.equal(inside["out.weight"], live["average/generator/out.weight"])
    assert furthest(live, weights(stepper)) == 0


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_close(precision: str) -> None:
    assert 0 < furthest(trained(), trained(precision=precision)) < 0.2


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("fast", [True, False])
def test_half_precision_that_a_processor_imitates_is_told(
    precision: str, fast: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("zoo.engine.precision.computed_fast", lambda precision: fast)
    made(ALONE, precision=precision)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (0 if fast else 1)
    assert fast or f"does not compute {precision}" in said[0] and "precision=fp32" in said[0]


def test_nothing_is_said_of_fp32(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("zoo.engine.precision.computed_fast", lambda precision: False)
    made(ALONE)
    assert not caplog.records


def test_each_optimizer_has_its_scaler_with_fp16_alone() -> None:
    assert set(made(ALONE, precision="fp16").scalers) == {"generator", "discriminator"}
    assert not made(ALONE, precision="bf16").scalers


@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler on CPU")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_blocks_compute_the_same() -> None:
    assert furthest(trained(), trained(compile=True)) < 1e-5


class Odd(Adversaries):
    """A recipe whose losses depend on the micro-batch."""

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        loss = self.discriminator(batch["images"].flatten(1)).mean()
        yield Loss("discriminator" if 0 in batch["index"] else "generator", loss)


def test_micro_batches_must_yield_alike() -> None:
    stepper = Stepper(Odd(), TrainingSettings(batch_size=60, accumulate=2), 50, ALONE)
    batch = {"images": torch.rand(4, 1, 2, 2), "index": torch.arange(4)}
    with pytest.raises(PluginError, match="same losses for every micro-batch"):
        stepper.step(batch, 0)
