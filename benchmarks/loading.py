"""Load a conv_autoencoder of about 300 MB from a folder: zoo.load against the bare floor, in turn.

The floor builds the model on the meta device, maps the file with safetensors and assigns; it checks nothing.

    python benchmarks/loading.py [--rounds 15]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

import zoo
from zoo.registry.registry import default_registry
from zoo.specs.records import load_target
from zoo.weights.folder import save_weights

TARGET = load_target(default_registry().model("conv_autoencoder").spec.target)
ARGUMENTS = {"image_size": 64, "channels": 3, "widths": [256, 512, 1024, 1024], "code_size": 1024}


def floor(folder: Path) -> torch.nn.Module:
    with torch.device("meta"):
        model = TARGET(**ARGUMENTS)
    model.load_state_dict(load_file(folder / "model.safetensors"), assign=True)
    return model.eval()


def seconds(load: Callable[[Path], torch.nn.Module], folder: Path) -> float:
    start = time.perf_counter()
    load(folder)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "weights"
        save_weights(
            folder, zoo.create("conv_autoencoder", **ARGUMENTS), model_name="conv_autoencoder", arguments=ARGUMENTS
        )
        size = (folder / "model.safetensors").stat().st_size
        seconds(floor, folder), seconds(zoo.load, folder)
        times = [(seconds(zoo.load, folder), seconds(floor, folder)) for _ in range(rounds)]
    ours, bare = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(mine / other for mine, other in times)
    print(f"model of {size / 1e6:.0f} MB, median of {rounds} rounds in turn, 2 threads, torch {torch.__version__}")
    print(f"zoo.load {ours * 1000:.1f} ms   floor {bare * 1000:.1f} ms   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
