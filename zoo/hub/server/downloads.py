"""Count downloads in memory and write them down now and then: a pull must not wait for the disk."""

import asyncio
import time

from zoo.hub.server.repos import Repo, Repos

_EVERY_SECONDS = 2


class Downloads:
    """The downloads that are not in the database yet."""

    def __init__(self, repos: Repos) -> None:
        self._repos = repos
        self._counts: dict[int, int] = {}
        self._written = time.monotonic()
        self._writing: asyncio.Future[None] | None = None

    def count(self, repo: Repo) -> None:
        """Count one download of a repo."""
        self._counts[repo.id] = self._counts.get(repo.id, 0) + 1
        if time.monotonic() - self._written > _EVERY_SECONDS and (self._writing is None or self._writing.done()):
            self._written = time.monotonic()
            self._writing = asyncio.get_running_loop().run_in_executor(None, self.write)

    def write(self) -> None:
        """Write down what was counted."""
        counts, self._counts = self._counts, {}
        if counts:
            self._repos.count_downloads(counts)
