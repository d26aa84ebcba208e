"""The conformance suite on everything that a distribution offers, without a test that anybody wrote."""

from collections.abc import Callable, Mapping
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import zoo
from zoo.registry.loading import load_modality, load_named
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import ModelSpec, RecipeSpec, singular
from zoo.testing.engines import EngineTests
from zoo.testing.models import ModelTests
from zoo.testing.recipes import RecipeTests
from zoo.testing.sample_data import Sample, sample

_TARGETS = ("target", "record", "data_options", "settings", "layouts", "network", "reader", "predictor")
_STEPS = 12


def cases_of(distribution: str, data: str | None = None, data_dir: str | None = None) -> dict[str, type]:
    """Return a class of tests for each thing that a distribution offers, by names that say what it is."""
    found: dict[str, type] = {}
    for plugin in default_registry().plugins:
        if plugin.distribution != distribution:
            continue
        for kind, specs in plugin.offers.items():
            for spec in specs:
                name = f"Test_{singular(kind)}__{spec.name}"
                found[name] = type(
                    name, (_BASES.get(kind, _Described),), _members(kind, Offer(plugin, spec), data, data_dir)
                )
    return found


def _members(kind: str, offer: Offer[Any], data: str | None, data_dir: str | None) -> dict[str, Any]:
    members = {"described": offer, "kind": kind}
    if kind in ("models", "recipes", "engines"):
        members |= {"name": offer.spec.name, "data": data, "data_dir": data_dir, "steps": _STEPS}
    return members


class _Described:
    """What is asked of anything: what it names can be imported, and what it needs is here."""

    described: Offer[Any]
    kind: str

    def test_what_it_names_can_be_imported(self) -> None:
        known = {name: getattr(self.described.spec, name, None) for name in _TARGETS}
        for what in (name for name, value in known.items() if isinstance(value, str)):
            load_named(self.described, what)

    def test_what_it_needs_is_offered(self) -> None:
        if unmet := default_registry().unmet(self.kind, self.described.spec):
            pytest.fail(unmet)

    def test_nobody_else_has_the_name(self) -> None:
        named = f"{singular(self.kind)} {self.described.spec.name!r} "
        noted = [note for note in default_registry().conflicts(self.described.plugin) if note.startswith(named)]
        assert not noted, f"{noted[0]}; give it another name, or fallback=True"


class _Model(_Described, ModelTests):
    data: str | None
    data_dir: str | None

    @property
    def sample(self) -> Sample:
        return sample(self.name, _recipe_for(self.described.spec), self.data, self.data_dir)

    def arguments(self) -> dict[str, Any]:
        return self.sample.arguments

    def inputs(self) -> Any:
        random = torch.Generator().manual_seed(0)
        example = self.sample.inputs.example(2, random)
        modality = load_modality(self.described.spec.modality)
        placed, named = modality.prepared(example, torch.zeros(()))
        named.pop("attention_mask", None)
        return named or placed[0]


class _Recipe(_Described, RecipeTests):
    data: str | None
    data_dir: str | None
    chosen: Mapping[str, Any] = {}

    @property
    def model(self) -> str:  # type: ignore[override]
        return _model_for(self.described)

    @property
    def sample(self) -> Sample:
        return sample(self.model, self.name, self.data, self.data_dir)

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.sample.classes

    def arguments(self) -> dict[str, Any]:
        return self.sample.arguments

    def settings(self) -> dict[str, Any]:
        return dict(self.chosen)

    @pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
    def test_trains_alike_when_distributed(self, sharding: Any) -> None:
        # at full size Adam takes whole steps where a gradient is but rounding, which differs
        self.chosen = {"optimizer": "sgd", "learning_rate": 1e-2, "channels_last": False}
        super().test_trains_alike_when_distributed(sharding)

    def batch(self) -> dict[str, torch.Tensor]:
        return self.sample.batch

    def inputs(self) -> Any:
        return self.sample.inputs

    @property
    def lowered(self) -> str:  # type: ignore[override]
        """The loss, or where players work against each other one's."""
        stepper = self.stepper()
        stepper.step(self._batch(), 0)
        return min((name for name in stepper.metrics(1) if name.partition("/")[0] == "loss"), key=len)


class _Dataset(_Described):
    def test_it_opens_or_says_where_to_get_it(self) -> None:
        try:
            opened = load_named(self.described, "target")(None)
        except (zoo.NotFoundError, zoo.DataError) as error:
            pytest.skip(f"not here: {error}")
        assert opened is not None, "a data set's target returns what its modality opens"


class _Modality(_Described):
    def test_it_keeps_the_protocol(self) -> None:
        modality = load_named(self.described, "target")
        assert isinstance(modality, zoo.Modality), "the target is an object that keeps zoo.Modality"

    def test_its_record_is_a_struct(self) -> None:
        record = load_named(self.described, "record")
        assert getattr(record, "__struct_fields__", None) is not None, "the record is a msgspec.Struct"


class _Command(_Described):
    def test_it_has_a_help(self) -> None:
        command = load_named(self.described, "target")
        assert isinstance(command, click.Command), "the target is a click.Command"
        done = CliRunner().invoke(command, ["--help"])
        assert done.exit_code == 0 and "Usage:" in done.output, "`--help` says how it is used"


class _Task(_Described):
    def test_its_recipe_finetunes_for_it(self) -> None:
        spec = default_registry().recipe(self.described.spec.recipe).spec
        assert spec.stage == "finetune", f"recipe {spec.name!r} must have stage='finetune'"
        assert spec.task == self.described.spec.name, f"recipe {spec.name!r} must say task={self.described.spec.name!r}"

    def test_its_network_takes_any_backbone(self) -> None:
        if self.described.spec.network is None:
            return
        make, backbone = (
            load_named(self.described, "network"),
            _model_for(default_registry().recipe(self.described.spec.recipe)),
        )
        network: Any = make(zoo.create(backbone), 3)
        assert isinstance(network, nn.Module) and isinstance(network, zoo.Network), (
            "network(backbone, num_classes) returns an nn.Module that keeps zoo.Network"
        )
        again = make(zoo.create(backbone), 3, **network.arguments)
        assert [tuple(one.shape) for one in again.parameters()] == [tuple(one.shape) for one in network.parameters()], (
            "the network's `arguments` build it again"
        )


class _Engine(_Described, EngineTests):
    pass


_BASES: dict[str, type] = {
    "models": _Model,
    "recipes": _Recipe,
    "datasets": _Dataset,
    "modalities": _Modality,
    "commands": _Command,
    "tasks": _Task,
    "engines": _Engine,
}


def _recipe_for(model: ModelSpec) -> str:
    """Return a recipe that the model can be opened data for: its own, or the first that fits."""
    return model.recipe or _first(
        default_registry().offers("recipes"), lambda recipe: _fits(recipe, model), f"no recipe fits {model.name}"
    )


def _model_for(recipe: Offer[RecipeSpec]) -> str:
    """Return the model to try a recipe on: one that it is the recipe of, of its own plugin, or else the smallest."""
    fitting = [offer for offer in default_registry().models() if _fits(recipe.spec, offer.spec)]
    if not fitting:
        pytest.skip(f"no model here has what recipe {recipe.spec.name} requires; install a plugin that does")

    def order(offer: Offer[ModelSpec]) -> tuple[bool, bool, float]:
        beside = offer.plugin.distribution != recipe.plugin.distribution
        return offer.spec.recipe != recipe.spec.name, beside, offer.spec.parameters or float("inf")

    return min(fitting, key=order).spec.name


def _fits(recipe: RecipeSpec, model: ModelSpec) -> bool:
    return recipe.modality in (None, model.modality) and set(recipe.requires) <= set(model.capabilities)


def _first(offers: Any, fits: Callable[[Any], bool], otherwise: str) -> str:
    for offer in offers:
        if fits(offer.spec):
            return str(offer.spec.name)
    pytest.skip(otherwise)
