"""Tokens a second in training: zoo's GPT-2 against nanoGPT's own train.py, in the setting its README gives for a CPU.

    git clone https://github.com/karpathy/nanoGPT && (cd nanoGPT && python data/shakespeare_char/prepare.py)
    ZOO_DATA=../shared/data python benchmarks/nanogpt.py nanoGPT [--rounds 5] [--steps 200 800]

Both learn the characters of tinyshakespeare, 12 windows of 64 a step, with 4 layers of 128, in fp32 on one thread. Each
trains in a process of its own, in turn, for the smaller and for the larger number of steps: the difference between the
two is what the steps between them took, without starting up, scoring and saving. Times are processor seconds, which
other programs on the machine disturb little.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

BATCH, CONTEXT, WIDTH, LAYERS = 12, 64, 128, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nanogpt", type=Path, help="a checkout of nanoGPT, data/shakespeare_char prepared")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, nargs=2, default=(200, 800), metavar=("FEWER", "MORE"))
    parser.add_argument("--ours", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ours:
        train(asked.ours)
        return
    ours, theirs, ratios = [], [], []
    for turn in range(asked.rounds):
        # who begins changes, so that a machine that drifts favours nobody
        sides: list[Callable[[int], list[str]]] = [our_command, their_command]
        taken = {}
        for side in sides if turn % 2 else sides[::-1]:
            where = asked.nanogpt if side is their_command else Path()
            fewer, more = (seconds(side(steps), where) for steps in asked.steps)
            taken[side] = (asked.steps[1] - asked.steps[0]) * BATCH * CONTEXT / (more - fewer)
        ours.append(taken[sides[0]])
        theirs.append(taken[sides[1]])
        ratios.append(ours[-1] / theirs[-1])
    print(f"{asked.rounds} rounds, steps {asked.steps[0]} to {asked.steps[1]}, one thread, tokens per processor second")
    print(f"zoo {statistics.median(ours):,.0f}, nanoGPT {statistics.median(theirs):,.0f}")
    print(f"zoo / nanoGPT {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


def our_command(steps: int) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), ".", "--ours", str(steps)]


def their_command(steps: int) -> list[str]:
    # never more than the first of its evaluations, and its log of every step as its README has it
    flags = f"--device=cpu --compile=False --dtype=float32 --eval_iters=1 --eval_interval={10 * steps} --log_interval=1"
    sizes = f"--block_size={CONTEXT} --batch_size={BATCH} --n_layer={LAYERS} --n_head=4 --n_embd={WIDTH} --dropout=0.0"
    line = f"train.py config/train_shakespeare_char.py {flags} {sizes} --max_iters={steps} --lr_decay_iters={steps}"
    return [sys.executable, *line.split()]


def seconds(command: list[str], folder: Path) -> float:
    """Return the processor time of a command that is run in a folder."""
    before = used()
    result = subprocess.run(command, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stderr.decode()[-2000:]}")
    return used() - before


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def train(steps: int) -> None:
    """Train zoo's model in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    settings = {
        "tokenizer": "characters",
        "max_tokens": CONTEXT,
        "batch_size": BATCH,
        "steps": steps,
        "evaluations": 1,
    }
    sizes = {"context": CONTEXT, "width": WIDTH, "depth": LAYERS, "num_heads": 4}
    with tempfile.TemporaryDirectory() as folder:
        zoo.pretrain("gpt2", data="tinyshakespeare", out=Path(folder) / "run", settings=settings, arguments=sizes)


if __name__ == "__main__":
    main()
