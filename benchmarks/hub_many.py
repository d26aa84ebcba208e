"""Fill Hubs with 1,000, 10,000 and 100,000 repos of 10 files each, and measure how long answers take.

    flock /tmp/zoo-bench.lock python benchmarks/hub_many.py [--folder /tmp/zoo-hub-many] [--counts 1000,10000,100000]

Sixteen clients ask at once, each on a connection of its own, in another process than the server. Folders are filled
once and kept.
"""

import argparse
import asyncio
import os
import random
import statistics
import time
from pathlib import Path

from hub_throughput import Server

from zoo.hub.server.changes import Change
from zoo.hub.server.commits import Request
from zoo.hub.server.store import ServedStore
from zoo.hub.server.trees import large_file, regular_file

READERS = 16
TASKS = ("image-classification", "text-generation", "translation", "fill-mask", "object-detection")
ARCHITECTURES = ("resnet18", "resnet50", "vit_tiny", "convnext", "gpt", "bert", "unet", "dcgan", "vae", "swin")


def fill(folder: Path, count: int) -> None:
    """Make repos as pushes would, without waiting for the disk."""
    store = ServedStore(folder)
    made = int((store.database.row("SELECT COUNT(*) FROM repos") or (0,))[0])
    with store.database.transaction() as connection:
        pass
    connection.execute("PRAGMA synchronous=OFF")
    os.fsync = lambda _: None
    draw = random.Random(0)
    for number in range(count):
        architecture, task = draw.choice(ARCHITECTURES), draw.choice(TASKS)
        if number >= made:
            make(store, f"team-{number % 997}/{architecture}.run_{number}", architecture, task)
            if number % 10_000 == 9_999:
                print(f"{number + 1:,} made", flush=True)
    store.close()


def make(store: ServedStore, name: str, architecture: str, task: str) -> None:
    """Make a repo with ten files."""
    card = f"---\npipeline_tag: {task}\nlicense: mit\ntags: [{architecture}, {name.split('_')[-1]}]\n---\n# {name}\n\n"
    card += "A model, and what it is good for.\n\n" * 10
    store.commits.create_repo("models", name, False, "zoo")
    repo = store.repos.find("models", name)
    assert repo is not None
    readme, weights = store.blobs.write(card.encode()), store.blobs.write(b"weights")
    changes = [Change("put", "README.md", regular_file("README.md", card.encode(), readme.sha256))]
    for file in ("model.safetensors", *(f"part-{place}.bin" for place in range(8))):
        changes.append(Change("put", file, large_file(file, weights.sha256, weights.size)))
    store.commits.add(repo, "main", Request(changes, "zoo", "push", "", None, name, [readme, weights]))


def addresses(count: int, draw: random.Random) -> dict[str, list[str]]:
    """Return what is asked, by kind; every repo is as likely as another."""
    numbers = [draw.randrange(count) for _ in range(200)]
    names = random.Random(0)
    architectures = []
    for _ in range(count):
        architectures.append(names.choice(ARCHITECTURES))
        names.choice(TASKS)
    repos = [f"team-{number % 997}/{architectures[number]}.run_{number}" for number in numbers]
    return {
        "list, API": ["/api/models?limit=24", "/api/models?limit=24&sort=downloads"],
        "list, page": ["/", "/?sort=createdAt"],
        "list by task, page": [f"/?filter={task}" for task in TASKS],
        "search for what is rare": [f"/?search=run_{number}" for number in numbers],
        "search for what is common": [f"/?search={name}" for name in ARCHITECTURES],
        "search by task and word": [f"/?search={name}&filter={task}" for name in ARCHITECTURES for task in TASKS],
        "model, API": [f"/api/models/{repo}" for repo in repos],
        "model, page": [f"/{repo}" for repo in repos],
    }


async def reader(port: int, paths: list[str], draw: random.Random, until: float, times: list[float]) -> None:
    """Ask again and again on one connection."""
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        start = time.perf_counter()
        writing.write(f"GET {draw.choice(paths)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n".encode())
        head = await reading.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reading.readexactly(length)
        times.append(time.perf_counter() - start)
    writing.close()


async def ask(port: int, paths: list[str], seconds: float) -> list[float]:
    """Let all readers ask for a while."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(reader(port, paths, random.Random(place), until, times) for place in range(READERS)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/zoo-hub-many"))
    parser.add_argument("--counts", default="1000,10000,100000")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--fill-only", action="store_true")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.counts.split(",")]
    for count in counts:
        fill(arguments.folder / str(count), count)
    if arguments.fill_only:
        return
    print(
        f"{READERS} readers at once; milliseconds, median / 95th percentile; answers a second; server's CPU an answer"
    )
    for count in counts:
        server = Server(arguments.folder / str(count))
        port = int(server.url.rpartition(":")[2])
        try:
            print(f"{count:,} repos")
            for kind, paths in addresses(count, random.Random(1)).items():
                asyncio.run(ask(port, paths, 0.3))
                before = server.cpu_seconds()
                times = asyncio.run(ask(port, paths, arguments.seconds))
                each = (server.cpu_seconds() - before) / len(times) * 1000
                middle, late = statistics.median(times) * 1000, statistics.quantiles(times, n=20)[18] * 1000
                print(
                    f"  {kind:26} {middle:6.1f} / {late:6.1f}   {len(times) / arguments.seconds:6.0f}   {each:5.2f} ms"
                )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
