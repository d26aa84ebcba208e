"""A Hub in a process of its own, as an operator runs it, and a client that says whatever it is told to."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

START_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def everything(self) -> bytes:
        """All that a client gets to see, headers included."""
        return "\n".join(f"{name}: {value}" for name, value in self.headers.items()).encode() + b"\n\n" + self.body


class Client:
    """A connection that is made again when the Hub has closed it."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._netloc = str(urlsplit(url).netloc)
        self._headers = dict(headers or {})
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        for _ in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._netloc, timeout=60)
            try:
                self._connection.request(method, path, body, {**self._headers, **(headers or {})})
                response = self._connection.getresponse()
                content = response.read()
                found = {name.lower(): value for name, value in response.getheaders()}
                if response.will_close:
                    self.close()
                return Answer(response.status, found, content)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
        raise AssertionError(f"the Hub closes the connection without an answer to {method} {path[:200]}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class HubProcess:
    """A running `zoo hub serve`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.said = folder.with_name(f"{folder.name}.said")
        command = [
            sys.executable,
            "-m",
            "zoo",
            "hub",
            "serve",
            str(folder),
            "--port",
            "0",
            "--keep-free",
            "0",
            *options,
        ]
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        if " on http" not in first:
            self.process.communicate()
            raise AssertionError(f"the Hub did not start: {first!r} {self.said.read_text()}")
        self.url = first.partition(" on ")[2].split(" ")[0].strip()
        self.token = (folder / "token").read_text().strip()

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.process.poll() is None

    def memory(self) -> int:
        """Return the resident bytes of its whole tree of processes."""
        return sum(_resident(number) for number in _tree(self.process.pid))

    def stop(self, within: float = 30) -> float | None:
        """Send SIGTERM; return the seconds until it ended, None where it had to be killed after `within`."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            for number in _tree(self.process.pid)[1:]:
                _kill(number)
            self.process.kill()
            self.process.wait()
            return None
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()
        return time.monotonic() - start

    def faults(self) -> list[str]:
        """Return what its standard error tells of failures."""
        return [line for line in self.said.read_text(errors="replace").splitlines() if "Traceback" in line]


@contextmanager
def hub_process(folder: Path, *options: str) -> Iterator[HubProcess]:
    """Run a Hub for the length of the block."""
    hub = HubProcess(folder, *options)
    try:
        yield hub
    finally:
        if hub.alive:
            hub.stop()


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def _tree(process: int) -> list[int]:
    """Return a process and all below it."""
    try:
        children = Path(f"/proc/{process}/task").iterdir()
        below = [int(word) for task in children for word in (task / "children").read_text().split()]
    except OSError:
        return [process]
    return [process, *(number for child in below for number in _tree(child))]


def _resident(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _kill(process: int) -> None:
    import os

    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
