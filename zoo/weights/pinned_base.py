"""The base that an adapter names without a hash: pinned in zoo.lock by the first load, and no other after that."""

import logging
import os
from functools import lru_cache
from pathlib import Path

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.pull import pull_repo
from zoo.specs.containers import BaseAddress
from zoo.weights.lockfile import LOCK_FILE, LockedBase, read_bases, write_base
from zoo.weights.stored import stored_tensors, tensors_sha256

_log = logging.getLogger("zoo")


def pinned_base(
    adapter: Path,
    address: BaseAddress,
    *,
    hub: str | Path | None = None,
    offline: bool = False,
    pin: bool = False,
) -> Path:
    """Return the local folder of the weights that an adapter's file corrects, pulled where they are not here.

    With `pin` zoo.lock takes down which they are, where neither it nor the file says so. Raise IntegrityError for
    other weights than these.
    """
    own = _sha256(adapter)
    known = read_bases().get(own)
    if known is not None and known.source != address.source:
        raise IntegrityError(
            f"{adapter} names {address.source!r} as its base, and {LOCK_FILE} pins {known.source!r} for it; get a "
            f"fresh copy, or remove [bases.{own}] from {LOCK_FILE}"
        )
    folder, commit = _found(adapter, address, known, hub=hub, offline=offline)
    sha256 = _sha256(folder)
    wanted, who = (address.sha256, str(adapter)) if known is None else (known.sha256, str(LOCK_FILE))
    if wanted not in (None, sha256):
        raise IntegrityError(
            f"{address.source} has other weights, {sha256[:12]}…, than {who} pins as the base of {adapter}, "
            f"{str(wanted)[:12]}…; get the base that the adapter was trained on"
        )
    if wanted is None and pin:
        write_base(own, LockedBase(address.source, sha256, commit))
        _log.warning(
            "%s does not say which weights of %s it was trained on: from now on those of sha256 %s…, pinned in %s",
            adapter,
            address.source,
            sha256[:12],
            LOCK_FILE,
        )
    return folder


def _found(
    adapter: Path, address: BaseAddress, known: LockedBase | None, *, hub: str | Path | None, offline: bool
) -> tuple[Path, str | None]:
    """Return the folder of a base, and its commit where it is a repo; what lies here comes first."""
    if os.path.isdir(address.source):
        return Path(address.source), None
    revision = address.revision if known is None else known.commit or address.revision
    try:
        pulled = pull_repo(address.source, revision=revision, hub=hub, offline=offline)
    except (NotFoundError, UsageError) as error:
        raise NotFoundError(
            f"the base that {adapter} names, {address.source!r}, is no folder here, and no repo: {error}"
        ) from None
    return pulled.folder, pulled.commit


def _sha256(place: Path) -> str:
    """Return the hash of tensors, taken once as long as no file changes."""
    files = stored_tensors(place).files if place.is_dir() else (place,)
    stats = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _remembered(str(place), stats)


@lru_cache(maxsize=64)
def _remembered(place: str, stats: tuple[tuple[str, int, int], ...]) -> str:
    return tensors_sha256(Path(place))
