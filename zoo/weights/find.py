"""Find the weights folder that a name, an address, a run or a folder stands for; pull it where it is not here."""

import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from zoo.errors import IntegrityError, NotFoundError, PluginError, UsageError
from zoo.hub.file_names import shown
from zoo.hub.listing import FileSelection
from zoo.hub.pull import pull_repo
from zoo.hub.records import PulledRepo
from zoo.hub.revisions import check_revision
from zoo.registry.catalogue import PublishedWeights, read_catalogue
from zoo.registry.registry import Registry, default_registry
from zoo.weights.config import read_config
from zoo.weights.description import BaseRecord, read_json
from zoo.weights.distributions import DIST, distribution_file
from zoo.weights.formats import base_of_file, file_in, format_of
from zoo.weights.kinds import ENDINGS, PICKLED, tell_kind, told_of_folder
from zoo.weights.lockfile import locked as locked_entry
from zoo.weights.lockfile import pin_first, pinned_bytes, saying_who_pinned, write_lock
from zoo.weights.pinned_base import pinned_base

HF = "hf://"
REGISTRY_FILE = "registry.json"
_TENSORS = ".safetensors"
_GIVE = "give a run, a weights folder, a .safetensors file, a name (`zoo list`) or hf://org/name"


@dataclass(frozen=True)
class WeightsQuery:
    """How weights are to be found: where from, at which revision, and with how much trust.

    With an `adapter` of None an adapter stands for the weights that it corrects.
    """

    revision: str | None = None
    hub: str | Path | None = None
    registry: str | Path | None = None
    allow_mutable: bool = False
    locked: bool = False
    offline: bool = False
    adapter: Literal["merged"] | None = "merged"


@dataclass(frozen=True)
class ResolvedWeights:
    """What a name or an address stands for: a repo, a revision, and which files, with their bytes where known."""

    repo: str
    revision: str | None
    selection: FileSelection = FileSelection()
    entry: PublishedWeights | None = None
    listed_in: tuple[str, ...] = ()


def find_weights(source: str | Path, query: WeightsQuery | None = None) -> Path:
    """Return the local folder or file of weights. A run stands for its weights; a name is pulled and verified.

    So is the base that an adapter names.
    """
    return find_and_pull(source, query or WeightsQuery())[0]


def find_and_pull(source: str | Path, query: WeightsQuery) -> tuple[Path, PulledRepo | None]:
    """Return the local folder or file of weights as `find_weights` does, and what was pulled, if anything was."""
    folder, pulled = locate(source, query)
    base = None
    if "adapter" in read_json(folder).get("zoo", {}) and (adapter := read_config(folder).adapter) is not None:
        base = find_base(adapter.base, hub=query.hub, offline=query.offline)
    elif (address := base_of_file(folder)) is not None:
        base = pinned_base(folder, address, hub=query.hub, offline=query.offline, pin=True)
    return (base, None) if query.adapter is None and base is not None else (folder, pulled)


def find_base(base: BaseRecord, *, hub: str | Path | None = None, offline: bool = False) -> Path:
    """Return the folder of the weights that an adapter belongs to, pulled where they are not here.

    Where the repo has no such commit, as a copy of it has not, its newest weights are taken if they are the same.
    """
    from zoo.weights.stored import tensors_sha256

    try:
        return pull_repo(base.repo, revision=base.commit, hub=hub, offline=offline).folder
    except NotFoundError as error:
        missing = f"the adapter's base, {base.repo} at {base.commit}, is missing: {error}"
        if base.sha256 is None:
            raise NotFoundError(missing) from None
    try:
        folder = pull_repo(base.repo, hub=hub, offline=offline).folder
    except NotFoundError:
        raise NotFoundError(missing) from None
    if tensors_sha256(folder) != base.sha256:
        raise NotFoundError(f"{missing}; the newest weights of {base.repo} are others")
    return folder


def locate(source: str | Path, query: WeightsQuery) -> tuple[Path, PulledRepo | None]:
    """Return the local folder or file of weights, and what was pulled, if anything was; nothing of it is read yet."""
    if str(source).startswith(DIST):
        return distribution_file(str(source)), None
    if (path := local_path(source)) is not None:
        if query.revision is not None:
            raise UsageError(f"a folder has no revisions: {source}; omit the revision")
        return weights_of(path), None
    pulled = pull_weights(str(source), query)
    if reason := nothing_to_load(pulled):
        raise NotFoundError(reason)
    return file_in(pulled.folder) or pulled.folder, pulled


def nothing_to_load(pulled: PulledRepo) -> str | None:
    """Say why a repo that was pulled holds no weights, and what to do about it; None where it does."""
    if any(file.name.endswith(_TENSORS) or format_of(Path(file.name)) for file in pulled.files):
        return None
    others = [name for name in (*(file.name for file in pulled.files), *pulled.unusual, *pulled.forbidden)]
    pickled = next((name for name in others if name.endswith((*PICKLED, ".npz"))), None)
    if pickled is None:
        return f"{pulled.repo} holds {len(others)} files and no weights among them; choose another repo"
    return (
        f"{pulled.repo} holds no safetensors, but {shown(pickled)}, which is not loaded: it may run code; fetch it and "
        f"convert it once: hf download {pulled.repo} --local-dir FOLDER, then "
        f"zoo convert FOLDER/{pickled} --out WEIGHTS"
    )


def local_path(source: str | Path) -> Path | None:
    """Return the path that a source means, since what lies here comes first; None for a name or an address.

    Raise NotFoundError for what can only be a path, where nothing lies: a stranger's repo of that name is not meant.
    """
    path = Path(source)
    if isinstance(source, Path) or source.startswith((HF, DIST)):
        return path if isinstance(source, Path) else None
    if os.path.lexists(source):
        return path
    if source.startswith((".", "~", os.sep)) or source.endswith(os.sep) or source.count("/") > 1:
        raise _nothing_at(path)
    if path.suffix in ENDINGS:
        raise _nothing_at(path)
    first, slash, _ = source.partition("/")
    if slash and os.path.isdir(first):
        raise NotFoundError(
            f"no {source} here, though {first} is a folder here; check the path, or for a repo of the Hub give "
            f"{HF}{source}"
        )
    return None


def weights_of(path: Path) -> Path:
    """Return the weights folder of a run, or the folder itself where it is one; a file of tensors where it is alone.

    Raise IntegrityError for a file of weights that are not read, with what to do with it.
    """
    if not os.path.lexists(path):
        raise _nothing_at(path)
    if not path.is_dir():
        return _weights_file(path)
    if (path / "run.json").is_file():
        if not (path / "weights" / "config.json").is_file():
            raise NotFoundError(f"run {path} has no weights yet; finish it first: the same command with --resume")
        return path / "weights"
    if (alone := file_in(path)) is not None:
        return alone
    if any(path.glob(f"*{_TENSORS}")):
        return path
    if what := told_of_folder(path):
        raise IntegrityError(f"{path} holds no safetensors, but {what}")
    if not (path / "config.json").is_file():
        raise NotFoundError(f"no weights in {path}; {_GIVE}")
    return path


def _weights_file(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(f"{path} is neither a file nor a folder; {_GIVE}")
    if path.suffix == _TENSORS:
        return path.parent if (path.parent / "config.json").is_file() else path
    if format_of(path) is None:
        tell_kind(path)
        raise NotFoundError(f"{path} is no file of weights; {_GIVE}")
    return path


def _nothing_at(path: Path) -> NotFoundError:
    return NotFoundError(f"no {'file' if path.suffix in ENDINGS else 'folder'} {path}; {_GIVE}")


def pull_weights(
    source: str,
    query: WeightsQuery,
    *,
    everything: bool = False,
    to: Path | None = None,
    lock: bool = False,
    progress: bool = False,
) -> PulledRepo:
    """Pull what a catalogue name or an address (`hf://org/name[@revision]`, `org/name`) stands for.

    With `everything` the whole repo comes, and not only what the catalogue lists or models usually have.
    """
    if everything and query.locked:
        raise UsageError(f"{source} is requested as locked and with everything of its repo; choose one")
    meant = resolve_source(source, query)
    pins = meant.entry is not None and not meant.entry.files
    selection = FileSelection() if pins and lock else meant.selection
    with saying_who_pinned(source) if pins else nullcontext():
        pulled = pull_repo(
            meant.repo,
            revision=meant.revision,
            hub=query.hub,
            selection=replace(selection, everything=everything),
            to=to,
            offline=query.offline,
            progress=progress,
        )
    if pins and not lock:
        pin_first(source, pulled)
    if lock:
        write_lock(source, pulled.repo, pulled.commit, pulled.files)
    return pulled


def resolve_source(source: str, query: WeightsQuery) -> ResolvedWeights:
    """Return the repo, the revision and the bytes that a name or an address stands for."""
    if query.locked:
        if query.revision is not None:
            raise UsageError(f"{source} is requested as locked and at revision {query.revision}; choose one")
        entry = locked_entry(source)
        files = {name: (file.sha256, file.size) for name, file in entry.files.items()}
        return ResolvedWeights(entry.repo, entry.commit, FileSelection(expected=files))
    if not source.startswith(HF) and (path := local_path(source)) is not None:
        other = f"{HF}{source}" if source.count("/") == 1 else f"{HF}org/name, or a name of `zoo list --weights`"
        raise UsageError(f"{path} lies here, and there is nothing to pull; for weights on a Hub give {other}")
    if source.startswith(HF) or "/" in source:
        repo, at = _address(source)
        if at and query.revision not in (None, at):
            raise UsageError(
                f"{source} names revision {at!r} and revision={query.revision!r} was requested; give one of them"
            )
        return ResolvedWeights(repo, query.revision or at)
    registry = registry_for(query)
    found = registry.weights(source, allow_mutable=query.allow_mutable)
    if query.revision not in (None, found.revision):
        raise UsageError(
            f"{source!r} is pinned to {found.revision}; for another revision write hf://{found.repo}@{query.revision}"
        )
    check_revision(found.revision, f"{source!r} in the registry", IntegrityError)
    expected = {name: (file.sha256, file.size) for name, file in found.files.items()}
    catalogue = registry.catalogue
    listed_in = catalogue.origins.get(catalogue.resolve(source), (found.plugin,))
    beside = _beside(registry, source) if found.files else ()
    selection = FileSelection(expected=expected or pinned_bytes(source), beside=beside)
    return ResolvedWeights(found.repo, found.revision, selection, found, listed_in)


def _beside(registry: Registry, name: str) -> tuple[str, ...]:
    """Return the files that text needs besides weights; the catalogue has their commit, and not their hashes."""
    try:
        spec = registry.model(name.partition(".")[0]).spec
    except (NotFoundError, PluginError):  # of a plugin that is not here
        return ()
    return registry.modality(spec.modality).spec.files


def registry_for(query: WeightsQuery) -> Registry:
    """Return the registry, with the one on top that was asked for: a file, or registry.json of a repo."""
    registry = default_registry()
    if query.registry is None:
        return registry
    where = str(query.registry)
    if where.startswith(HF):
        repo, at = _address(where)
        alone = FileSelection(only=(REGISTRY_FILE,))
        pulled = pull_repo(repo, revision=at, hub=query.hub, selection=alone, offline=query.offline)
        path = pulled.folder / REGISTRY_FILE
    else:
        path = Path(where)
        path = path / REGISTRY_FILE if path.is_dir() else path
        if not path.is_file():
            raise NotFoundError(f"no registry {where}; give a registry.json, or hf://org/name of a repo that holds one")
    catalogue = registry.catalogue.copy()
    catalogue.update(read_catalogue(path, label=where))
    return Registry(registry.plugins, catalogue)


def _address(source: str) -> tuple[str, str | None]:
    repo, _, at = source.removeprefix(HF).partition("@")
    return repo, check_revision(at, repo) if at else None
