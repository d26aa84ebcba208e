"""A plugin with one of everything, a run to use it on, and the weights of that as their author stores them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.registry.registry import default_registry
from zoo.training.result import RunResult

EXTRAS = """
import zoo

@zoo.hookimpl
def zoo_trackers():
    yield zoo.TrackerSpec(name="diary", summary="Write down what happens", target="zoo_extras_more:Diary")

@zoo.hookimpl
def zoo_methods():
    yield zoo.MethodSpec(name="biases", summary="Let biases and the head learn", target="zoo_extras_more:Biases")

@zoo.hookimpl
def zoo_layouts():
    yield zoo.LayoutSpec(name="author", summary="How the author stores it", target="zoo_extras_more:LAYOUTS")

@zoo.hookimpl
def zoo_formats():
    yield zoo.FormatSpec(name="npz", summary="NumPy's archive", target="zoo_extras_more:npz", suffixes=(".npz",))
    yield zoo.FormatSpec(name="arrays", summary="A file for each tensor", target="zoo_extras_more:arrays", suffixes=(),
                         folder=True)

@zoo.hookimpl
def zoo_abilities():
    yield zoo.AbilitySpec(name="guess", summary="Guess one sound", target="zoo_extras_more:Guess", modality="tone")
    yield zoo.AbilitySpec(name="predict", summary="Take over", target="zoo_extras_more:Guess", modality="tone")
    yield zoo.AbilitySpec(name="draw", summary="Draw", target="zoo_extras_more:Guess", modality="image")
    yield zoo.AbilitySpec(name="write", summary="Write", target="zoo_extras_more:Guess", requires=("generate",))

@zoo.hookimpl
def zoo_explainers():
    yield zoo.ExplainerSpec(name="loudness", summary="Say how loud it is", target="zoo_extras_more:Loudness",
                            modality="tone")
"""
MORE = """
import zipfile
from typing import NamedTuple

import numpy as np
import torch
import zoo
from safetensors.numpy import load_file


class Diary:
    events = []

    def start(self, folder, resolved, step): self.events.append("start")
    def log(self, event, step, figures): self.events.append(event)
    def picture(self, path, step): self.events.append(path.name)
    def close(self): self.events.append("close")


class Guess:
    def __init__(self, loaded): self.labels = loaded.description.labels
    def __call__(self, place): return self.labels[place]


class Biases:
    def __init__(self, settings, network):
        self.settings, self.network = settings, network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.endswith("bias") or name.startswith("head"))

    @property
    def backbone(self): return self.network
    def optimizer(self):
        groups = zoo.parameter_groups(self.network, self.settings)
        return zoo.make_optimizer(self.settings.optimizer, groups, self.settings)
    def train(self): self.network.train()
    def export(self): return self.network.requires_grad_(True).eval()


class Loudness:
    columns = ("target", "loudness")

    def __init__(self, loaded):
        if loaded.description.task != "tone-classification":
            raise zoo.UsageError("features are not loud; finetune them first")
        self.labels = loaded.description.labels

    def __call__(self, items, *, target=None, batch_size=16):
        if target is not None and target not in self.labels:
            raise zoo.UsageError(f"no class {target!r}; choose of {', '.join(self.labels)}")
        return [{"target": target or self.labels[0], "loudness": float(np.abs(item).max())} for item in items]

    def items(self, arguments): return [(argument, np.ones(3)) for argument in arguments]
    def row(self, result): return [result["target"], f"{result['loudness']:.1f}"]
    def draw(self, item, results, out): return []


LAYOUTS = (
    zoo.Layout(library="author", models={"tone_net": {}}, stem="stem.weight", classifier="head.weight",
               renames=(zoo.Rename("front", "stem"), zoo.Rename("classify", "head")),
               labels=("sawtooth", "sine", "square"), inputs={"rate": 8000, "samples": 400}),
    zoo.Layout(library="numpy", models={"tone_net": {}}, stem="stem.weight", classifier="head.weight",
               inputs={"rate": 8000, "samples": 400}),
)


class Header(NamedTuple):
    dtype: str
    shape: tuple


class Archive:
    library, config = "numpy", {}

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
                self.arrays = dict(file)
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise zoo.IntegrityError(f"{path} is no archive of arrays: {error}; get a fresh copy") from None
        self.headers = {name: Header("F32", array.shape) for name, array in self.arrays.items()}

    def load(self, device="cpu"):
        return {name: torch.from_numpy(array).to(device) for name, array in self.arrays.items()}


class Npz:
    def recognizes(self, path):
        with open(path, "rb") as file:
            return file.read(2) == b"PK"

    def open(self, path): return Archive(path)

    def write(self, weights, out):
        with open(out, "wb") as file:
            np.savez(file, **load_file(weights / "model.safetensors"))


class Arrays(Npz):
    def write(self, weights, out):
        for name, array in load_file(weights / "model.safetensors").items():
            np.save(out / name, array)


npz, arrays = Npz(), Arrays()
"""


@pytest.fixture
def extras(site: Any) -> Any:
    """Install a plugin with one of everything, beside that of sounds, which it knows."""
    site.install_package(Path(__file__).parents[1] / "modalities" / "zoo_tones")
    site.install("zoo-extras", EXTRAS)
    (site.folder / "zoo_extras_more.py").write_text(MORE)
    default_registry.cache_clear()
    return site


@pytest.fixture
def run(extras: Any, tmp_path: Path) -> RunResult:
    """Return a run that has begun to tell sounds apart."""
    first = zoo.pretrain("tone_net", data="tones", out=tmp_path / "first", settings={"steps": 1})
    return zoo.finetune(
        first.folder, task="tone-classification", data="tones", out=tmp_path / "second", settings={"steps": 2}
    )


@pytest.fixture
def authors(run: RunResult, tmp_path: Path) -> Path:
    """Return the weights of a run as their author stores them."""
    theirs = {"stem": "front", "head": "classify"}
    tensors = {
        ".".join([theirs.get(name.split(".")[0], name.split(".")[0]), *name.split(".")[1:]]): tensor
        for name, tensor in load_file(run.weights / "model.safetensors").items()
    }
    save_file(tensors, tmp_path / "author.safetensors")
    return tmp_path / "author.safetensors"


def same(model: Any, other: Any) -> bool:
    sounds = torch.rand(3, 400, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.equal(model(sounds), other(sounds))
