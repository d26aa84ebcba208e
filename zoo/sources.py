"""Find the weights folder that a name, an address, a run or a folder stands for; pull it where it is not here."""

import os
from pathlib import Path

from zoo.errors import NotFoundError, UsageError
from zoo.hub.pull import pull_repo
from zoo.hub.records import PulledRepo
from zoo.registry import default_registry

HF = "hf://"


def find_weights(source: str | Path, *, revision: str | None = None, hub: str | Path | None = None) -> Path:
    """Return the local folder with config.json. A run stands for its weights; a name is pulled and verified."""
    path = Path(source)
    if isinstance(source, Path) or (path.is_dir() and not str(source).startswith(HF)):
        if revision is not None:
            raise UsageError(f"a folder has no revisions: {source}; leave out the revision")
        return weights_of(path)
    if _looks_local(source):
        raise NotFoundError(f"no folder {source}; give a run, a weights folder, a name (`zoo list`) or hf://org/name")
    return pull_weights(source, revision=revision, hub=hub).folder


def weights_of(path: Path) -> Path:
    """Return the weights folder of a run, or the folder itself where it is one."""
    if (path / "run.json").is_file():
        if not (path / "weights" / "config.json").is_file():
            raise NotFoundError(f"run {path} has no weights yet; finish it first: the same command with --resume")
        return path / "weights"
    if not (path / "config.json").is_file():
        what = "no folder" if not path.is_dir() else "no config.json in"
        raise NotFoundError(f"{what} {path}; give a run, a weights folder, a name (`zoo list`) or hf://org/name")
    return path


def pull_weights(
    source: str,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    to: Path | None = None,
    allow_mutable: bool = False,
    progress: bool = False,
) -> PulledRepo:
    """Pull what a catalogue name or an address (`hf://org/name[@revision]`, `org/name`) stands for."""
    if source.startswith(HF) or "/" in source:
        repo, _, at = source.removeprefix(HF).partition("@")
        if at and revision not in (None, at):
            raise UsageError(
                f"{source} names revision {at!r} and revision={revision!r} was asked for; give one of them"
            )
        return pull_repo(repo, revision=revision or at or None, hub=hub, to=to, progress=progress)
    entry = default_registry().weights(source, allow_mutable=allow_mutable)
    if revision not in (None, entry.revision):
        raise UsageError(
            f"{source!r} is pinned to {entry.revision}; for another revision write hf://{entry.repo}@{revision}"
        )
    expected = {name: (file.sha256, file.size) for name, file in entry.files.items()}
    return pull_repo(entry.repo, revision=entry.revision, hub=hub, expected=expected, to=to, progress=progress)


def _looks_local(source: str) -> bool:
    return (
        source.startswith((".", "~", os.sep)) or source.endswith(os.sep) or source.count("/") > 1 and HF not in source
    )
