"""The Hub that is upstream, as one asks it: what a repo is at a revision, what lies in it, its bytes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from zoo.errors import IntegrityError, NetworkError, ZooError
from zoo.hub.credentials import PUBLIC, Credentials, given
from zoo.hub.endpoint import Connection
from zoo.hub.listing import MAX_FILES, Item, converted, listed_items
from zoo.hub.retry_policy import Faulty, RetryPolicy, default_retry_policy
from zoo.hub.revisions import is_commit
from zoo.hub.server.http import HttpError
from zoo.hub.server.options import UpstreamOptions
from zoo.hub.transport import PullCancelled, Transport

_QUESTION = RetryPolicy(stall=8, attempts=1)  # clients wait 10 s for the answer to a question
_PUBLIC_HOSTS = (".huggingface.co", ".hf.co")
_MAX_WAIT = 3600.0
_NOBODY_SECONDS = 30.0
_GONE = (401, 403, 404, 410)


class Away(Exception):
    """Upstream cannot be asked now; the message says why."""


class Info(msgspec.Struct):
    """What upstream says of a repo at a revision."""

    id: str
    sha: str
    private: bool = False
    cardData: Any = None
    tags: Any = None
    pipeline_tag: Any = None
    library_name: Any = None
    lastModified: Any = None
    createdAt: Any = None
    safetensors: Any = None


@dataclass(frozen=True)
class Place:
    """A file at a commit of upstream."""

    type: str
    repo: str
    commit: str
    path: str


class Source:
    """Upstream, asked with the operator's token and with nobody else's."""

    def __init__(self, options: UpstreamOptions) -> None:
        self.url = options.url.rstrip("/")
        self._hosts = (*options.redirects, *(_PUBLIC_HOSTS if self.url == PUBLIC else ()))
        self._connection = Connection(self.url, given(options.token) or Credentials())
        self._questions = Transport(self._connection, _QUESTION, self._may_lead_to)
        self._files = Transport(self._connection, default_retry_policy(), self._may_lead_to)
        self._quiet_until = 0.0

    def _may_lead_to(self, host: str | None) -> bool:
        """Tell whether upstream may send to a host: one that was named, or below a domain that was."""
        return any(host == name.lstrip(".") or (name[0] == "." and (host or "").endswith(name)) for name in self._hosts)

    def stop(self) -> None:
        """Let all that is under way end."""
        self._questions.stop()
        self._files.stop()

    def info(self, type_: str, repo: str, revision: str) -> Info:
        """Return what a repo is at a revision."""
        address = f"{self.url}/api/{type_}/{repo}/revision/{quote(revision, safe='')}"
        info: Info = self._asked(lambda: converted(self._questions.document(address), Info, self.url))
        if not is_commit(info.sha) or (is_commit(revision) and info.sha != revision):
            raise _lying(f"names no commit for {repo}")
        return info

    def items(self, type_: str, repo: str, commit: str) -> list[Item]:
        """Return what lies in a repo at a commit."""

        def found() -> list[Item]:
            items = []
            for item in listed_items(self._questions, self.url, repo, commit, type_):
                items.append(item)
                if len(items) > MAX_FILES:
                    raise IntegrityError(f"{repo} lists more than {MAX_FILES:,} files")
            return items

        listed: list[Item] = self._asked(found)
        return listed

    def document(self, type_: str, repo: str, route: str) -> Any:
        """Return what upstream says of a repo below its address in the API."""
        return self._asked(lambda: self._questions.document(f"{self.url}/api/{type_}/{repo}/{route}"))

    def canonical(self, type_: str, name: str) -> str:
        """Return the whole name of a repo that upstream knows by one word."""
        address = f"{self.url}/api/{type_}/{quote(name, safe='')}"
        info: Info = self._asked(lambda: converted(self._questions.document(address), Info, self.url))
        return info.id

    def chunks(self, place: Place, size: int, start: int) -> Iterator[bytes]:
        """Yield a file's bytes from a position on, by one request."""
        prefix = "" if place.type == "models" else f"{place.type}/"
        address = f"{self.url}/{prefix}{place.repo}/resolve/{place.commit}/{quote(place.path)}"
        return self._files.whole(address, size, start)

    def pause(self, error: Exception, failures: int) -> None:
        """Wait before a file is gone on with. Raise the error where that is pointless by now."""
        self._files.pause(error, failures)

    def _asked(self, question: Any) -> Any:
        """Ask once, and once more where the connection broke. Raise HttpError for a clear answer, Away for none."""
        if (left := self._quiet_until - time.monotonic()) > 0:
            raise Away(f"{self.url} is not asked for {left:.0f} s: it was silent, or wants no more requests now")
        for again in (True, False):
            try:
                return question()
            except Exception as error:
                if again and isinstance(error, ConnectionError) and not isinstance(error, Faulty):
                    continue
                if again and type(error).__name__ == "RemoteProtocolError":  # a kept connection was closed meanwhile
                    continue
                raise self.translated(error) from None
        raise AssertionError("the second time returns or raises")

    def translated(self, error: Exception) -> Exception:
        """Return what a failure of upstream is for who asks here: HttpError for a clear answer, Away for none."""
        from huggingface_hub import errors

        if isinstance(error, HttpError | Away | PullCancelled):
            return error
        response: Any = getattr(error, "response", None)
        status = getattr(response, "status_code", 0)
        if status == 429:
            self._quiet_until = time.monotonic() + _asked_pause(response)
        if type(error).__name__ == "ConnectTimeout":  # nobody is there: not every question is to wait for that
            self._quiet_until = time.monotonic() + _NOBODY_SECONDS
        match error:
            case errors.GatedRepoError():
                return HttpError(403, f"{self.url} gives this repo's files to those alone who accepted its terms; "
                                 "whoever runs this Hub may do so", "GatedRepo")  # fmt: skip
            case errors.RevisionNotFoundError():
                return HttpError(404, f"{self.url} has no such revision", "RevisionNotFound")
            case errors.EntryNotFoundError():
                return HttpError(404, f"{self.url} has no such file", "EntryNotFound")
        if isinstance(error, errors.RepositoryNotFoundError) or status in _GONE:
            return HttpError(404, "Repository not found", "RepoNotFound")
        if isinstance(error, ZooError) and not isinstance(error, NetworkError):
            return _lying(str(error))
        reason = f"it answers {status}" if status else str(error).split("\n")[0][:200] or type(error).__name__
        return Away(f"{self.url} cannot be asked: {reason}")


def _asked_pause(response: Any) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text[:6]), _MAX_WAIT) if text.isdigit() else 60.0


def _lying(reason: str) -> HttpError:
    return HttpError(502, f"Upstream does not answer like a Hub: {reason}")


def is_address(url: str) -> bool:
    """Tell whether this can be upstream: an http address of a host alone."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return bool(plain) and not parts.query and not parts.fragment and url.isprintable() and " " not in url
