"""What plugins tell of two commits: asked in a process that ends when it is late, one at a time, and remembered."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from zoo.hub.server import work
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.lane import busy
from zoo.hub.server.names import check_new_path
from zoo.hub.server.pages import comparing
from zoo.hub.server.trees import Entry

_MAX_BYTES = 16 * 1000 * 1000 * 1000  # of files that differ
_MAX_WAITING = 4
_MAX_CACHED = 32
_KEPT = (".safetensors", ".json")
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG", "HOME")  # nothing that is secret
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}

_log = logging.getLogger("zoo.hub.server")

Told = list[dict[str, Any]]
"""Each comparison's summary, its tables, and what went wrong."""

_Root = Mapping[str, Entry]
_Key = tuple[str, str]


class Comparisons:
    """The comparisons made lately; used from the event loop alone. `started` counts the processes."""

    def __init__(self) -> None:
        self.started = 0
        self._thread = ThreadPoolExecutor(1, "zoo-compare")
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._waiting: dict[_Key, asyncio.Task[Told | None]] = {}
        self._cache: OrderedDict[_Key, Told | None] = OrderedDict()

    async def told(self, blobs: BlobStore, key: _Key, before: _Root, after: _Root) -> Told | None:
        """Return what plugins tell of two folders, named by their ids; None beyond the limits.

        Raise HttpError 503 where too many others wait.
        """
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        differing = [
            entry.size for one, other in ((before, after), (after, before)) for entry in _differing(one, other)
        ]
        if sum(differing) > _MAX_BYTES:
            return None
        task = self._waiting.get(key)
        if task is None and len(self._waiting) >= _MAX_WAITING:
            raise busy()
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._take_turn(blobs, key, before, after))
        with work.unhurried():
            return await asyncio.shield(task)

    async def _take_turn(self, blobs: BlobStore, key: _Key, before: _Root, after: _Root) -> Told | None:
        try:
            loop = asyncio.get_running_loop()
            told = await loop.run_in_executor(self._thread, self._ask, blobs, before, after)
        finally:
            del self._waiting[key]
        if told != []:  # a plugin may be installed meanwhile
            self._cache[key] = told
        while len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return told

    def _ask(self, blobs: BlobStore, before: _Root, after: _Root) -> Told | None:
        with TemporaryDirectory(prefix="zoo-compare-") as top:
            folders = [_linked(blobs, Path(top, name), root) for name, root in (("before", before), ("after", after))]
            answer = self._run(*folders)
        try:
            return json.loads(answer) if answer else None
        except ValueError:  # it ended in the middle
            return None

    def _run(self, before: Path, after: Path) -> bytes:
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment |= _ALONE | {"PYTHONPATH": os.pathsep.join(sys.path)}  # it finds what the server finds
        try:
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", comparing.__name__, str(before), str(after)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            _log.error("the process that compares does not start: %s", error)
            raise busy() from None
        self.started += 1
        timer = Timer(comparing.SECONDS, _end, [process])
        timer.start()
        try:
            if self._closed:
                return b""
            assert process.stdout is not None, "it was asked for"
            answer = process.stdout.read(comparing.MAX_ANSWER + 1)
            return answer if len(answer) <= comparing.MAX_ANSWER else b""
        finally:
            timer.cancel()
            timer.join()
            self._process = None
            _end(process)
            process.communicate()

    def close(self) -> None:
        """End the process, and take no more."""
        self._closed = True
        if (process := self._process) is not None:
            _end(process)
        self._thread.shutdown(cancel_futures=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, with all that it has started, unless it was waited for."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _differing(one: _Root, other: _Root) -> list[Entry]:
    return [entry for entry in one.values() if entry.name.endswith(_KEPT) and other.get(entry.name) != entry]


def _linked(blobs: BlobStore, folder: Path, root: _Root) -> Path:
    """Make a folder of links to a commit's tensors and settings."""
    folder.mkdir()
    for entry in root.values():
        if not entry.folder and entry.name.endswith(_KEPT):
            os.symlink(blobs.path(entry.sha256).resolve(), folder / check_new_path(entry.name))
    return folder
