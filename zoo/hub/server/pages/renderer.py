"""The process that renders cards, as its server sees it: started when a card is asked for, killed when it is late."""

import os
import subprocess
import sys
from threading import Event, Timer
from typing import BinaryIO

import msgspec

from zoo.hub.server.pages import worker

_LATEST = 10  # seconds, whatever the process waits for
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG")  # nothing that is secret


class CardRefusedError(Exception):
    """A card would take more than a card may; nothing is wrong with the process that renders."""


class NoProcessError(Exception):
    """The process that renders does not start."""


class Renderer:
    """One process at most, for one caller at a time. `started` counts the processes, `ended` those that a card cost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0
        self.ended = 0

    def render(self, text: str, base: str, revision: str) -> str:
        """Return a card as HTML. Raise CardRefusedError beyond the limits, NoProcessError where none can be started."""
        return self.ask(text=text, base=base, revision=revision)

    def ask(self, **question: str) -> str:
        """Return the HTML that the process makes: of a card, or of the lines from `before` to `after`."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        answer = self._exchange(msgspec.json.encode(question), 1 + worker.MAX_HTML)
        if answer is None:
            self.ended += 1
            self.close()
        if answer is None or answer == worker.TOO_LONG:
            raise CardRefusedError
        return answer.removeprefix(worker.HTML).decode()

    def _start(self) -> None:
        self.close()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", worker.__name__, str(worker.MAX_SECONDS), str(worker.MAX_MEMORY)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED if name in os.environ}
                | {"PYTHONPATH": os.pathsep.join(sys.path)},  # it finds what the server finds
                start_new_session=True,  # Ctrl-C is the server's to hear
            )
        except OSError as error:
            raise NoProcessError(str(error)) from None
        self.started += 1
        if self._exchange(None, len(worker.READY)) != worker.READY:
            self.close()
            raise NoProcessError("it ended at its start")

    def _exchange(self, question: bytes | None, limit: int) -> bytes | None:
        """Return the answer to a question; None from a process that ends meanwhile, or is killed for being late."""
        process = self._process
        assert process is not None, "it was started"
        late = Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = Timer(_LATEST, kill)
        timer.start()
        try:
            to, back = _pipes(process)
            if question is not None:
                worker.send(to, question)
            answer = worker.receive(back, limit)
        except (OSError, ValueError):
            answer = None
        timer.cancel()
        timer.join()
        return None if late.is_set() else answer

    def kill(self) -> None:
        """End the process from another thread, in the middle of a card if need be."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in _pipes(self._process):
                try:
                    pipe.close()
                except OSError:
                    pass  # a question that it did not take whole
            self._process = None


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[BinaryIO, BinaryIO]:
    assert process.stdin is not None and process.stdout is not None, "both were asked for"
    return process.stdin, process.stdout  # type: ignore[return-value]
