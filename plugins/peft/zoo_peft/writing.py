"""Write what a run has learnt as PEFT does: adapter_config.json, adapter_model.safetensors, and how it is opened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

import zoo
from zoo_peft.placing import Base
from zoo_peft.settings import CONFIG_FILE, TASKS, TENSORS_FILE
from zoo_peft.tensors import METADATA, PREFIX

_DOWN, _UP = ".down.weight", ".up.weight"
_LARGE = ("text-classification", "image-classification")


@dataclass
class _Written:
    """What an adapter is to PEFT: its tensors, and the modules that it corrects and those that it holds whole."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    corrected: list[str] = field(default_factory=list)
    whole: dict[str, None] = field(default_factory=dict)
    turned: bool = False


def write_adapter(weights: Path, out: Path) -> None:
    """Write an adapter of Zoo's, or that of the run whose weights these are, into a folder.

    Raise UsageError for weights that are none, and for a task whose network the base's library does not build.
    """
    folder = _adapter_folder(weights)
    known = zoo.describe(folder)
    assert known.adapter is not None
    named = known.adapter.base
    base = Base.opened(zoo.find_weights(f"hf://{named.repo}", revision=named.commit, offline=True))
    _check(known, base)
    written = _Written()
    for ours, tensor in _learnt(zoo.stored_tensors(folder).load(), "backbone." if known.head is not None else ""):
        _add(written, ours, tensor, base, known.task)
    said: dict[str, Any] = {"base_sha256": named.sha256, "labels": list(known.labels)}
    if base.layout is None:
        own = zoo.parse_json((folder / "config.json").read_bytes(), str(folder / "config.json"))["zoo"]
        said["zoo"] = {key: value for key, value in own.items() if key != "adapter"}
    save_file(written.tensors, out / TENSORS_FILE, metadata={"format": "pt", METADATA: json.dumps(said)})
    config = _config(known, written)
    zoo.write_file(out / CONFIG_FILE, json.dumps(config, indent=2).encode() + b"\n")
    zoo.write_file(out / "README.md", _readme(known, base).encode())


def _adapter_folder(weights: Path) -> Path:
    """Return the folder of an adapter: the weights themselves, or what the run has beside them."""
    if weights.is_dir() and zoo.describe(weights).adapter is not None:
        return weights
    beside = weights.parent / "adapter"
    if weights.is_dir() and (weights.parent / "run.json").is_file() and (beside / "config.json").is_file():
        return beside
    raise zoo.UsageError(
        f"{weights} holds no adapter of Zoo's; `zoo finetune --method lora` makes one of weights on a Hub (a name, or "
        "hf://org/name)"
    )


def _check(known: Any, base: Base) -> None:
    classes = {} if base.layout is None else base.layout.architectures
    if known.head is not None or (classes and known.task not in classes):
        raise zoo.UsageError(
            f"PEFT has no place for {known.task} on a {known.architecture}: the library of its base has no such model; "
            "push it for Zoo: zoo push --adapter"
        )


def _learnt(tensors: Mapping[str, Tensor], inside: str) -> Iterator[tuple[str, Any]]:
    """Yield what was learnt by the name of the tensor that it is for: two matrices, or what stands for it."""
    for name, tensor in tensors.items():
        if name.endswith(_DOWN) and (up := name.removesuffix(_DOWN) + _UP) in tensors:
            yield f"{name.removesuffix(_DOWN)}.weight".removeprefix(inside), (tensor, tensors[up])
        elif not (name.endswith(_UP) and name.removesuffix(_UP) + _DOWN in tensors):
            yield name, tensor


def _add(written: _Written, ours: str, learnt: Any, base: Base, task: str) -> None:
    """Add what was learnt for a tensor of ours: for each of theirs that it is joined of, its share."""
    found = zoo.parts_of(ours, base.renames)
    for place, theirs in enumerate(found):
        name = theirs.name
        if task == "feature-extraction":  # the model alone has no names around it
            prefix = next((item for item in base.prefixes if name.startswith(item)), "")
            name = name.removeprefix(prefix)
        module = name.rpartition(".")[0]
        if isinstance(learnt, tuple):
            down, up = learnt[0], learnt[1].chunk(len(found))[place]
            written.turned |= theirs.axes is not None and down.ndim == 2
            written.corrected.append(module)
            for kind, tensor in (("lora_A", down), ("lora_B", up)):
                stored = tensor if theirs.dims is None else tensor.reshape((*tensor.shape, 1, 1)[: theirs.dims])
                written.tensors[f"{PREFIX}{module}.{kind}.weight"] = stored.contiguous().clone()
            continue
        part = learnt.chunk(len(found))[place]
        axes = None if theirs.axes is None or part.ndim != len(theirs.axes) else theirs.axes
        moved = part if axes is None else part.permute(sorted(range(part.ndim), key=axes.__getitem__))
        stored = moved if theirs.dims is None else moved.reshape((*moved.shape, 1, 1)[: theirs.dims])
        written.whole[module] = None
        written.tensors[f"{PREFIX}{name}"] = stored.contiguous().clone()


def _config(known: Any, written: _Written) -> dict[str, Any]:
    record = known.adapter
    theirs = {ours: name for name, ours in TASKS.items()}
    return {
        "peft_type": "LORA",
        "task_type": theirs.get(known.task),
        "base_model_name_or_path": record.base.repo,
        "revision": record.base.commit,
        "inference_mode": True,
        "r": record.rank,
        "lora_alpha": int(record.alpha) if record.alpha == int(record.alpha) else record.alpha,
        "lora_dropout": 0.0,
        "target_modules": written.corrected,
        "modules_to_save": list(written.whole) or None,
        "fan_in_fan_out": written.turned,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
    }


def _readme(known: Any, base: Base) -> str:
    """Return a card whose lines open the adapter by PEFT, and by Zoo."""
    named = known.adapter.base
    address = f'"{named.repo}", revision="{named.commit}"'
    if base.layout is not None and base.layout.library == "transformers":
        model = base.layout.architectures.get(known.task) or "AutoModelForImageClassification"
        size = f", num_labels={known.arguments['num_classes']}" if known.task in _LARGE else ""
        fresh = ", ignore_mismatched_sizes=True" if size else ""
        lines = f"import transformers\n\nbase = transformers.{model}.from_pretrained({address}{size}{fresh})\n"
    else:
        size = f", num_classes={known.arguments['num_classes']}" if known.task in _LARGE else ""
        lines = f'import zoo\n\nbase = zoo.load("hf://{named.repo}@{named.commit}"{size})\n'
    return (
        f"---\nlibrary_name: peft\nbase_model: {named.repo}\n---\n\n"
        f"# A LoRA of {known.architecture} for {known.task}\n\n"
        f"```python\nimport peft\n{lines}model = peft.PeftModel.from_pretrained(base, FOLDER)\n```\n\n"
        "With Zoo and zoo-peft: `zoo.load(FOLDER)`, which takes no other base than the one of sha256 "
        f"`{named.sha256}`.\n"
    )
