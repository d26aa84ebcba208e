"""Eight clients ask a Hub with an empty cache for one large file: upstream sends it once, and how long do they take?

    python benchmarks/hub_upstream.py [--megabytes 500] [--clients 8] [--rounds 3]

Upstream, the Hub that asks it and every client are processes of their own. Compared with the same clients on that Hub
once it has the file. Every client's sha256 is compared; what upstream sent is counted by its access log.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from huggingface_hub import HfApi, constants

constants.HF_HUB_DISABLE_XET = True
CLIENT = """
import hashlib, sys
from urllib.request import urlopen
digest = hashlib.sha256()
with urlopen(sys.argv[1]) as response:
    while chunk := response.read(1 << 20):
        digest.update(chunk)
print(digest.hexdigest(), response.length)
"""


def serve(folder: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a Hub; return its process and address."""
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", "0", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[3]


def pull(address: str, clients: int) -> tuple[float, set[str]]:
    """Let clients pull a file at once; return the seconds until all have it, and the hashes they found."""
    start = time.monotonic()
    command = [sys.executable, "-c", CLIENT, address]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(clients)]
    found = {client.communicate(timeout=600)[0].strip() for client in running}
    return time.monotonic() - start, found


def sent(folder: Path) -> int:
    """Return how many bytes of files a Hub sent, by its access log."""
    lines = [json.loads(line) for line in (folder / "log" / "access.jsonl").read_text().splitlines()]
    return sum(line["bytes"] for line in lines if "/resolve/" in line["path"] and line["method"] == "GET")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoo-hub-upstream-") as name:
        folder = Path(name)
        content = os.urandom(arguments.megabytes * 1_000_000)
        right = {f"{hashlib.sha256(content).hexdigest()} 0"}
        upstream, url = serve(folder / "upstream")
        api = HfApi(endpoint=url, token=(folder / "upstream" / "token").read_text())
        api.create_repo("org/thing")
        api.upload_file(path_or_fileobj=content, path_in_repo="model.bin", repo_id="org/thing")
        ratios = []
        try:
            for number in range(arguments.rounds):
                before = sent(folder / "upstream")
                cache, address = serve(folder / f"cache-{number}", "--upstream", url)
                try:
                    address += "/org/thing/resolve/main/model.bin"
                    cold, found = pull(address, arguments.clients)
                    warm, again = pull(address, arguments.clients)
                finally:
                    cache.terminate()
                    cache.wait()
                assert found == again == right, ("wrong bytes", found, again, right)
                count = (sent(folder / "upstream") - before) / len(content)
                assert count == 1, f"upstream sent the file {count} times"
                ratios.append(cold / warm)
                print(f"cold {cold:.2f} s, warm {warm:.2f} s: {cold / warm:.2f} x; upstream sent it once", flush=True)
        finally:
            upstream.terminate()
            upstream.wait()
        print(f"{arguments.clients} clients, {arguments.megabytes} MB: cold {median(ratios):.2f} x warm")


if __name__ == "__main__":
    main()
