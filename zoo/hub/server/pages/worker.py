"""The program of the process that renders cards and what changed in them: questions from standard input, answers to
standard output.

Everything has its length before it, in four bytes. What takes too long or too much memory ends the process.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from typing import BinaryIO

from zoo.hub.server.pages.card import render_card
from zoo.hub.server.pages.lines import render_lines

READY = b"ready"
MAX_SECONDS = 2  # of a processor, for one card; half a megabyte of ordinary Markdown takes a tenth of it
MAX_MEMORY = 256 * 1024 * 1024
MAX_HTML = 1024 * 1024
TOO_LONG = b"-"
HTML = b"+"  # before an answer that is HTML


def send(target: BinaryIO, message: bytes) -> None:
    """Write a message."""
    target.write(len(message).to_bytes(4, "big") + message)
    target.flush()


def receive(source: BinaryIO, limit: int) -> bytes | None:
    """Read a message; None at the end. Raise ValueError for one that is too long."""
    head = source.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "big")
    if length > limit:
        raise ValueError(f"a message of {length:,} bytes")
    message = source.read(length)
    return message if len(message) == length else None


def serve(source: BinaryIO, target: BinaryIO, seconds: int, memory: int) -> None:
    """Render what is asked for until nobody asks any more."""
    _bound_memory(memory)
    send(target, READY)
    while (message := receive(source, 1 << 30)) is not None:
        _bound_time(seconds)
        question = json.loads(message)
        html = (render_lines if "before" in question else render_card)(**question).encode("utf-8", "replace")
        send(target, HTML + html if len(html) <= MAX_HTML else TOO_LONG)


def _bound_memory(memory: int) -> None:
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_time(seconds: int) -> None:
    """Allow so much of a processor from now on; beyond it the kernel ends the process."""
    times = os.times()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(times.user + times.system) + 1 + seconds, hard))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, *map(int, sys.argv[1:]))
