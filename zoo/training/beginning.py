"""What a training begins with: weights as they are stored, or a fresh model, made to fit its data."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.hub.records import PulledRepo
from zoo.publishing.licences import licence_of
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Inputs
from zoo.specs.records import ModelSpec
from zoo.training.pins import pin
from zoo.training.request import FinetuneRequest
from zoo.weights.build import build, full_arguments, load_model_target
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import find_and_pull, local_path
from zoo.weights.folder import offered_model
from zoo.weights.inputs import read_inputs


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Weights that lie in a folder, what config.json says of them, and what was pulled, if anything was."""

    folder: Path
    block: WeightsDescription
    pulled: PulledRepo | None


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What finetuning begins with; without `stored` and `inputs` it is a fresh model."""

    offer: Offer[ModelSpec]
    stored: Stored | None = None
    inputs: Any = None

    def made_for(self, task: str) -> bool:
        """Tell whether weights were made for this task."""
        return self.stored is not None and self.stored.block.task == task

    def arguments(self, requested: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
        """Return the model's arguments: of those of weights only what changes no tensor can be asked for."""
        if self.stored is None:
            return fresh_arguments(self.offer, inputs, requested)
        stored = self.stored.block.arguments
        return _with_others(self.offer, stored, requested) if requested else stored

    def record(self, request: FinetuneRequest) -> dict[str, Any]:
        """Return what run.json keeps of weights, such as what pins them."""
        if self.stored is None:
            return {}
        folder = self.stored.folder
        return {
            "base_licence": licence_of(folder, str(request.weights), request.query),
            "pins": {"weights": pin(folder, self.stored.pulled)},
        }


def beginning(request: FinetuneRequest, method: str) -> Beginning:
    """Return what is to be finetuned; from scratch the name of a model will do, since no weights of it are needed."""
    name = request.weights
    named = isinstance(name, str) and local_path(name) is None and _names_model(name)
    if named and method == "scratch":
        return Beginning(offer=default_registry().model(str(name)))
    try:
        folder, pulled = find_and_pull(name, request.query)
    except NotFoundError as error:
        if not named:
            raise
        raise NotFoundError(f"{error}, or train it on these data alone: --method scratch") from None
    block = read_config(folder)
    offer = offered_model(block, str(folder / "config.json"))
    inputs = read_inputs(folder, offer.spec.modality, block.inputs, block.arguments)
    return Beginning(offer=offer, stored=Stored(folder=folder, block=block, pulled=pulled), inputs=inputs)


def _names_model(name: str) -> bool:
    try:
        return bool(default_registry().model(name))
    except (NotFoundError, PluginError):
        return False


def fresh_arguments(offer: Offer[ModelSpec], inputs: Inputs, requested: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a fresh model that fits its inputs, as far as it takes any of theirs.

    What only its data take, such as the size of images, is left out.
    """
    known, fitting = inspect.signature(load_model_target(offer)).parameters, inputs.model_arguments()
    fitted = {name: value for name, value in fitting.items() if name in known}
    own = {name: value for name, value in requested.items() if name in known or name not in fitting}
    return full_arguments(offer, {**fitted, **own})


def _with_others(offer: Offer[ModelSpec], stored: dict[str, Any], requested: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of weights with others among them, such as a dropout.

    Raise UsageError where one would change the weights.
    """
    taken = full_arguments(offer, {**stored, **requested})
    source, target = (
        {name: tensor.shape for name, tensor in build(offer, values, device="meta").state_dict().items()}
        for values in (stored, taken)
    )
    if different := [name for name in {**source, **target} if source.get(name) != target.get(name)]:
        said = ", ".join(f"{name}={value}" for name, value in requested.items())
        raise UsageError(
            f"with {said} the model has another {different[0]} than the weights; give arguments that only change how "
            "it learns, such as dropout"
        )
    return taken
