"""Wall time of the commands that must be instant, each in turn with `hf --help`.

python benchmarks/startup.py [--rounds 15]
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "zoo --help": ["zoo", "--help"],
    "zoo list": ["zoo", "list"],
    "zoo info": ["zoo", "info", "conv_autoencoder"],
    "zoo plugins": ["zoo", "plugins"],
}


# zoo from a checkout keeps its bytecode, as pip makes it for what it installs
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    folder = Path(sys.executable).parent

    def full(command: list[str]) -> list[str]:
        return [shutil.which(command[0], path=str(folder)) or command[0], *command[1:]]

    peer = full(["hf", "--help"])
    print(f"median of {rounds} rounds, each command in turn with `hf --help`; python {sys.version.split()[0]}")
    for name, command in COMMANDS.items():
        command = full(command)
        seconds(command), seconds(peer)  # warm the file cache
        times = [(seconds(command), seconds(peer)) for _ in range(rounds)]
        ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(mine / other for mine, other in times)
        print(f"{name:12}  {ours * 1000:6.0f} ms   hf --help {theirs * 1000:6.0f} ms   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
