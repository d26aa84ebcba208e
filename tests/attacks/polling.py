"""Ask a Hub every 20 ms whether it is well, from a process of its own, until standard input ends; print what it took.

What a slow answer held up is counted too: one that took a second stands for all fifty that would have been asked
meanwhile, the latest of which would have waited for 20 ms.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

EVERY = 0.02
LONGEST = 30


@dataclass
class Latency:
    """Milliseconds that /healthz took, and how many of the requests were turned away or not answered at all."""

    asked: int = 0
    refused: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0


@contextmanager
def polled(url: str) -> Iterator[Latency]:
    """Ask for the length of the block; what it took is there afterwards."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    found = Latency()
    try:
        yield found
    finally:
        said, _ = process.communicate(timeout=LONGEST + 30)
        for name, value in json.loads(said).items():
            setattr(found, name, value)


def poll(url: str) -> Latency:
    """Ask until standard input ends."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    netloc, times, refused, connection = str(urlsplit(url).netloc), [], 0, None
    asked = 0
    while not ended.is_set():
        start = time.monotonic()
        try:
            connection = connection or http.client.HTTPConnection(netloc, timeout=LONGEST)
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            well = answer.status == 200
            if answer.will_close:
                connection = connection.close()
        except (OSError, http.client.HTTPException):
            well, connection = False, None
        took = time.monotonic() - start
        asked, refused = asked + 1, refused + (not well)
        times.append(took)
        times += [took - EVERY * step for step in range(1, int(took / EVERY) + 1)]
        ended.wait(max(0.0, EVERY - took))
    times = sorted(1000 * took for took in times) or [0.0]
    place = min(len(times) - 1, int(0.99 * len(times)))
    return Latency(asked, refused, round(times[len(times) // 2], 2), round(times[place], 2), round(times[-1], 1))


if __name__ == "__main__":
    print(json.dumps(asdict(poll(sys.argv[1]))))
