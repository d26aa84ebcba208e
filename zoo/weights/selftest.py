"""selftest.safetensors: a fixed input, and what a model made of it when it was exported, to be compared anywhere.

It holds the input, the maps of the stages and the output, so that a difference names the first place where it shows.
Large tensors are thinned evenly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from zoo.errors import IntegrityError
from zoo.registry.loading import load_modality
from zoo.seeds import generator
from zoo.specs.modality import Inputs
from zoo.specs.records import ModelSpec
from zoo.weights.description import WeightsDescription
from zoo.weights.header import read_header

SELFTEST_FILE = "selftest.safetensors"
_SAMPLES, _MOST = 2, 8192
_INPUT = "input."
_TOLERANCE = {
    ("cpu", torch.float64): 1e-8,
    ("cpu", torch.float32): 1e-4,
    ("cuda", torch.float32): 5e-3,  # convolutions may take the short mantissa of TF32
    ("cpu", torch.float16): 2e-2,
    ("cuda", torch.float16): 2e-2,
}
_LOOSEST = 6e-2  # bfloat16 keeps 8 bits


@dataclass(frozen=True)
class SelfTest:
    """How far a replay was off, relative to the largest value of each tensor, and how far it may be."""

    worst: float
    tolerance: float
    first_off: str | None


def write_selftest(folder: Path, model: nn.Module, block: WeightsDescription, spec: ModelSpec, inputs: Inputs) -> bool:
    """Write the file for a loaded model and an example of its inputs; tell whether there is one.

    There is none for a model that wants other arguments than its modality gives.
    """
    example = inputs.example(_SAMPLES, generator(0, "selftest", block.architecture))
    try:
        found = _run(model, example, spec)
    except TypeError:
        return False
    stored = {_INPUT + name: tensor.contiguous() for name, tensor in example.items()}
    save_file({**stored, **found}, folder / SELFTEST_FILE, metadata={"format": "pt"})
    return True


def replay(folder: Path, model: nn.Module, spec: ModelSpec) -> SelfTest | None:
    """Give a loaded model the input of the folder's file and compare; None where there is no file."""
    path = folder / SELFTEST_FILE
    if not path.is_file():
        return None
    read_header(path)
    stored = load_file(path)
    inputs = {name: tensor for name, tensor in stored.items() if name.startswith(_INPUT)}
    example = {name.removeprefix(_INPUT): tensor for name, tensor in inputs.items()}
    first = next((tensor for tensor in model.parameters()), None)
    device = first.device if first is not None else torch.device("cpu")
    dtype = first.dtype if first is not None else torch.float32
    try:
        found = _run(model, example, spec)
    except (TypeError, KeyError, RuntimeError) as error:
        raise IntegrityError(f"{path} does not fit the model: {error}; export the run again") from error
    tolerance = _TOLERANCE.get((device.type, dtype), _LOOSEST)
    worst, first_off = 0.0, None
    # stage by stage, and what comes out last of all
    for name in sorted(stored.keys() - inputs.keys(), key=lambda name: (name.startswith("output"), name)):
        off = _difference(found.get(name), stored[name])
        worst = max(worst, off)
        if first_off is None and not off <= tolerance:
            first_off = name
    return SelfTest(worst, tolerance, first_off)


def _run(model: nn.Module, example: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Tensor]:
    modality = load_modality(spec.modality)
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            positional, named = modality.prepared(example, next(iter(model.parameters())))
            found = _named(model(*positional, **named), "output")
            for name, value in modality.outputs(model, example, spec).items():
                found |= _named(value, name)
    finally:
        model.train(training)
    return found


def _named(value: Any, name: str) -> dict[str, Tensor]:
    return {key: _thinned(tensor) for key, tensor in _walk(value, name)}


def _walk(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _walk(item, f"{name}.{place:02}")


def _thinned(tensor: Tensor) -> Tensor:
    flat = tensor.detach().flatten()
    step = -(-flat.numel() // _MOST)
    return flat[:: max(step, 1)].to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).clone()


def _difference(found: Tensor | None, stored: Tensor) -> float:
    if found is None or found.shape != stored.shape:
        return float("inf")
    if not found.numel():
        return 0.0
    scale = max(float(stored.double().abs().max()), 1e-6)
    off = float((found.double() - stored.double()).abs().max()) / scale
    return off if off == off else float("inf")
