"""Turn the client's exceptions into Zoo's: what was asked, why it fails, what to type next."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.errors import (
    AuthorizationError,
    IntegrityError,
    NetworkError,
    NotFoundError,
    StorageError,
    UsageError,
    ZooError,
)
from zoo.hub.credentials import way_in
from zoo.hub.retry_policy import Faulty
from zoo.redaction import without_secrets

_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2", "requests")


@contextmanager
def hub_errors(repo: str, revision: str | None, url: str, *, folder: bool = False) -> Iterator[None]:
    """Raise what the block's Hub calls raise as ZooErrors about this repo; a folder is served to its owner alone."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        if (translated := _translate(error, repo, revision, url, folder)) is None:
            raise
        raise translated from error


def _translate(error: Exception, repo: str, revision: str | None, url: str, folder: bool) -> ZooError | None:
    from huggingface_hub import errors

    at = f" at {revision}" if revision else ""
    if type(error) is RuntimeError and isinstance(error.__cause__, Exception):  # the client wraps what an upload raised
        return _translate(error.__cause__, repo, revision, url, folder)
    if isinstance(error, ZooError):
        return error
    match error:
        case errors.GatedRepoError():
            return AuthorizationError(f"{repo} is gated; accept its terms at {url}/{repo}, then log in: {way_in(url)}")
        case errors.RevisionNotFoundError():
            listed = "" if folder else f", or list them at {url}/{repo}"
            return NotFoundError(f"{repo} has no revision {revision!r}; leave it out for the newest{listed}")
        case errors.EntryNotFoundError():
            return NotFoundError(f"a file of {repo}{at} is not on {url}; pull the repo again")
        case errors.RepositoryNotFoundError():
            cure = "" if folder else f", or log in where it is private: {way_in(url)}"
            return NotFoundError(f"no repo {repo} on {url}; check the name{cure}")
        case errors.HFValidationError():
            return UsageError(f"{repo!r} is not a repo id; write namespace/name")
        case errors.OfflineModeIsEnabled():
            return NotFoundError(f"{repo}{at} is not in the cache and HF_HUB_OFFLINE is set; unset it to pull")
        case errors.HfHubHTTPError():
            return _by_status(error, repo, url)
        case OSError() if error.errno is not None and not isinstance(error, ConnectionError):
            return StorageError(
                f"{repo} cannot be kept: {error.filename or ''} {error.strerror}; free space, or set HF_HOME"
            )
    library = type(error).__module__.partition(".")[0] in _LIBRARIES
    if not isinstance(error, OSError) and not library and _raised_by_client(error):
        reason = f"{type(error).__name__}: {error}"
        return IntegrityError(f"{url} answers otherwise than a Hub does for {repo}: {reason}; check the address")
    if isinstance(error, Faulty):
        return NetworkError(f"{url} does not give {repo} as it should: {error}; try again, or tell its owner")
    if isinstance(error, OSError) or library:
        reason = str(error) or type(error).__name__
        return NetworkError(
            f"{url} cannot be reached for {repo}: {reason}; check the address and the network, then try again"
        )
    return None


def _raised_by_client(error: Exception) -> bool:
    """Tell whether huggingface_hub stumbled, itself or in what it called, over an answer that is none."""
    places = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = max((place for place, name in enumerate(places) if name.startswith("zoo.")), default=-1)
    return any(name.startswith("huggingface_hub.") for name in places[ours + 1 :])


def _by_status(error: Exception, repo: str, url: str) -> ZooError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    # a secret that is cut is not known any more
    reason = without_secrets(getattr(error, "server_message", None) or str(error).split("\n")[0])[:200]
    if status in (401, 403):
        return AuthorizationError(f"{url} refuses {repo}: {reason}; log in with a token that may: {way_in(url)}")
    if status == 412:
        return IntegrityError(f"{repo} was changed meanwhile on {url}; push again")
    if status == 501:
        return UsageError(f"{url} cannot do that with {repo}: {reason}; omit the option")
    if status == 507:
        return StorageError(f"the disk of {url} is full; free space there")
    if status == 429 or status >= 500:
        return NetworkError(f"{url} cannot serve {repo} now ({status}); try again later")
    return NetworkError(f"{url} refuses the request for {repo} ({status}): {reason}; `--debug` shows more")
