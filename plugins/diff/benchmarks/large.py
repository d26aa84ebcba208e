"""Time `zoo diff` of two ViT-L checkpoints in which three tensors differ, beside reading both files once.

    python plugins/diff/benchmarks/large.py [--megabytes 1200] [--rounds 5] [--folder /tmp/zoo-diff]

Rounds take turns, so that both meet the machine in the same state; the ratio is that of the fastest. With `--cold` (as
root, on Linux) the files are read from the disk each time. Memory is the peak of a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

WIDTH = 1024
LAYERS = {
    "qkv.weight": (3 * WIDTH, WIDTH),
    "proj.weight": (WIDTH, WIDTH),
    "fc1.weight": (4 * WIDTH, WIDTH),
    "fc2.weight": (WIDTH, 4 * WIDTH),
}
CHANGED = ("blocks.0.qkv.weight", "blocks.3.fc1.weight", "blocks.7.proj.weight")
JOB = """
import json, re, sys
from pathlib import Path
from zoo_diff.comparison import difference

found = difference(*map(Path, sys.argv[1:])).tensors
peak = int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
told = {"names": [change.name for change in found], "norms": [change.numbers.norm for change in found]}
print(json.dumps({**told, "mib": peak / 1024}))
"""


def make(folder: Path, megabytes: int) -> tuple[Path, Path]:
    """Write the two checkpoints."""
    draws = np.random.default_rng(0)
    depth = max(8, round(megabytes * 1e6 / (4 * sum(int(np.prod(shape)) for shape in LAYERS.values()))))
    before = {
        f"blocks.{block}.{name}": draws.standard_normal(shape, dtype=np.float32)
        for block in range(depth)
        for name, shape in LAYERS.items()
    }
    after = before | {
        name: before[name] + np.float32(0.01) * draws.standard_normal(before[name].shape, dtype=np.float32)
        for name in CHANGED
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "before.safetensors", folder / "after.safetensors"
    for path, tensors in zip(paths, (before, after), strict=True):
        save_file(tensors, path)
    norms = [float(np.linalg.norm(after[name].astype("f8") - before[name].astype("f8"))) for name in sorted(CHANGED)]
    (folder / "norms.json").write_text(json.dumps(norms))
    return paths


def read(paths: tuple[Path, Path]) -> float:
    """Return the seconds that it takes to read both once."""
    buffer = bytearray(1 << 20)
    start = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - start


def forget(cold: bool) -> None:
    """Let the system forget what it has read."""
    if cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("1")


def main() -> None:
    """Print both times, their ratio, the memory, and whether the answer is numpy's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/zoo-diff"))
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    from zoo_diff.comparison import difference

    paths = make(options.folder, options.megabytes)
    once: list[float] = []
    ours: list[float] = []
    for _ in range(options.rounds):
        forget(options.cold)
        once.append(read(paths))
        forget(options.cold)
        start = time.perf_counter()
        difference(*paths)
        ours.append(time.perf_counter() - start)
    job = subprocess.run([sys.executable, "-c", JOB, *map(str, paths)], capture_output=True, text=True, check=True)
    found = json.loads(job.stdout)
    norms = json.loads((options.folder / "norms.json").read_text())
    off = max(abs(one / other - 1) for one, other in zip(found["norms"], norms, strict=True))
    ratio = min(ours) / min(once)
    print(f"read both once {min(once):.2f} s, compare {min(ours):.2f} s: {ratio:.2f} x")
    print(f"memory {found['mib']:.0f} MiB")
    print(f"changed: {', '.join(found['names'])}; norms off from numpy's by {off:.0e}")


if __name__ == "__main__":
    main()
