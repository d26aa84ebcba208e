"""What training goes on from, as tensors and JSON: taken off a running Stepper, and put back into a fresh one.

A snapshot is whole: a run may go on with another number of processes, with DDP, with FSDP2 or alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.engine.average import named_state
from zoo.engine.random_state import restore_random, take_random
from zoo.engine.stepper import Stepper
from zoo.errors import IntegrityError
from zoo.seeds import derive

FORMAT_VERSION = 3


@dataclass(frozen=True)
class Snapshot:
    """Copies on the CPU: tensors by file name and tensor name, and what JSON can hold."""

    tensors: dict[str, dict[str, Tensor]]
    values: dict[str, Any]


def identity_of(resolved: Mapping[str, Any], deciding: tuple[str, ...]) -> dict[str, str]:
    """Return the hash of what decides a run, and the fingerprint of its data."""
    text = json.dumps({key: resolved.get(key) for key in deciding}, sort_keys=True, default=str)
    return {
        "recipe": hashlib.sha256(text.encode()).hexdigest(),
        "data": str((resolved.get("data") or {}).get("fingerprint")),
    }


def take(stepper: Stepper, loop: Mapping[str, Any], identity: Mapping[str, str]) -> Snapshot:
    """Copy all state; every process must call this, and each gets the whole."""
    distribution = stepper.distribution
    full_tensor = distribution.full_tensor
    tensors: dict[str, dict[str, Tensor]] = {name: {} for name in stepper.modules}
    for path, tensor in named_state(stepper.modules).items():
        module, _, name = path.partition("/")
        tensors[module][name] = full_tensor(tensor)
    if stepper.average is not None:
        tensors["average"] = {path: full_tensor(tensor) for path, tensor in stepper.average.tensors.items()}
    names = _parameter_names(stepper)
    tensors["optimizers"], optimizers = {}, {}
    for key, optimizer in stepper.optimizers.items():
        rest: dict[str, dict[str, Any]] = {}
        for parameter, entry in optimizer.state.items():
            for field, value in entry.items():
                if isinstance(value, Tensor):
                    tensors["optimizers"][f"{key}/{names[id(parameter)]}/{field}"] = full_tensor(value)
                else:
                    rest.setdefault(names[id(parameter)], {})[field] = value
        optimizers[key] = {
            "groups": [_group_values(group, names) for group in optimizer.param_groups],
            "rest": rest,
        }
    tensors["random"], random_values = take_random(distribution)
    values = {
        "format_version": FORMAT_VERSION,
        "loop": dict(loop),
        "identity": dict(identity),
        "world_size": distribution.world_size,
        "sharding": distribution.sharding,
        "optimizers": optimizers,
        "scalers": {name: scaler.state_dict() for name, scaler in stepper.scalers.items()},
        "random": random_values,
    }
    return Snapshot(tensors, values)


def restore(snapshot: Snapshot, stepper: Stepper, source: str) -> dict[str, Any]:
    """Put a snapshot back and return the loop's state. Raise IntegrityError for a missing, wrong or foreign piece."""
    try:
        _restore_modules(snapshot, stepper, source)
        _restore_optimizers(snapshot, stepper, source)
        for name, scaler in stepper.scalers.items():
            scaler.load_state_dict(snapshot.values["scalers"][name])
        loop: dict[str, Any] = snapshot.values["loop"]
        again = derive(stepper.settings.seed, "after", loop["step"])
        restore_random(snapshot.tensors["random"], snapshot.values, stepper.distribution, again)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise IntegrityError(
            f"{source} is incomplete ({type(error).__name__}: {str(error)[:200]}); resume with the same recipe"
        ) from error
    return loop


def _restore_modules(snapshot: Snapshot, stepper: Stepper, source: str) -> None:
    extra = {"average", "optimizers", "random"}
    stored, wanted = set(snapshot.tensors) - extra, set(stepper.modules)
    if stored != wanted:
        raise IntegrityError(
            f"{source} holds {sorted(stored)}, the recipe trains {sorted(wanted)}; resume the same recipe"
        )
    found = {f"{module}/{name}": item for module in wanted for name, item in snapshot.tensors[module].items()}
    _fill(named_state(stepper.modules), found, stepper, source)
    if (stepper.average is not None) != ("average" in snapshot.tensors):
        raise IntegrityError(
            f"{source} and the settings differ in whether there is a moving average; set ema as it was"
        )
    if stepper.average is not None:
        _fill(stepper.average.tensors, snapshot.tensors["average"], stepper, source)


def _fill(targets: Mapping[str, Tensor], values: Mapping[str, Tensor], stepper: Stepper, source: str) -> None:
    """Copy values into tensors of the same names, shapes and types."""
    for name in sorted({*targets, *values}):
        target, value = targets.get(name), values.get(name)
        if target is None or value is None or target.shape != value.shape or target.dtype != value.dtype:
            has = "nothing" if value is None else f"{value.dtype} {list(value.shape)}"
            needs = "nothing" if target is None else f"{target.dtype} {list(target.shape)}"
            raise IntegrityError(
                f"{source} belongs to another model: {name} is {has} there and {needs} here; resume with the same model"
            )
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(stepper.distribution.part(values[name], target))


def _restore_optimizers(snapshot: Snapshot, stepper: Stepper, source: str) -> None:
    names = _parameter_names(stepper)
    stored = snapshot.tensors["optimizers"]
    found = snapshot.values["optimizers"]
    if set(found) != set(stepper.optimizers):
        raise IntegrityError(f"{source} holds optimizers {sorted(found)}, the recipe has {sorted(stepper.optimizers)}")
    for key, optimizer in stepper.optimizers.items():
        known = found[key]["groups"]
        if [group["params"] for group in known] != [
            _group_values(group, names)["params"] for group in optimizer.param_groups
        ]:
            raise IntegrityError(f"{source} has other parameter groups in optimizer {key!r}; resume the same recipe")
        for group, values in zip(optimizer.param_groups, known, strict=True):
            group.update(
                {name: _json_back(value, group.get(name)) for name, value in values.items() if name != "params"}
            )
        optimizer.state.clear()
        by_name = {names[id(item)]: item for group in optimizer.param_groups for item in group["params"]}
        for path, tensor in stored.items():
            owner, _, rest = path.partition("/")
            if owner == key:
                name, _, field = rest.rpartition("/")
                parameter = by_name[name]
                optimizer.state[parameter][field] = stepper.distribution.part(tensor, parameter)
        for name, fields in found[key]["rest"].items():
            optimizer.state[by_name[name]].update(fields)


def _json_back(value: Any, pattern: Any) -> Any:
    return tuple(value) if isinstance(pattern, tuple) else value


def _group_values(group: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    values = {name: value for name, value in group.items() if name != "params"}
    return {**values, "params": [names[id(parameter)] for parameter in group["params"]]}


def _parameter_names(stepper: Stepper) -> dict[int, str]:
    names = {
        id(tensor): path for path, tensor in named_state(stepper.modules).items() if isinstance(tensor, nn.Parameter)
    }
    for optimizer in stepper.optimizers.values():
        for group in optimizer.param_groups:
            if any(id(parameter) not in names for parameter in group["params"]):
                raise ValueError("an optimizer holds parameters that are in none of the recipe's modules()")
    return names
