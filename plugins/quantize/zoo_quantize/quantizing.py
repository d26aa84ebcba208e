"""Weights in 8 bits, and what that costs."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import load_file
from torch import Tensor

import zoo
from zoo_quantize.container import write_file
from zoo_quantize.rounding import by_error, quantized

FILE = "model.int8.safetensors"
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"
_SMALLER_IS_BETTER = ("loss", "perplexity", "wer", "cer", "mae", "mse", "rmse")


@dataclass(frozen=True)
class Source:
    """Weights as a folder of Zoo's own, whoever wrote them: its tensors and its config.json."""

    folder: Path
    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]

    @classmethod
    @contextmanager
    def opened(cls, weights: str | Path, hub: str | None = None) -> Iterator["Source"]:
        """Load weights, and write them to a folder that lives as long as the block."""
        known = zoo.describe(weights, hub=hub)
        with tempfile.TemporaryDirectory(prefix="zoo-quantize-") as temporary:
            folder = zoo.save(zoo.load(weights, hub=hub), Path(temporary) / "weights")
            config = zoo.parse_json((folder / _CONFIG).read_bytes(), str(folder / _CONFIG))
            # what made the weights decides how they are scored
            config["zoo"] |= {"recipe": msgspec.to_builtins(known.recipe), "data": msgspec.to_builtins(known.data)}
            yield cls(folder, load_file(folder / _WEIGHTS), config)


@dataclass(frozen=True)
class Measured:
    """One score before and after, and what got lost: points of a score in percent, or percent of one better smaller."""

    name: str
    before: float
    after: float

    @property
    def loss(self) -> float:
        """What got lost; below zero where it became better."""
        if self.name in _SMALLER_IS_BETTER:
            return 100 * (self.after - self.before) / max(abs(self.before), 1e-12)
        return self.before - self.after

    @property
    def unit(self) -> str:
        """What `loss` is counted in."""
        return "percent" if self.name in _SMALLER_IS_BETTER else "points"


def write(source: Source, out: Path, *, kept: Sequence[str]) -> None:
    """Write weights in 8 bits as a file; `kept` tensors stay as they are."""
    tensors, names, scales = quantized(source.tensors, kept)
    if not names:
        raise zoo.UsageError("these weights have no matrices and no kernels to put into 8 bits")
    write_file(out, tensors, names, scales, source.config)


def write_folder(source: Source, folder: Path, kept: Sequence[str]) -> None:
    """Write weights in 8 bits into a folder, with what lies beside them, such as a tokenizer."""
    write(source, folder / FILE, kept=kept)
    for path in source.folder.iterdir():
        if path.name not in (_WEIGHTS, _CONFIG):
            shutil.copy(path, folder)


def measure(weights: str | Path, folder: Path, data: Mapping[str, Any], hub: str | None) -> Measured:
    """Score weights and what became of them by the task's own score, on the test split of data."""
    before, after = zoo.evaluate(weights, hub=hub, **data), zoo.evaluate(folder, **data)
    name = next((name for name in before if name != "loss"), "loss")
    return Measured(name, before[name], after[name])


def most_sensitive(source: Source, count: int) -> list[str]:
    """Return the tensors that lose most, by the share of their norm."""
    return list(by_error(source.tensors))[:count]


def sizes(source: Source, folder: Path) -> tuple[int, int]:
    """Return the bytes of the file before, and after."""
    return (source.folder / _WEIGHTS).stat().st_size, (folder / FILE).stat().st_size


def write_card(folder: Path, title: str, told: Mapping[str, Any]) -> None:
    """Write what was measured, for people and for programs."""
    zoo.write_file(folder / "quantization.json", json.dumps(told, indent=2).encode() + b"\n")
    before, after = told["bytes"]
    lines = [
        f"# {title} in 8 bits",
        "",
        "Matrices and kernels are int8 with a scale for each row; `zoo.load` makes them float32 again, so that",
        "they take as much memory and time as before, and a quarter of the disk.",
        "",
        "| | float | int8 |",
        "|---|---|---|",
        f"| bytes | {before:,} | {after:,} ({after / before:.3f} times) |",
    ]
    if (measured := told.get("measured")) is not None:
        lines.append(f"| {measured['score']} on {told['data']} | {measured['before']:.4f} | {measured['after']:.4f} |")
    if told["kept"]:
        lines += ["", f"Left in float: {', '.join(told['kept'])}."]
    zoo.write_file(folder / "README.md", "\n".join([*lines, ""]).encode())
