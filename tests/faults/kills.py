"""Kill a pull at random moments, finish it, and count what was fetched; and let eight processes pull at once.

python tests/faults/kills.py [--first 0] [--count 100] [--megabytes 500] [--together 8]
"""

import argparse
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.proxy import FaultProxy, no_faults
from zoo.hub.push import push_folder

PULL = """if True:
    import sys
    if sys.argv[2] == "no-op flock":
        import fcntl
        fcntl.flock = fcntl.lockf = lambda *arguments: None
    from zoo.hub.pull import pull_repo
    pull_repo("org/thing", hub=sys.argv[1])"""


def pull(url: str, cache: Path, flock: str = "flock") -> "subprocess.Popen[bytes]":
    """Start a pull in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", PULL, url, flock], env={**os.environ, "HF_HUB_CACHE": str(cache)})


def check(cache: Path, sha256: str) -> None:
    """Raise AssertionError unless the weights are there and right, and nothing is left beside them."""
    (path,) = cache.glob("models--*/snapshots/*/model.safetensors")
    with open(path, "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == sha256, "wrong bytes under the final name"
    assert not list(cache.glob("models--*/blobs/*.incomplete")), "something was left"


def kill_and_finish(url: str, seed: int, cache: Path, sha256: str, usual: float) -> tuple[int, float]:
    """Kill a pull at a moment drawn by the seed, then pull again; return the bytes sent and the moment."""
    moment = random.Random(f"kill {seed}").uniform(0.3, 1.0) * usual
    with FaultProxy(url, no_faults).running() as proxy:
        process = pull(proxy.url, cache)
        time.sleep(moment)
        process.kill()
        process.wait()
        assert not [path for path in cache.glob("models--*/snapshots/*/*") if not path.resolve().is_file()]
        assert pull(proxy.url, cache).wait() == 0
        check(cache, sha256)
        return proxy.sent, moment


def at_once(url: str, count: int, cache: Path, sha256: str, flock: str) -> int:
    """Let so many processes pull at once; return the bytes sent."""
    with FaultProxy(url, no_faults).running() as proxy:
        processes = [pull(proxy.url, cache, flock) for _ in range(count)]
        assert [process.wait() for process in processes] == [0] * count
        check(cache, sha256)
        return proxy.sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("first", 0), ("count", 100), ("megabytes", 500), ("together", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    size = options.megabytes * 1_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "source").mkdir()
        draw, digest = random.Random(0), hashlib.sha256()
        with open(folder / "source" / "model.safetensors", "wb") as file:
            for _ in range(options.megabytes):
                digest.update(chunk := draw.randbytes(1_000_000))
                file.write(chunk)
        sha256 = digest.hexdigest()
        server = subprocess.Popen(
            [sys.executable, "-m", "zoo", "hub", "serve", str(folder / "hub"), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split(" on ")[1].split()[0]
            os.environ |= {"HF_ENDPOINT": url, "HF_TOKEN": (folder / "hub" / "token").read_text()}
            push_folder(folder / "source", "org/thing", hub=url, message="first", private=False)
            cache = folder / "cache"
            start = time.monotonic()
            at_once(url, 1, cache, sha256, "flock")
            usual = time.monotonic() - start
            print(f"{options.megabytes} MB, undisturbed: {usual:.1f} s", flush=True)
            shares = []
            for seed in range(options.first, options.first + options.count):
                shutil.rmtree(cache, ignore_errors=True)
                sent, _ = kill_and_finish(url, seed, cache, sha256, usual)
                shares.append(sent / size)
            if shares:
                print(
                    f"{len(shares)} kills from seed {options.first}: fetched in all, as a share of the file: "
                    f"median {statistics.median(shares):.3f}, worst {max(shares):.3f}; all verified",
                    flush=True,
                )
            for flock in ("flock", "no-op flock") if options.together else ():
                shutil.rmtree(cache, ignore_errors=True)
                sent = at_once(url, options.together, cache, sha256, flock)
                print(f"{options.together} at once, {flock}: fetched {sent / size:.3f} × the file; all verified")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
