"""Checkpoints: tensors as safetensors, the rest as JSON, a manifest with hashes, and nothing pickled.

Written to a temporary folder, flushed, given its name by a rename, the parent flushed; only then are old ones removed.
"""

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor

from zoo.engine.recipe import Recipe
from zoo.errors import IntegrityError
from zoo.jsonfile import parse_json
from zoo.paths import new_folder, storage_errors

_log = logging.getLogger("zoo")


def save_checkpoint(
    folder: Path, recipe: Recipe, state: dict[str, Any], *, name: str | None = None, keep: int = 2
) -> Path:
    """Write `step-00000123` (or `name`) with everything that training goes on from; keep the newest `keep` of them."""
    path = folder / (name or f"step-{state['step']:08d}")
    with storage_errors(f"saving checkpoint {path}"), new_folder(path) as temporary:
        for module_name, module in recipe.modules().items():
            save_model(module, str(temporary / f"{module_name}.safetensors"))
        tensors, scalars = _flatten({name: item.state_dict() for name, item in recipe.optimizers().items()})
        tensors["random/cpu"] = torch.random.get_rng_state()
        if torch.cuda.is_available():
            tensors["random/cuda"] = torch.cuda.get_rng_state()
        save_file(tensors, temporary / "optimizers.safetensors")
        (temporary / "state.json").write_text(json.dumps({"loop": state, "optimizers": scalars}), encoding="utf-8")
        files = sorted(file for file in temporary.iterdir())
        manifest = {file.name: {"sha256": _sha256(file), "size": file.stat().st_size} for file in files}
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    if name is None:
        for old in _steps(folder)[:-keep]:
            shutil.rmtree(old, ignore_errors=True)
    return path


def load_latest(folder: Path, recipe: Recipe) -> dict[str, Any] | None:
    """Restore the newest checkpoint that verifies and return the loop's state; None where there is none at all.

    A broken one is passed over with a warning. Raise IntegrityError when every one is broken.
    """
    steps = _steps(folder)
    for path in reversed(steps):
        if (fault := verify(path)) is None:
            return load_checkpoint(path, recipe)
        _log.warning("checkpoint %s %s; taking the one before it", path, fault)
    if steps:
        raise IntegrityError(f"no checkpoint in {folder} verifies; start again with --force")
    return None


def verify(path: Path) -> str | None:
    """Return what is wrong with a checkpoint, or None: every file that the manifest lists has its size and sha256."""
    try:
        manifest = parse_json((path / "manifest.json").read_bytes(), str(path / "manifest.json"))
        for name, expected in manifest.items():
            file = path / Path(name).name
            if file.stat().st_size != expected["size"] or _sha256(file) != expected["sha256"]:
                return f"has a broken {name}"
    except (OSError, IntegrityError, TypeError, KeyError) as error:
        return f"is incomplete ({error})"
    return None


def load_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Restore modules, optimizers and random states from a checkpoint that verifies; return the loop's state."""
    modules = recipe.modules()
    stored = {file.stem for file in path.glob("*.safetensors")} - {"optimizers"}
    if stored != set(modules):
        raise IntegrityError(
            f"{path} holds {sorted(stored)}, the recipe trains {sorted(modules)}; resume with the same recipe"
        )
    for name, module in modules.items():
        try:
            load_model(module, str(path / f"{name}.safetensors"))
        except RuntimeError as error:
            reason = str(error).replace("\n", " ")[:300]
            raise IntegrityError(f"{path} is of another model: {reason}; resume with the same model") from None
    values = json.loads((path / "state.json").read_text(encoding="utf-8"))
    tensors = load_file(path / "optimizers.safetensors")
    torch.random.set_rng_state(tensors.pop("random/cpu"))
    cuda = tensors.pop("random/cuda", None)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)
    states = _unflatten(tensors, values["optimizers"])
    for name, optimizer in recipe.optimizers().items():
        optimizer.load_state_dict(states[name])
    loop: dict[str, Any] = values["loop"]
    return loop


def _steps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def _flatten(states: dict[str, dict[str, Any]]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Part optimizer states into tensors by `optimizer/parameter/key` and what JSON can hold."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for name, state in states.items():
        rest: dict[str, dict[str, Any]] = {}
        for index, entry in state["state"].items():
            rest[str(index)] = {}
            for key, value in entry.items():
                if isinstance(value, Tensor):
                    tensors[f"{name}/{index}/{key}"] = value.detach().cpu().contiguous()
                else:
                    rest[str(index)][key] = value
        scalars[name] = {"state": rest, "param_groups": state["param_groups"]}
    return tensors, scalars


def _unflatten(tensors: dict[str, Tensor], scalars: dict[str, Any]) -> dict[str, dict[str, Any]]:
    states = {
        name: {"state": {int(i): dict(v) for i, v in item["state"].items()}, "param_groups": item["param_groups"]}
        for name, item in scalars.items()
    }
    for path, tensor in tensors.items():
        name, index, key = path.split("/")
        states[name]["state"][int(index)][key] = tensor
    return states


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
