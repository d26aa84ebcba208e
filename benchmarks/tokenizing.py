"""Tokenise a large text as pretraining does, and by the tokenizers library alone: pace, memory, and kills.

    ZOO_DATA=../shared/data python benchmarks/tokenizing.py [--megabytes 1000] [--kills 20] [--rounds 3]

The text is made of tinyshakespeare's words, in any order and with their ends exchanged, so that the library's cache of
words helps little; the tokenizer is a BPE of 8,000 tokens trained on the play. The library's side encodes as many
pieces of a million bytes at once as there are processors, and writes the ids by numpy. Each side runs in a process of
its own, in turn. What is killed at random goes on; at the end its bytes must be those of an uninterrupted run.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from zoo.data.images.pictures import processors
from zoo.data.text.dataset import TextSplit
from zoo.data.text.documents import FileTexts, Piece
from zoo.data.text.known import tinyshakespeare
from zoo.data.text.streams import write_streams
from zoo.weights.tokenizer import Tokenizer, read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        side(*asked.side)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        play = "".join(text for text, _ in tinyshakespeare(None).splits["train"].pieces())
        make_tokenizer("bpe", [play]).write(folder)
        write_text(folder / "text.txt", play.split(), asked.megabytes * 1_000_000)
        found: dict[str, list[dict[str, float]]] = {"zoo": [], "tokenizers": []}
        for turn in range(asked.rounds):
            for which in sorted(found, reverse=bool(turn % 2)):
                found[which].append(json.loads(run(which, folder, f"{which}{turn}").stdout))
        ratios = [b["seconds"] / a["seconds"] for a, b in zip(found["zoo"], found["tokenizers"], strict=True)]
        print(f"{asked.megabytes} MB, {processors()} processors, {asked.rounds} rounds in turn, medians")
        for which, results in found.items():
            taken, grown = (statistics.median(one[key] for one in results) for key in ("seconds", "grown"))
            print(f"{which:10} {asked.megabytes / taken:6.1f} MB/s, {grown:5.0f} MB above start")
        print(f"zoo is {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")
        longest = statistics.median(one["seconds"] for one in found["zoo"])
        kills = killed(folder, asked.kills, longest)
        same = digest(folder / "killed") == digest(folder / "zoo0")
        print(f"{kills} kills: {'the same bytes' if same else 'OTHER BYTES'}")


def run(which: str, folder: Path, out: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, __file__, "--side", which, str(folder), out]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def killed(folder: Path, most: int, seconds: float) -> int:
    """Kill a run again and again at random times until it is through; return how often."""
    draw = random.Random(0)
    command = [sys.executable, __file__, "--side", "zoo", str(folder), "killed"]
    for kill in range(most):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=3 + draw.uniform(0.02, 0.2) * seconds)
            return kill
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    run("zoo", folder, "killed")
    return most


def side(which: str, name: str, out: str) -> None:
    """Tokenise in this process, and print what it took."""
    folder = Path(name)
    tokenizer = read_tokenizer(folder)
    text = FileTexts((Piece(folder / "text.txt", 0, (folder / "text.txt").stat().st_size),))
    tokenizer.encode(["so that it is made"])
    before, start = peak(), time.perf_counter()
    if which == "zoo":
        write_streams({"train": TextSplit(text)}, tokenizer, folder / out, "text.txt")
    else:
        by_library(tokenizer, text, folder / out)
    print(json.dumps({"seconds": time.perf_counter() - start, "grown": peak() - before}))


def by_library(tokenizer: Tokenizer, text: FileTexts, out: Path) -> None:
    some: list[str] = []
    with open(out, "wb") as file:
        for piece, last in text.pieces():
            some.append(piece)
            if last or len(some) == processors():
                for encoding in tokenizer.inner.encode_batch_fast(some, add_special_tokens=False):
                    np.array(encoding.ids, np.uint16).tofile(file)
                some = []


def write_text(path: Path, words: list[str], size: int) -> None:
    draw = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8") as file:
        while file.tell() < size:
            heads, ends = (draw.integers(0, len(words), 10_000) for _ in range(2))
            made = [
                words[a][: 1 + len(words[a]) // 2] + words[b][len(words[b]) // 2 :]
                for a, b in zip(heads, ends, strict=True)
            ]
            file.write("\n".join(" ".join(made[place : place + 12]) for place in range(0, len(made), 12)) + "\n")


def peak() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def digest(folder: Path) -> str:
    with open(folder / "train.bin", "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    main()
