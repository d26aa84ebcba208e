"""Write registries: add weights that lie on a Hub with their commit and hashes, remove them, check them all."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from zoo.data.hashes import common_hashes
from zoo.engine.history import read_run
from zoo.errors import NotFoundError, UsageError, ZooError
from zoo.files import storage_errors, user_registries, write_file
from zoo.hub.pull import list_repo, pull_repo
from zoo.hub.records import PulledFile
from zoo.publishing.eval_results import recorded_scores
from zoo.publishing.licences import checked_licence
from zoo.publishing.readme_merge import metadata_of, parse_readme
from zoo.registry.catalogue import SCHEMA_VERSION, PublishedFile, PublishedWeights, check_name, read_catalogue
from zoo.registry.facts import Scored
from zoo.strict_json import parse_json
from zoo.weights.config import read_config
from zoo.weights.folder import stored_weights


def own_registry(path: str | Path | None) -> Path:
    """Return the registry that is written to: the one that was named, or the first of the user's own."""
    return Path(path) if path is not None else user_registries()[0]


def add_weights(
    repo: str,
    name: str,
    *,
    revision: str | None,
    hub: str | Path | None,
    path: Path,
    license: str | None = None,
    force: bool = False,
    run: Path | None = None,
) -> PublishedWeights:
    """Fetch and verify a repo, and list it under a name, sorted, with its commit, every hash, and its scores.

    These are those that the repo records of its own run, or those of `run`, if that made the weights.
    """
    check_name(name, path)
    values = _read(path)
    if name in values["weights"] and not force:
        raise UsageError(f"{path} lists {name!r} already; choose another --name, or replace it with --force")
    pulled = pull_repo(repo, revision=revision, hub=hub, progress=True)
    block = read_config(pulled.folder)
    readme = pulled.folder / "README.md"
    card = metadata_of(parse_readme(readme.read_text(encoding="utf-8", errors="replace"))) if readme.is_file() else {}
    chosen = license or str(card.get("license") or "")
    if chosen.lower() in ("", "unknown", "none"):
        raise UsageError(f"the card of {repo} names no licence; type the one that it has, such as --license apache-2.0")
    chosen = checked_licence(chosen, "--license" if license else f"the licence in the card of {repo},")
    if not name.split(".")[0] == block.architecture:
        raise UsageError(f"{repo} holds {block.architecture!r}; name it {block.architecture}.TAG")
    headers = stored_weights(pulled.folder).headers
    data = block.data.name if block.data else None
    scores, on, day = (recorded_scores(pulled.folder), data, None) if run is None else _measured(run, pulled.files)
    entry = PublishedWeights(
        repo=repo,
        revision=pulled.commit,
        files={file.name: PublishedFile(file.sha256, file.size) for file in pulled.files},
        plugin=block.plugin,
        task=block.task,
        license=chosen,
        data=data,
        parameters=sum(math.prod(header.shape) for header in headers.values()),
        scores=scores,
        scored=Scored(data=on, source=f"hf://{repo}@{pulled.commit}", date=day) if scores and on else None,
    )
    values["weights"][name] = msgspec.to_builtins(entry)
    _write(path, values)
    return entry


def _measured(run: Path, files: Iterable[PulledFile]) -> tuple[dict[str, float], str, str]:
    """Return the scores of the run that made these files, its data, and its day.

    Raise UsageError where the run has no scores on a test split, or made other weights.
    """
    past = read_run(run)
    made = common_hashes(sorted((run / "weights").glob("model*.safetensors"))).values()
    if not set(made) & {file.sha256 for file in files}:
        raise UsageError(f"{run} did not make these weights: their bytes differ; name the run that did")
    if past.measured != "test":
        raise UsageError(f"{run} ends with no scores on a test split; go on with it: --resume")
    return past.scores, str(past.known.data.get("name") or ""), past.started.date().isoformat()


def remove_weights(name: str, path: Path) -> None:
    """Take a name, and the aliases for it, out of a registry."""
    values = _read(path)
    if values["weights"].pop(name, None) is None:
        raise NotFoundError(f"{path} does not list {name!r}; `zoo registry search` shows what is listed where")
    values["aliases"] = {alias: target for alias, target in values.get("aliases", {}).items() if target != name}
    _write(path, values)


def check_weights(path: Path, hub: str | Path | None) -> Iterator[tuple[str, str | None]]:
    """Yield every name of a registry with what is wrong with it, or None."""
    catalogue = read_catalogue(path)
    for name in sorted({*catalogue.entries, *catalogue.refused}):
        entry = catalogue.entries.get(name)
        if entry is None:
            yield name, catalogue.refused[name]
        elif not entry.pinned:
            yield name, f"names the revision {entry.revision!r}, which can change"
        elif entry.license.lower() in ("", "unknown", "none"):
            yield name, "has no licence"
        else:
            yield name, _fault(entry, hub)


def _fault(entry: PublishedWeights, hub: str | Path | None) -> str | None:
    try:
        list_repo(
            entry.repo,
            revision=entry.revision,
            hub=hub,
            expected={file: (known.sha256, known.size) for file, known in entry.files.items()},
        )
    except ZooError as error:
        return str(error)
    return None


def _read(path: Path) -> dict[str, Any]:
    """Return a registry's document; a new one where there is none. It is checked as strictly as by every reader."""
    if not path.is_file():
        return {"schema_version": SCHEMA_VERSION, "weights": {}}
    read_catalogue(path)
    values = parse_json(path.read_bytes(), str(path))
    values.setdefault("weights", {})
    return values


def _write(path: Path, values: dict[str, Any]) -> None:
    values["weights"] = dict(sorted(values["weights"].items()))
    with storage_errors(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")
