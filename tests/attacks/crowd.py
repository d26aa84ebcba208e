"""Those who attack a Hub all at once, and somebody who only wants to work meanwhile."""

import http.client
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.attacks.hub_process import Client, HubProcess, bearer
from tests.attacks.town import push

Loop = Callable[[], None]


@dataclass(frozen=True)
class Attack:
    """What is done by how many at once: `prepare` gives what each does over and over."""

    name: str
    prepare: Callable[["Crowd", int], Loop]
    times: int = 4
    seconds: float = 10


class Crowd:
    """Those who attack a Hub, and all that they have opened."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub = hub
        self._opened: list[Client | socket.socket] = []

    def connect(self, bare: bool = False) -> Client:
        """Return a connection of the owner's, or one without a token."""
        client = Client(self.hub.url, None if bare else bearer(self.hub.token))
        self._opened.append(client)
        return client

    def open(self, receive: int | None = None) -> socket.socket:
        """Return a bare connection, which takes so many bytes ahead."""
        stream = socket.socket()
        self._opened.append(stream)
        if receive is not None:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        stream.settimeout(20)
        parts = urlsplit(self.hub.url)
        stream.connect((parts.hostname, parts.port))
        return stream

    def close(self) -> None:
        """Hang up."""
        for opened in self._opened:
            opened.close()


class OtherWriter:
    """Somebody else who pushes small commits meanwhile; `done` counts them, `longest` is what one took in seconds."""

    def __init__(self, hub: HubProcess) -> None:
        self.done, self.longest = 0, 0.0
        self._crowd = Crowd(hub)
        self._client = self._crowd.connect()
        self._client("POST", "/api/repos/create", b'{"name": "others", "organization": "org"}')
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        while not self._ended.wait(0.2):
            start = time.monotonic()
            try:
                push(self._client, "org/others", {"a.txt": secrets.token_bytes(8)})
                self.done += 1
            except (OSError, AssertionError, http.client.HTTPException):
                pass
            self.longest = max(self.longest, time.monotonic() - start)

    def end(self) -> None:
        """Write no more."""
        self._ended.set()
        self._thread.join(5)
        self._crowd.close()


class Running:
    """An attack that goes on; `done` counts what was sent, `broken` what the Hub did not answer."""

    def __init__(self, attack: Attack, hub: HubProcess) -> None:
        self._stop = threading.Event()
        self.done = self.broken = 0
        self._crowd = Crowd(hub)
        loops = [attack.prepare(self._crowd, number) for number in range(attack.times)]
        self._threads = [threading.Thread(target=self._run, args=(loop,), daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def _run(self, loop: Loop) -> None:
        if sys.platform == "linux":  # attackers are elsewhere: they take no processor from the Hub
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not self._stop.is_set():
            try:
                loop()
                self.done += 1
            except (OSError, AssertionError, http.client.HTTPException):
                self.broken += 1  # the Hub has hung up, which is its right
                self._stop.wait(0.05)

    def stop(self) -> None:
        """Let each end after what it does now."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._crowd.close()
