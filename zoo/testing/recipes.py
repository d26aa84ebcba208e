"""What every recipe must keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch._C._distributed_c10d import HashStore

import zoo
from zoo.engine.average import named_state
from zoo.engine.checkpoint import read_checkpoint, write_checkpoint
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import prepare
from zoo.engine.recipe import Batch
from zoo.engine.snapshot import restore, take
from zoo.engine.stepper import Stepper
from zoo.registry.loading import load_modality
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.testing.sharding import sharded_use
from zoo.training.named_recipe import make_recipe

_ROUNDING = 1e-8
"""Root of the mean square of gradients below which they are taken to be rounding."""


class RecipeTests:
    """Inherit, set `name` and `model`, give `batch()`; `settings()` and `arguments()` may make it quick.

    `lowered` is the figure that some steps on one batch lower; where players work against each other it is one's loss,
    such as loss/discriminator.
    """

    name: str
    model: str
    classes: tuple[str, ...] = ()
    steps = 4
    lowered = "loss"

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments of the model."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return settings other than the defaults."""
        return {}

    def batch(self) -> Batch:
        """Return one batch, the same every time."""
        raise NotImplementedError("return a batch, such as {'images': torch.rand(8, 1, 28, 28)} from a fixed generator")

    def inputs(self) -> zoo.Inputs:
        """Return how data become inputs: as the modality says of the batch."""
        modality = default_registry().model(self.model).spec.modality
        return load_modality(modality).inputs_for(self.batch())

    def stepper(self, distribution: Distribution | None = None, model: nn.Module | None = None, **more: Any) -> Stepper:
        """Return the recipe with its optimizers, on a fresh model from a fixed seed unless one is given."""
        torch.manual_seed(0)
        distribution = distribution or Distribution(torch.device("cpu"))
        offer = default_registry().recipe(self.name)
        settings = settings_from(offer, {"warmup": 0.0, "schedule": "constant", **self.settings(), **more})
        model = model or zoo.create(self.model, **self.arguments())
        recipe = make_recipe(offer, settings, model, self.classes, self.inputs())
        prepare(recipe, settings, distribution)
        return Stepper(recipe, settings, 100, distribution)

    def losses(self, stepper: Stepper, first: int, last: int) -> list[float]:
        """Take steps on the batch; return the figure that they lower, after each."""
        found = []
        for step in range(first, last):
            stepper.step(self._batch(), step)
            found.append(stepper.metrics(step + 1)[self.lowered])
        return found

    def _batch(self) -> Batch:
        batch = self.batch()
        return {"index": torch.arange(len(next(iter(batch.values())))), **batch}

    @pytest.fixture(autouse=True)
    def _own_random_state(self) -> Any:
        with torch.random.fork_rng(devices=[]):
            yield

    def test_steps_lower_the_loss(self) -> None:
        losses = self.losses(self.stepper(), 0, self.steps)
        assert losses[-1] < losses[0], f"{self.steps} steps on one batch lower its loss; this went {losses}"

    def test_two_runs_are_equal_to_the_bit(self) -> None:
        first, second = (self.losses(self.stepper(), 0, 3) for _ in range(2))
        assert first == second, "every draw comes from the step's draws, or from torch's global generator"

    def test_resumed_equals_uninterrupted(self, tmp_path: Path) -> None:
        whole = self.stepper()
        self.losses(whole, 0, 4)
        part = self.stepper()
        self.losses(part, 0, 2)
        write_checkpoint(tmp_path / "step-2", take(part, {"step": 2}, {}))
        resumed = self.stepper()
        assert restore(read_checkpoint(tmp_path / "step-2"), resumed, "step-2") == {"step": 2}
        self.losses(resumed, 2, 4)
        for name, module in whole.modules.items():
            theirs = resumed.modules[name].state_dict()
            different = [key for key, value in module.state_dict().items() if not torch.equal(value, theirs[key])]
            assert not different, f"modules() and optimizers() hold all state; {name} differs in {different}"

    @pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
    def test_trains_alike_when_distributed(self, sharding: Any) -> None:
        # FSDP2 knows one layout of memory, by which convolutions round otherwise
        alike: dict[str, Any] = {"channels_last": False} if sharding == "fsdp" else {}
        alone = self.stepper(**alike)
        begun = {name: tensor.clone() for name, tensor in named_state(alone.modules).items()}
        self.losses(alone, 0, 3)
        noise = _noise(alone)
        with _process_group():
            distributed = self.stepper(Distribution(torch.device("cpu"), sharding=sharding), **alike)
            with sharded_use(distributed.modules):
                self.losses(distributed, 0, 3)
            theirs = named_state(distributed.modules)
            for name, tensor in named_state(alone.modules).items():
                there = distributed.distribution.full_tensor(theirs[name])
                different = ~torch.isclose(tensor, there, rtol=1e-3, atol=1e-5)
                if id(tensor) in noise:
                    different &= ~noise[id(tensor)]
                still = torch.equal(there, begun[name])
                furthest = float((tensor - there).detach().abs().max()) if tensor.numel() else 0.0
                assert not different.any(), f"{name} " + (
                    f"does not learn under {sharding}: optimizers() looks parameters up when it is called, since "
                    "sharding replaces those of __init__"
                    if still
                    else f"learns otherwise under {sharding}, by up to {furthest:.1g}: what gets gradients goes into "
                    "the loss that is yielded next, and the rest runs under torch.no_grad()"
                )

    def test_optimizers_hold_parameters_of_modules(self) -> None:
        stepper = self.stepper()
        known = {id(parameter) for module in stepper.modules.values() for parameter in module.parameters()}
        for optimizer in stepper.optimizers.values():
            members = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            assert members, "an optimizer has parameters"
            assert {id(parameter) for parameter in members} <= known, (
                "what is trained is in modules(), or it is not saved"
            )

    def test_the_model_is_decayed_as_it_says(self) -> None:
        model = zoo.create(self.model, **self.arguments())
        parameters = dict(model.named_parameters())  # kept, so that no other gets the id of one that is dropped
        stepper = self.stepper(model=model, weight_decay=0.1)
        groups = [group for optimizer in stepper.optimizers.values() for group in optimizer.param_groups]
        learning = {id(parameter) for group in groups for parameter in group["params"]}
        found, alone = _decayed(groups), _decayed(zoo.parameter_groups(model, stepper.settings))
        found_names = {name for name, parameter in parameters.items() if id(parameter) in found}
        expected = {name for name, parameter in parameters.items() if id(parameter) in alone & learning}
        assert found_names in (expected, set()), (
            f"{sorted(found_names ^ expected)} are decayed otherwise than in the model alone; make groups by "
            "zoo.parameter_groups, and name what must not be decayed in no_weight_decay()"
        )

    def test_optimizers_are_made_when_asked_for(self) -> None:
        stepper = self.stepper()
        again = stepper.recipe.optimizers()
        assert all(again[name] is not optimizer for name, optimizer in stepper.optimizers.items()), (
            "optimizers() makes them anew, of the parameters that are there then: sharding replaces those of __init__"
        )

    def test_scores_have_the_one_that_decides(self) -> None:
        scores = self.stepper().recipe.evaluate([self._batch()])
        score = default_registry().recipe(self.name).spec.score
        assert score in scores, f"evaluate gives {score!r}, the spec's score"
        assert all(isinstance(value, float) for value in scores.values()), "scores are floats"

    def test_pictures_are_written(self, tmp_path: Path) -> None:
        for path in self.stepper().recipe.pictures([self._batch()], tmp_path):
            is_table = path.suffix == ".md" and path.read_text().startswith("| ")
            assert is_table or path.read_bytes().startswith(b"\x89PNG"), f"{path} is a PNG, or a table in Markdown"


def _decayed(groups: list[dict[str, Any]]) -> set[int]:
    """Return the ids of parameters that are decayed."""
    return {id(parameter) for group in groups if group["weight_decay"] for parameter in group["params"]}


def _noise(stepper: Stepper) -> dict[int, torch.Tensor]:
    """Say by the id of a parameter which elements Adam moves though their gradients are but rounding.

    Such as the bias of keys in attention, whose gradient is 0: how large a step it takes is decided by the processor.
    """
    states = [item for optimizer in stepper.optimizers.values() for item in optimizer.state.items()]
    squares = {id(parameter): state["exp_avg_sq"] for parameter, state in states if "exp_avg_sq" in state}
    return {key: (value > 0) & (value < _ROUNDING**2) for key, value in squares.items()}


@contextmanager
def _process_group() -> Iterator[None]:
    """Make a process group of this process alone: DDP and FSDP2 do all that they do, but for waiting."""
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()
