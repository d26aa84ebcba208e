"""Run the parts of the GPU benchmark one after the other, each in a process of its own, and write what they found.

benchmarks/gpu.sh is the command. A part that fails or runs out of its time is recorded with the reason.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PARTS = {"steps": 0.45, "loading": 0.1, "accuracy": 0.3, "predict": 0.15}
"""Each with its share of the time."""
_DISTRIBUTIONS = ("torch", "timm", "transformers", "torchvision", "zoo-hub")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="so small that a CPU gets through it")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--minutes", type=float, default=8)
    chosen = parser.parse_args()
    if not chosen.tiny and not torch.cuda.is_available():
        sys.exit("no GPU here; try whether it runs with --tiny")
    results: dict[str, Any] = {"command": " ".join(sys.argv[1:]), "tiny": chosen.tiny, **machine(), "parts": {}}
    latest = time.monotonic() + 60 * chosen.minutes
    names = chosen.parts.split(",")
    for place, name in enumerate(names):
        # what earlier parts left of their time goes to the later ones
        share = PARTS[name] / sum(PARTS[other] for other in names[place:])
        started = time.monotonic()
        results["parts"][name] = run(name, chosen.tiny, share * (latest - started))
        results["parts"][name]["seconds"] = round(time.monotonic() - started, 1)
        chosen.out.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{name}: {json.dumps(results['parts'][name])}", flush=True)
    print(f"written to {chosen.out}")


def run(name: str, tiny: bool, seconds: float) -> dict[str, Any]:
    """Return what a part found, or why it found nothing."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), str(out), *(["--tiny"] if tiny else [])]
        environment = {**os.environ, "GPU_SECONDS": f"{0.9 * seconds:.0f}"}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment)
        except subprocess.TimeoutExpired:
            reason = f"not done in {seconds:.0f} s"
        else:
            reason = "" if done.returncode == 0 else "\n".join(done.stderr.strip().split("\n")[-3:])
        found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
        return {**found, **({"failed": reason} if reason else {})}


def machine() -> dict[str, Any]:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"gpu": gpu, "cpu": platform.machine(), "cpus": os.cpu_count(), "versions": versions()}


def versions() -> dict[str, str]:
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


if __name__ == "__main__":
    main()
