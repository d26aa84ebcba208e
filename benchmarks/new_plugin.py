"""The time from an empty folder to a plugin that is installed, tested, trained and pushed, for every kind.

python benchmarks/new_plugin.py [--kinds model recipe …]

In this environment, which has pip, hatchling and torch: nothing is fetched, and the plugin is removed again.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = ("model", "recipe", "task", "dataset", "modality", "command")


def run(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    python = sys.executable
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, seconds")
    print("kind       new  install  pytest  train  push  all")
    for kind in parser.parse_args().kinds:
        with tempfile.TemporaryDirectory() as folder:
            top, name = Path(folder), f"zoo-bench-{kind}"
            zoo = [python, "-m", "zoo"]
            steps = [run([*zoo, "plugins", "new", name, "--kind", kind], top)]
            plugin = top / name
            try:
                steps.append(
                    run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", "."], plugin)
                )
                steps.append(run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], plugin))
                used = next(
                    line for line in (plugin / "README.md").read_text().splitlines() if line.startswith("    zoo ")
                )
                run_folder = f"runs/bench_{kind}"
                if kind == "command":
                    train = (
                        "pretrain resnet20 --data fashion_mnist_sample --set epochs=1 --out runs/bench_command".split()
                    )
                else:
                    train = shlex.split(used)[1:]
                steps.append(run([*zoo, *train], plugin))
                if kind == "command":
                    steps[-1] += run([*zoo, "bench_command", run_folder], plugin)
                push = [*zoo, "push", run_folder, "me/new", "--hub", "hub", "--private"]
                push += ["--license", "other"] if kind == "modality" else []  # nobody knows that of its data
                steps.append(run(push, plugin))
            finally:
                run([python, "-m", "pip", "uninstall", "-q", "-y", name], top)
            print(f"{kind:9}  {'  '.join(f'{seconds:5.1f}' for seconds in (*steps, sum(steps)))}", flush=True)


if __name__ == "__main__":
    main()
