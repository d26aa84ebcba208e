"""Kill a Hub's server with SIGKILL at random moments of pushes, commits and gc; after each restart all must be well.

    python benchmarks/hub_kill.py [--kills 200] [--seed 0]          # or: make test-hub-kill

Clients push by LFS, by Xet and inside commits, and read what lies on an upstream Hub, while gc runs. They write down
which commits were acknowledged, or files read, and the sha256 of their bytes. After every kill the server starts again,
`fsck` must be clean, no ref may point to nothing, and all that was acknowledged must have its bytes.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zoo.hub.server.fsck import check_store
from zoo.hub.server.store import Store

CLIENT = """
import hashlib, json, os, sys, time
from huggingface_hub import CommitOperationAdd, HfApi
name, log = sys.argv[1:]
number = 0
api = HfApi()
while True:
    try:
        api.create_repo(f"org/{name}", exist_ok=True)
        while True:
            number += 1
            size = {"xet": 300_000, "lfs": 300_000, "inline": 900}[name]
            content = os.urandom(size + number)
            path = f"{number % 7}-{os.getpid()}" + (".txt" if name == "inline" else ".bin")
            temporary = f"{log}.content"
            open(temporary, "wb").write(content)
            done = api.create_commit(f"org/{name}", [CommitOperationAdd(path, temporary)], commit_message=f"{number}")
            with open(log, "a") as file:
                file.write(json.dumps([done.oid, path, hashlib.sha256(content).hexdigest()]) + "\\n")
            time.sleep(0.1)
    except Exception:
        time.sleep(0.2)
"""
READER = """
import hashlib, json, os, sys, time
from urllib.request import urlopen
from huggingface_hub import CommitOperationAdd, HfApi
upstream, token, hub, log = sys.argv[1:]
there = HfApi(endpoint=upstream, token=token)
there.create_repo("far/away")
number = 0
while True:
    number += 1
    path, content = f"{number % 7}" + (".txt" if number % 3 == 0 else ".bin"), os.urandom(200_000 + number)
    oid = there.create_commit("far/away", [CommitOperationAdd(path, content)], commit_message=f"{number}").oid
    while True:
        try:
            with urlopen(f"{hub}/far/away/resolve/{oid}/{path}", timeout=20) as response:
                read = response.read()
            if len(read) == len(content):
                break
        except Exception:
            time.sleep(0.1)
    assert read == content, "a wrong byte"
    with open(log, "a") as file:
        file.write(json.dumps([oid, path, hashlib.sha256(content).hexdigest()]) + "\\n")
"""
COLLECTOR = """
import sys, time
from pathlib import Path
from zoo.hub.server.collect import collect
from zoo.hub.server.store import Store
while True:
    store = Store(Path(sys.argv[1]))
    collect(store, older_than=20)
    store.close()
    time.sleep(0.3)
"""


def start(folder: Path, port: int, upstream: int | None = None) -> subprocess.Popen[str]:
    """Start the server and wait until it answers."""
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", str(port)]
    command += ["--upstream", f"http://127.0.0.1:{upstream}"] if upstream else []
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdout.readline().startswith("serving")
    return server


def free_port() -> int:
    """Return a port that nobody listens at."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def acknowledged(log: Path, seen: int) -> list[tuple[str, str, str]]:
    """Return the whole lines of a client's log that were not looked at yet."""
    text = log.read_text() if log.exists() else ""
    return [tuple(json.loads(line)) for line in text.splitlines(keepends=True)[seen:] if line.endswith("\n")]


def check(folder: Path, logs: dict[str, Path], seen: dict[str, int]) -> tuple[int, int]:
    """Check the store and every commit acknowledged since; return how many commits there are and were checked."""
    store = Store(folder)
    try:
        report = check_store(store)
        assert report.clean, report.problems[:5]
        checked = 0
        for name, log in logs.items():
            lines = acknowledged(log, seen[name])  # before the repo is looked at: clients go on meanwhile
            repo = store.repos.find("models", "far/away" if name == "upstream" else f"org/{name}")
            if not lines:
                continue
            assert repo is not None
            if name == "upstream":
                for oid, path, sha256 in lines:
                    assert hashlib.sha256(store.blobs.read(sha256, 1 << 30)).hexdigest() == sha256, (oid, path)
                seen[name] += len(lines)
                checked += len(lines)
                continue
            history = {commit.oid for commit in store.commits.history(repo, repo.head, 1_000_000)}
            for oid, path, sha256 in lines:
                entry = store.trees.find(store.commits.tree(repo, oid), path)
                assert entry is not None and entry.sha256 == sha256, (name, oid, path)
                assert hashlib.sha256(store.blobs.read(sha256, 1 << 30)).hexdigest() == sha256
                assert oid in history, (name, oid)
                seen[name] += 1
                checked += 1
        return report.commits, checked
    finally:
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="zoo-hub-kill-") as name:
        folder, port = Path(name) / "hub", free_port()
        far = free_port()
        upstream = start(Path(name) / "upstream", far)
        server = start(folder, port, far)
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{port}",
            "HF_TOKEN": (folder / "token").read_text(),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        logs, helpers, total = {kind: Path(name) / f"{kind}.log" for kind in ("xet", "lfs", "inline")}, [], 0
        for kind, log in logs.items():
            own = {"HF_HOME": f"{name}/hf-{kind}", "HF_HUB_DISABLE_XET": "0" if kind == "xet" else "1"}
            command = [sys.executable, "-c", CLIENT, kind, log]
            helpers.append(subprocess.Popen(command, env={**environment, **own}, stderr=subprocess.DEVNULL))
        logs["upstream"] = Path(name) / "upstream.log"
        addresses = (
            f"http://127.0.0.1:{far}",
            (Path(name) / "upstream" / "token").read_text(),
            f"http://127.0.0.1:{port}",
        )
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, *addresses, logs["upstream"]],
            env={**environment, "HF_HOME": f"{name}/hf-upstream", "HF_HUB_DISABLE_XET": "1"},
        )
        collector = [sys.executable, "-c", COLLECTOR, folder]
        seen = dict.fromkeys(logs, 0)
        gc = subprocess.Popen(collector)
        try:
            for number in range(1, arguments.kills + 1):
                time.sleep(moments.uniform(0.05, 1.5))
                server.kill()
                server.wait()
                if number % 2:
                    gc.send_signal(signal.SIGKILL)
                    gc.wait()
                server = start(folder, port, far)
                assert reader.poll() is None, "what was read through the Hub was wrong"
                commits, checked = check(folder, logs, seen)
                total += checked
                if gc.poll() is not None:
                    assert gc.returncode == -signal.SIGKILL, "gc failed"
                    gc = subprocess.Popen(collector)
                if number % 20 == 0:
                    minutes = (time.monotonic() - begun) / 60
                    by_kind = ", ".join(f"{kind} {count}" for kind, count in seen.items())
                    print(f"{number} kills, {minutes:.1f} min: {commits} commits, acknowledged {by_kind}", flush=True)
        finally:
            for process in (*helpers, reader, gc, server, upstream):
                process.kill()
                process.wait()
    print(f"{arguments.kills} kills: fsck clean each time, {total} acknowledged commits there byte for byte")


if __name__ == "__main__":
    main()
