"""Fuzz the readers of what strangers write: safetensors, shards, config.json, registry.json, zoo.lock, README.md.

Guided by coverage: an input that reaches a line that none reached before is kept and changed further. A run fails on
any exception but a ZooError, on an input that takes over 5 seconds, and when memory has grown by more than 200 MB.

python tests/fuzz/readers.py [--seconds 1800] [--seed 0]
"""

import argparse
import json
import logging
import random
import re
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from zoo.errors import ZooError
from zoo.publishing.readme_merge import metadata_of, parse_readme, update_readme
from zoo.registry.catalogue import read_catalogue
from zoo.weights.config import read_config
from zoo.weights.header import read_header
from zoo.weights.lockfile import read_lock
from zoo.weights.stored import stored_tensors

MEMORY = 200_000_000
SECONDS = 5
HEADER = b'{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[8,8]}}'  # noqa: E501
INDEX = b'{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00001.safetensors","b":"model-00001-of-00001.safetensors"}}'  # noqa: E501
CONFIG: dict[str, Any] = {
    "format_version": 1, "plugin": "zoo-x", "plugin_version": "1", "architecture": "tiny", "arguments": {"width": 4},
    "task": "image-classification", "labels": ["cat"], "recipe": {"name": "r", "settings": {"epochs": 1}},
    "preprocessing": {"image_size": [8, 8], "channels": 1, "mean": [0.5], "std": [0.5]},
    "data": {"name": "d", "fingerprint": "f", "license": "MIT"},
}  # fmt: skip
ENTRY = {
    "repo": "org/name", "revision": "a" * 40, "files": {"model.safetensors": {"sha256": "b" * 64, "size": 3}},
    "plugin": "zoo-x", "task": "t", "license": "MIT", "scores": {"accuracy": 1.5},
}  # fmt: skip
REGISTRY = {
    "schema_version": 1,
    "weights": {"tiny.a": ENTRY},
    "aliases": {"tiny": "tiny.a"},
    "plugins": {"zoo-x": ["t"]},
}
LOCK = f'version = 1\n[weights."a.b"]\nrepo = "o/n"\ncommit = "{"a" * 40}"\n[weights."a.b".files]\n"f" = {{ sha256 = "{"b" * 64}", size = 3 }}\n'  # noqa: E501
README = "---\nlicense: mit\ntags:\n- a\n---\nwords\n<!-- zoo:begin -->\nx\n<!-- zoo:end -->\nmore\n"
WORDS = [
    b'"', b"\\", b"\\u0000", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"1e999", b"-1", b"0",
    b"18446744073709551616", b"9" * 5000, b"../x", b"\x00", b"\xff\xfe", b"\xe2\x80\xae", b'"data_offsets"', b'"dtype"',
    b'"shape"', b'"zoo"', b'"auto_map"', b'"weights"', b"__metadata__", b"F64", b"F99", b"---\n", b"<!-- zoo:begin",
    b"&a [*a,*a]", b"!!python/object:os.system", b"[weights.x]\n", b"inf",
]  # fmt: skip


def framed(header: bytes, body: bytes = b"12345678") -> bytes:
    """Return a safetensors file with this header."""
    return struct.pack("<Q", len(header)) + header + body


def read_readme(folder: Path) -> None:
    """Take a card apart and put it together."""
    readme = parse_readme((folder / "input").read_bytes().decode("utf-8", "surrogateescape"))
    metadata_of(readme)
    update_readme(readme, "block", {"license": "mit", "tags": ["zoo"]})


def read_shards(folder: Path) -> None:
    """Read an index beside a shard that is right."""
    shutil.copyfile(folder / "input", folder / "model.safetensors.index.json")
    (folder / "model-00001-of-00001.safetensors").write_bytes(framed(HEADER))
    stored_tensors(folder)


def read_config_json(folder: Path) -> None:
    """Read config.json."""
    shutil.copyfile(folder / "input", folder / "config.json")
    read_config(folder)


TARGETS: dict[str, tuple[Callable[[Path], object], bytes]] = {
    "header": (lambda folder: read_header(folder / "input"), framed(HEADER)),
    "shards": (read_shards, INDEX),
    "config": (read_config_json, json.dumps({"zoo": CONFIG}).encode()),
    "registry": (lambda folder: read_catalogue(folder / "input"), json.dumps(REGISTRY).encode()),
    "lock": (lambda folder: read_lock(folder / "input"), LOCK.encode()),
    "readme": (read_readme, README.encode()),
}


def changed(content: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    """Return the content with one to eight changes."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        place = draw.randint(0, len(data))
        match draw.randrange(8):
            case 0 if data:
                data[place % len(data)] ^= 1 << draw.randrange(8)
            case 1:
                del data[place : place + draw.randint(1, 16)]
            case 2 | 3:
                data[place:place] = draw.choice(WORDS)
            case 4:
                end = draw.randint(place, min(len(data), place + 200))
                data[place:place] = data[place:end] * draw.choice([1, 2, 50])
            case 5:
                other = draw.choice(others)
                data[place:] = other[draw.randint(0, len(other)) :]
            case 6:
                numbers = list(re.finditer(rb"\d+", bytes(data[:20_000])))
                if numbers:
                    number = draw.choice(numbers)
                    new = str(draw.choice([0, 1, -1, 2**31, 2**63, 2**64, draw.randrange(10**6)])).encode()
                    data[number.start() : number.end()] = new
            case 7 if draw.random() < 0.02:
                data[place:place] = draw.choice([b"[", b'{"a":', b"[],", b'"a":{},', b'"\\"",']) * 500_000
    return bytes(data[:6_000_000])


def run(target: Callable[[Path], object], folder: Path, content: bytes, lines: set[tuple[str, int]]) -> bool:
    """Give an input to a reader; tell whether it reached a line that none did before."""
    before = len(lines)

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if "/zoo/" not in frame.f_code.co_filename:
            return None
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    (folder / "input").write_bytes(content)
    signal.signal(signal.SIGPROF, hang)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # seconds of computing, whatever else the machine does
    if len(content) < 100_000:  # watching every line of a long loop takes longer than the loop
        sys.settrace(trace)
    try:
        target(folder)
    except ZooError:
        pass
    finally:
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return len(lines) > before


def hang(number: int, frame: FrameType | None) -> None:
    """Stop a reader that takes too long."""
    raise TimeoutError(f"took more than {SECONDS} s")


def memory() -> int:
    """Return the most memory that this process ever had, in bytes."""
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def fuzz(seconds: float, seed: int) -> str:
    """Run for so long; return what was done. Raise what a reader let through."""
    logging.getLogger("zoo").setLevel(logging.CRITICAL)
    draw = random.Random(f"fuzz {seed}")
    corpus = {name: [start] for name, (_, start) in TARGETS.items()}
    lines: set[tuple[str, int]] = set()
    count, start, base = 0, time.monotonic(), memory()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as temporary:
        folder = Path(temporary)
        for target, first in TARGETS.values():
            run(target, folder, first, lines)
        while time.monotonic() - start < seconds:
            name = draw.choice(list(TARGETS))
            content = changed(draw.choice(corpus[name]), draw, corpus[name])
            if name == "header" and draw.random() < 0.7:
                content = framed(content[8:], b"")  # the length in front fits, so that what follows is looked at
            try:
                if run(TARGETS[name][0], folder, content, lines):
                    corpus[name].append(content)
            except BaseException:
                Path(f"/tmp/zoo-fuzz-{name}.bin").write_bytes(content)
                print(f"{name}: the input lies in /tmp/zoo-fuzz-{name}.bin", file=sys.stderr)
                raise
            count += 1
            assert memory() - base < MEMORY, f"{name}: memory grew by {memory() - base:,} bytes"
    kept = sum(map(len, corpus.values()))
    return (
        f"{count:,} executions in {time.monotonic() - start:.0f} s, seed {seed}: {len(lines)} lines reached, "
        f"{kept} inputs kept, memory grew by {(memory() - base) / 1e6:.0f} MB; no crash, no hang"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(fuzz(options.seconds, options.seed))


if __name__ == "__main__":
    main()
