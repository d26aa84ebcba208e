"""Pull and push 1 GB over loopback: zoo against the Hub's own client, in turn, each in fresh processes.

zoo pull verifies every byte and hf download none; zoo push reads back what the Hub then serves. hf upload runs with its
defaults, which upload through Xet, and where the Hub does not take that, by LFS.

    python benchmarks/transfer.py [--megabytes 1000] [--rounds 3] [--only pull]
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BIN = Path(sys.executable).parent


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return seconds, and the most memory in MB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        said.seek(0)
        assert process.returncode == 0, f"{command} failed: {said.read()[-2000:].decode(errors='replace')}"
    return seconds, usage.ru_maxrss / 1000


def write_weights(folder: Path, megabytes: int, seed: int) -> None:
    """Write a repo of one large file that no earlier one is like."""
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Numbers\n")
    draw = random.Random(seed)
    with open(folder / "model.safetensors", "wb") as file:
        for _ in range(megabytes):
            file.write(draw.randbytes(1_000_000))


def in_turn(rounds: int, zoo: Callable[[int], tuple[float, float]], hf: Callable[[int], tuple[float, float]]) -> str:
    """Run both in turn; return their medians, and that of the ratios."""
    pairs = [(zoo(place), hf(place)) for place in range(rounds)]
    seconds = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
    memory = [max(pair[side][1] for pair in pairs) for side in (0, 1)]
    ratio = statistics.median(pair[0][0] / pair[1][0] for pair in pairs)
    return (
        f"zoo {seconds[0]:.2f} s, at most {memory[0]:.0f} MB   hf {seconds[1]:.2f} s, at most {memory[1]:.0f} MB   "
        f"ratio {ratio:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["pull", "push"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        folder = Path(temporary)
        hub = folder / "hub"
        serve = [sys.executable, "-m", "zoo", "hub", "serve", str(hub), "--port", "0"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = next(line for line in server.stdout if " on http" in line).split(" on ")[1].split()[0]
            environment = {
                **os.environ,
                "HF_ENDPOINT": url,
                "HF_TOKEN": (hub / "token").read_text(),
                "HF_HOME": str(folder / "home"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
            }
            push_code = (
                "import sys; from pathlib import Path; from zoo.hub.push import push_folder;"
                "push_folder(Path(sys.argv[1]), sys.argv[2], hub=sys.argv[3], message='push', private=False)"
            )

            def push(source: Path, repo: str) -> tuple[float, float]:
                return measured([sys.executable, "-c", push_code, str(source), repo, url], environment)

            def zoo_pull(place: int) -> tuple[float, float]:
                cache = {"HF_HUB_CACHE": str(folder / "zoo-cache")}
                shutil.rmtree(folder / "zoo-cache", ignore_errors=True)
                command = [str(BIN / "zoo"), "pull", "hf://bench/pull", "--hub", url]
                return measured(command, {**environment, **cache})

            def hf_pull(place: int) -> tuple[float, float]:
                cache = {"HF_HUB_CACHE": str(folder / "hf-cache")}
                shutil.rmtree(folder / "hf-cache", ignore_errors=True)
                return measured([str(BIN / "hf"), "download", "bench/pull"], {**environment, **cache})

            def zoo_push(place: int) -> tuple[float, float]:
                write_weights(folder / "a", options.megabytes, 2 * place + 1)
                found = push(folder / "a", f"bench/zoo-{place}")
                shutil.rmtree(folder / "a")
                return found

            def hf_push(place: int) -> tuple[float, float]:
                write_weights(folder / "b", options.megabytes, 2 * place + 2)
                found = measured([str(BIN / "hf"), "upload", f"bench/hf-{place}", str(folder / "b"), "."], environment)
                shutil.rmtree(folder / "b")
                return found

            print(f"{options.megabytes} MB over loopback, median of {options.rounds} rounds in turn")
            if options.only != "push":
                write_weights(folder / "source", options.megabytes, 0)
                push(folder / "source", "bench/pull")
                print("pull (verified) against hf download (unverified):", in_turn(options.rounds, zoo_pull, hf_pull))
            if options.only != "pull":
                print("push (read back) against hf upload:", in_turn(options.rounds, zoo_push, hf_push), flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
