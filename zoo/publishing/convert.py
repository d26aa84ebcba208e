"""Write weights so that other libraries open them: timm, torchvision, transformers, or as a graph without any."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.errors import UsageError
from zoo.extras import require
from zoo.files import new_folder, storage_errors, write_file
from zoo.registry.loading import load_modality
from zoo.registry.registry import Offer, default_registry
from zoo.seeds import generator
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec
from zoo.weights.build import full_arguments, load_layouts
from zoo.weights.config import read_config, write_config
from zoo.weights.description import WeightsDescription, read_json
from zoo.weights.fit import in_dtype
from zoo.weights.folder import described_model, load_weights, offered_model, write_weights
from zoo.weights.foreign.config_files import timm_config, transformers_config, transformers_processor
from zoo.weights.foreign.grouping import turned
from zoo.weights.foreign.processors import torchvision_transform
from zoo.weights.foreign.renaming import parts_of
from zoo.weights.formats import write_container, write_preset
from zoo.weights.inputs import read_inputs
from zoo.weights.replacing import check_out
from zoo.weights.selftest import SELFTEST_FILE, write_selftest
from zoo.weights.stored import WEIGHTS_FILE, stored_tensors

LIBRARIES = ("timm", "torchvision", "transformers")
_SUFFIXES = {"onnx": ".onnx", "torch-export": ".pt2"}
_FREE = {"num_classes", "channels", "drop_path_rate", "norm_momentum"}
"""Arguments that every library has, or that change no output."""


def convert_weights(
    source: Path, target: str, out: Path, *, force: bool = False, dtype: Any = None, preset: bool = False
) -> None:
    """Write weights for a library, as a folder, or as a graph ("onnx", "torch-export"), as a file; whole or not at all.

    Of a format it is a file, too, or with `preset` a folder.
    Raise UsageError where the library cannot build the model, naming what it lacks.
    """
    formats = {offer.spec.name: offer for offer in default_registry().offers("formats")}
    if target not in (*LIBRARIES, *_GRAPHS, *formats):
        known = ", ".join((*LIBRARIES, *_GRAPHS, *formats))
        raise UsageError(f"{target!r} is not an export target; choose one of {known}")
    if preset and target not in formats:
        raise UsageError(f"--to {target} has no presets; leave out --preset")
    in_folder = preset or target in LIBRARIES or (target in formats and formats[target].spec.folder)
    named = f"{target} --preset" if preset else target
    if not in_folder and out.is_dir():
        path = out / f"model{_SUFFIXES.get(target, '')}"
        raise UsageError(f"{out} is a folder, and --to {target} writes a file; name it: --out {path}")
    if in_folder and out.is_file():
        raise UsageError(f"{out} is a file, and --to {named} writes a folder; choose another --out")
    check_out(out, force=force)
    if target in formats and dtype is not None:
        raise UsageError(f"--to {target} writes tensors as they are stored; omit --dtype")
    with storage_errors(f"writing {out}"):
        if in_folder:
            with new_folder(out) as temporary:
                if preset:
                    write_preset(formats[target], source, temporary)
                elif target in formats:
                    write_container(formats[target], source, temporary)
                else:
                    write_for(target, source, temporary, dtype)
            return
        block = read_config(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
        try:
            if target in formats:
                write_container(formats[target], source, temporary)
            else:
                _GRAPHS[target](load_weights(source, block, dtype=dtype), _example(source, block), temporary)
            os.replace(temporary, out)
        finally:
            temporary.unlink(missing_ok=True)


def write_for(library: str, source: Path, folder: Path, dtype: Any = None) -> None:
    """Write the tensors and the configuration of weights into a folder, by a library's names; `dtype` converts."""
    block = in_dtype(read_config(source), dtype)
    offer = offered_model(block, str(source))
    layout = _layout(offer, block, library)
    model = load_weights(source, block)
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        parts = parts_of(name, layout.renames)
        for theirs, part in zip(parts, tensor.chunk(len(parts)) if len(parts) > 1 else (tensor,), strict=True):
            axes = [axis for joined in turned(theirs, part.ndim) or () for axis in joined]
            moved = part.permute(sorted(range(part.ndim), key=axes.__getitem__)) if axes else part
            tensors[theirs.name] = _with_dims(moved, theirs.dims).contiguous()
    for name in (WEIGHTS_FILE, "config.json"):
        (folder / name).unlink(missing_ok=True)  # it may be a link to a file that must stay as it is
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    if layout.library == "timm":
        write_config(folder, block, timm_config(layout, block, cast(Any, model).num_features))
    elif layout.library == "transformers":
        said = {} if block.dtype is None else {"dtype": block.dtype}
        _write_json(folder / "config.json", {**transformers_config(layout, block), **said})
        if not layout.architectures:
            _write_json(folder / "preprocessor_config.json", transformers_processor(layout, block))
        if block.inputs is not None:
            read_inputs(source, block.inputs.modality, block.inputs, block.arguments).write(folder)
    elif not (folder / "README.md").exists():
        write_file(folder / "README.md", _torchvision_readme(layout, block).encode())


def write_in_dtype(source: Path, folder: Path, block: WeightsDescription, dtype: str) -> WeightsDescription:
    """Write weights anew into a copy of their folder, in another dtype, with their self-test; return their block.

    Raise UsageError for weights that another library wrote: its own way of writing them has to be asked for.
    """
    if "zoo" not in read_json(source):
        raise UsageError(f"{source} was written by another library; convert it by --for transformers --dtype {dtype}")
    if block.adapter is not None:
        raise UsageError("an adapter is merged in float32; omit --dtype")
    block = in_dtype(block, dtype)
    stored = stored_tensors(folder)
    model = load_weights(source, block)
    for file in (*stored.files, stored.path, folder / "config.json"):
        file.unlink(missing_ok=True)  # it may be a link to a file that must stay as it is
    write_weights(folder, model, block)
    if (folder / SELFTEST_FILE).exists() and block.inputs is not None:
        (folder / SELFTEST_FILE).unlink()
        inputs = read_inputs(source, block.inputs.modality, block.inputs, block.arguments)
        write_selftest(folder, model, block, described_model(block, str(source)), inputs)
    return block


def _layout(offer: Offer[ModelSpec], block: WeightsDescription, library: str) -> Layout:
    """Return the layout by which the library can build this very model; transformers opens timm's as well."""
    name = offer.spec.name
    if block.head is not None:
        raise UsageError(f"{library} has no network for {block.task} on a {name}; export it as a graph: --to onnx")
    layouts = load_layouts(offer)
    for wanted in (library, *(("timm",) if library == "transformers" else ())):
        for layout in layouts:
            if layout.library == wanted:
                if layout.architectures and block.task not in layout.architectures:
                    raise UsageError(
                        f"{library} has no {name} for {block.task}; it has {', '.join(layout.architectures)}"
                    )
                return _checked(layout, offer, block)
    raise UsageError(f"{library} has no {name}; export it as a graph: --to onnx, or --to torch-export")


def _checked(layout: Layout, offer: Offer[ModelSpec], block: WeightsDescription) -> Layout:
    fixed = {**full_arguments(offer, {}), **layout.arguments}
    free = {
        *_FREE,
        *layout.options,
        *layout.present,
        *layout.optional,
        *([] if layout.rest is None else [layout.rest]),
        *(target for target, _ in layout.ratios.values()),
    }
    if layout.library == "torchvision":
        free.remove("channels")
    for name, value in block.arguments.items():
        if name not in free and not name.endswith("dropout") and value != fixed[name]:
            raise UsageError(
                f"{layout.library}'s {offer.spec.name} has {name}={fixed[name]!r}, these weights have {value!r}; "
                "export them as a graph: --to onnx, or --to torch-export"
            )
    return layout


def _with_dims(tensor: Tensor, dims: int | None) -> Tensor:
    """Return the tensor with so many dimensions: more of them are one, fewer have the last ones joined."""
    if dims is None or dims == tensor.ndim:
        return tensor
    if dims < tensor.ndim:
        return tensor.flatten(dims - 1)
    return tensor.reshape((*tensor.shape, *[1] * dims)[:dims])


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.unlink(missing_ok=True)
    write_file(path, msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")


def _torchvision_readme(layout: Layout, block: WeightsDescription) -> str:
    name, num_classes = layout.models[block.architecture]["architecture"], block.arguments["num_classes"]
    made = "" if block.preprocessing is None else torchvision_transform(block.preprocessing)
    return (
        f"# {name}\n\n```python\nimport torchvision\nfrom safetensors.torch import load_file\n\n"
        f"model = torchvision.models.{name}(num_classes={num_classes})\n"
        f'model.load_state_dict(load_file("{WEIGHTS_FILE}"))\nmodel.eval()\n{made}```\n'
    )


@dataclass(frozen=True)
class _Example:
    """What a graph is traced with: positional or named arguments, and their names. The size of a batch may vary."""

    positional: tuple[Tensor, ...]
    named: dict[str, Tensor]
    names: tuple[str, ...]

    @property
    def shapes(self) -> Any:
        """Which axes vary, in the form that torch asks for."""
        batch = torch.export.Dim("batch")
        return {name: {0: batch} for name in self.named} if self.named else tuple({0: batch} for _ in self.positional)


def _example(source: Path, block: WeightsDescription) -> _Example:
    offer = offered_model(block, str(source))
    if block.inputs is None:
        raise UsageError(f"{source} does not say how data become inputs; add `inputs` to its config.json")
    inputs = read_inputs(source, offer.spec.modality, block.inputs, block.arguments)
    stored = inputs.example(2, generator(0, "graph"))
    positional, named = load_modality(block.inputs.modality).prepared(stored, torch.zeros(()))
    return _Example(positional, named, tuple(stored))


class _Enclosed(nn.Module):
    """A model one level down: the exporter loses modules of its own attributes' names, such as `code`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.forward = model.forward


def _to_onnx(model: nn.Module, example: _Example, path: Path) -> None:
    require("--to onnx", "onnx", "onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        torch.onnx.export(
            _Enclosed(model),
            example.positional,
            path,
            kwargs=example.named,
            input_names=list(example.names),
            output_names=["outputs"],
            dynamic_shapes=example.shapes,
            external_data=False,
            dynamo=True,
            verbose=False,
        )


def _to_torch_export(model: nn.Module, example: _Example, path: Path) -> None:
    program = torch.export.export(model, example.positional, example.named, dynamic_shapes=example.shapes)
    with open(path, "wb") as file:
        torch.export.save(program, file)


_GRAPHS: dict[str, Callable[[nn.Module, _Example, Path], None]] = {
    "onnx": _to_onnx,
    "torch-export": _to_torch_export,
}
