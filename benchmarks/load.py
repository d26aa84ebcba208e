"""Load a ViT-L of 1.2 GB: zoo.load with its checks against the bare floor, transformers and timm, in turn.

The floor builds the same plain model as zoo on the meta device, maps the file and assigns; it checks nothing. timm and
transformers have their own models and files of the same size. Runs in the peers' environment (benchmarks/peers.sh):

    PYTHONPATH=. /tmp/zoo-peers/bin/python benchmarks/load.py [--rounds 5]
"""

import argparse
import gc
import logging
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import zoo
import zoo.registry.registry
import zoo.weights.folder
import zoo.weights.foreign.recognize
from zoo.registry.catalogue import Catalogue
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry
from zoo.weights.config import write_config
from zoo.weights.description import FORMAT_VERSION, WeightsDescription
from zoo.weights.inputs import Preprocessing, record_of

NAME = "vit_large_patch16_224"


class Block(nn.Module):
    """One block of a vision transformer."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        queries, keys, values = self.qkv(self.norm1(x)).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values)
        x = x + self.proj(attended.transpose(1, 2).flatten(2))
        return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))


class VisionTransformer(nn.Module):
    """ViT-L/16 for 224x224 pictures, as the paper has it."""

    def __init__(self, *, width: int = 1024, depth: int = 24, num_heads: int = 16, num_classes: int = 1000) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.patches = nn.Conv2d(3, width, 16, stride=16)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 197, width))
        self.blocks = nn.Sequential(*(Block(width, num_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


def offer_vit() -> None:
    """Let the registry of this process offer the model."""
    spec = zoo.ModelSpec(
        name="vit_large",
        family="transformer",
        summary="ViT-L",
        target="__main__:VisionTransformer",
        task="image-classification",
    )
    registry = Registry([Plugin("zoo-benchmark", "0", "benchmark", offers={"models": [spec]})], Catalogue())
    for place in (zoo.registry.registry, zoo.weights.folder, zoo.weights.foreign.recognize):
        place.default_registry = lambda: registry  # type: ignore[attr-defined]


def write(folder: Path) -> None:
    """Write the weights of both models."""
    import timm
    from transformers import ViTConfig, ViTForImageClassification

    (folder / "zoo").mkdir()
    model = VisionTransformer()
    save_file(model.state_dict(), folder / "zoo" / "model.safetensors", metadata={"format": "pt"})
    model = timm.create_model(NAME)
    save_file(model.state_dict(), folder / "timm.safetensors", metadata={"format": "pt"})
    del model
    block = WeightsDescription(
        format_version=FORMAT_VERSION,
        plugin="zoo-benchmark",
        plugin_version="0",
        architecture="vit_large",
        arguments={"num_classes": 1000},
        task="image-classification",
        labels=tuple(f"class {place}" for place in range(1000)),
        inputs=record_of("image", Preprocessing(image_size=(224, 224), channels=3)),
    )
    write_config(folder / "zoo", block)
    config = ViTConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, num_labels=1000
    )
    ViTForImageClassification(config).save_pretrained(folder / "transformers")


def floor(folder: Path) -> torch.nn.Module:
    with torch.device("meta"):
        model = VisionTransformer()
    model.load_state_dict(load_file(folder / "zoo" / "model.safetensors"), assign=True)
    return model.eval()


def with_transformers(folder: Path) -> Any:
    from transformers import ViTForImageClassification

    return ViTForImageClassification.from_pretrained(folder / "transformers")


def with_timm(folder: Path) -> Any:
    import timm

    return timm.create_model(NAME, checkpoint_path=str(folder / "timm.safetensors"))


LOADERS: dict[str, Callable[[Path], Any]] = {
    "zoo": lambda folder: zoo.load(folder / "zoo"),
    "floor": floor,
    "transformers": with_transformers,
    "timm": with_timm,
}


def seconds(load: Callable[[Path], Any], folder: Path) -> tuple[float, float]:
    """Return the seconds by the clock, and those of computing: on a shared machine the clock says little."""
    gc.collect()
    start, computed = time.perf_counter(), time.process_time()
    model = load(folder)
    passed = time.perf_counter() - start, time.process_time() - computed
    del model
    return passed


def memory() -> float:
    """Return the most memory that this process ever had, in MB."""
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1000


def measure_memory(folder: Path) -> None:
    """Print the memory before loading, after it, and after the first forward."""
    before = memory()
    model = zoo.load(folder / "zoo")
    loaded = memory()
    with torch.inference_mode():
        model(torch.zeros(1, 3, 224, 224))
    size = (folder / "zoo" / "model.safetensors").stat().st_size / 1e6
    print(f"memory: {before:.0f} MB before, {loaded:.0f} MB loaded, {memory():.0f} MB after the first forward")
    print(f"that is {(memory() - before) / size:.2f} × the file's {size:.0f} MB on top, {memory() / size:.2f} × in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", type=Path, help="Measure memory alone, with the weights in this folder.")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(2)
    offer_vit()
    if options.memory:
        measure_memory(options.memory)
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        folder = Path(temporary)
        write(folder)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in LOADERS}
        quick = [name for name in LOADERS if name != "timm"]  # which takes a hundred times as long
        for name in quick:
            seconds(LOADERS[name], folder)
        for place in range(options.rounds):
            for name in quick[place % len(quick) :] + quick[: place % len(quick)]:  # nobody always comes first
                times[name].append(seconds(LOADERS[name], folder))
        times["timm"] = [seconds(with_timm, folder) for _ in range(2)]
        print(f"ViT-L, 1.2 GB, median of {options.rounds} rounds in turn, 2 threads, torch {torch.__version__}")
        for name, found in times.items():
            clock, computing = (statistics.median(column) * 1000 for column in zip(*found, strict=True))
            pairs = list(zip(times["zoo"], found, strict=False))
            ratios = [statistics.median(mine[side] / other[side] for mine, other in pairs) for side in (0, 1)]
            print(f"{name:13} {clock:7.0f} ms, {computing:7.0f} ms of computing", end="   ")
            print(f"zoo takes {ratios[0]:.3f} × that, {ratios[1]:.3f} × by computing")
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--memory", str(folder)], check=True)


if __name__ == "__main__":
    main()
