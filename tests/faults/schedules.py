"""Pull through random faults, schedule by schedule: verified files or a clear error, never a bad file, never a hang.

python tests/faults/schedules.py [--first 0] [--count 1000]
"""

import argparse
import hashlib
import logging
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from huggingface_hub import constants

import zoo.hub.download
from tests.faults.proxy import FaultProxy, random_plan
from zoo.errors import ZooError
from zoo.hub.listing import FileSelection
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder
from zoo.hub.retry_policy import RetryPolicy
from zoo.hub.server.serving import serve_folder

PATIENCE = RetryPolicy(stall=0.25, slowest=4096, attempts=4, pause=0.01, longest_pause=0.1, worthwhile=32_000)
SEGMENT = 32_000
REQUESTS = 12 * PATIENCE.attempts
"""What the patience allows to a pull of two lists and ten parts of files, each asked for so often at most."""


def make_source(folder: Path) -> dict[str, bytes]:
    """Write a small repo: weights of several parts, a shard-sized second file, text, and an empty file."""
    draw = random.Random(2026)
    files = {
        "model.safetensors": draw.randbytes(130_000),
        "selftest.safetensors": draw.randbytes(40_000),
        "config.json": b'{"zoo": {}}',
        "README.md": b"---\nlicense: mit\n---\n# Thing\n",
        "pictures/grid.png": draw.randbytes(3_000),
        "empty.txt": b"",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return files


def check_cache(cache: Path, files: dict[str, bytes]) -> None:
    """Raise AssertionError for a file under its final name that is not what the name says."""
    right = {hashlib.sha256(content).hexdigest() for content in files.values()}
    right |= {hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() for content in files.values()}
    for path in cache.glob("models--*/blobs/*"):
        if path.suffix == ".incomplete":
            continue
        assert path.name in right, f"{path.name} has no business here"
        content = path.read_bytes()
        names = hashlib.sha256(content).hexdigest(), hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        assert path.name in names, f"{path} is not what its name says"
    for path in cache.glob("models--*/snapshots/*/**/*"):
        if path.is_symlink():
            assert path.resolve().is_file(), f"{path} is too slow"
            name = "/".join(path.relative_to(cache).parts[3:])
            assert path.read_bytes() == files[name], f"{path} is wrong"


def one_schedule(url: str, seed: int, cache: Path, files: dict[str, bytes], pinned: bool) -> str:
    """Pull through the schedule of a seed into a cache; return what came of it."""
    expected = {name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in files.items()}
    schedule = random_plan(seed)

    def plan(ask):  # type: ignore[no-untyped-def]
        fault = schedule(ask)
        # a list is only as good as the connection it came by, unless the hashes are known beforehand
        return None if fault and fault.kind == "flip" and not ask.is_file and not pinned else fault

    with FaultProxy(url, plan).running() as proxy:
        try:
            selection = FileSelection(expected=expected) if pinned else None
            pulled = pull_repo("org/thing", hub=proxy.url, selection=selection, policy=PATIENCE)
            assert {file.name: (file.sha256, file.size) for file in pulled.files} == expected
            for name, content in files.items():
                assert (pulled.folder / name).read_bytes() == content, f"seed {seed}: {name} is wrong"
            outcome = "verified"
        except ZooError as error:
            assert error.exit_code in (3, 4, 5, 6), f"seed {seed}: {error!r}"
            assert "\n" not in str(error) and str(error), f"seed {seed}: {error!r}"
            outcome = type(error).__name__
    assert len(proxy.asked) <= REQUESTS, f"seed {seed} took {len(proxy.asked)} requests"
    check_cache(cache, files)
    return outcome


def run(url: str, seeds: range, cache: Path, files: dict[str, bytes]) -> Counter[str]:
    """Run schedules; every other one goes on in the cache that the one before left. Return how they ended."""
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        if seed % 2 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        outcomes[one_schedule(url, seed, cache, files, pinned=seed % 4 < 2)] += 1
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    logging.getLogger("zoo").setLevel(logging.ERROR)
    zoo.hub.download.SEGMENT = SEGMENT
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        constants.HF_HUB_CACHE = str(folder / "cache")
        files = make_source(folder / "source")
        with serve_folder(folder / "hub") as hub:
            os.environ |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token}
            push_folder(folder / "source", "org/thing", hub=hub.url, message="first", private=False)
            start = time.monotonic()
            outcomes = run(hub.url, range(options.first, options.first + options.count), folder / "cache", files)
            seconds = time.monotonic() - start
    print(f"{options.count} schedules from seed {options.first} in {seconds:.0f} s: {dict(outcomes)}")


if __name__ == "__main__":
    main()
