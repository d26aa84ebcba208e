"""The parquet files of a data set on a Hub: found, downloaded and verified."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.data.hashes import content_hashes
from zoo.errors import DataError, IntegrityError, UsageError
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors

HUB_DATASETS = "hf://datasets/"
_SPLIT = re.compile(r"(train|test|validation)[-_.]")


@dataclass(frozen=True)
class HubFiles:
    """The parquet files of each split at one commit, downloaded."""

    repo: str
    folder: str
    commit: str
    licence: str
    paths: Mapping[str, list[str]]


def download(address: str, hub: str | Path | None) -> HubFiles:
    """Download the parquet files that `hf://datasets/org/name[/folder][@revision]` says; compare the Hub's hashes."""
    from huggingface_hub import HfApi

    repo, folder, revision = _parse(address)

    with connect(hub) as connection, hub_errors(repo, revision, connection.url):
        api = HfApi(endpoint=connection.url, token=connection.token)
        info = api.dataset_info(repo, revision=revision, files_metadata=True, timeout=20)
        files = {file.rfilename: file for file in info.siblings or [] if file.rfilename.endswith(".parquet")}
        splits = _by_split([name for name in files if name.startswith(f"{folder}/" if folder else "")], repo)
        paths = {
            name: Path(api.hf_hub_download(repo, name, repo_type="dataset", revision=info.sha))
            for names in splits.values()
            for name in names
        }
    root = next(iter(paths.values())).parents[next(iter(paths)).count("/")]
    hashes = content_hashes(root, list(paths.values()))
    for name, path in paths.items():
        lfs = files[name].lfs
        if lfs is not None and lfs.sha256 != hashes[path]:
            raise IntegrityError(f"{path} is not what {repo} has under that name; delete it, and try again")
    licence = info.card_data.get("license") if info.card_data else None
    return HubFiles(
        repo=repo,
        folder=folder,
        commit=str(info.sha),
        licence=licence if isinstance(licence, str) else "unknown",
        paths={split: [str(paths[name]) for name in names] for split, names in splits.items()},
    )


def _by_split(names: Sequence[str], repo: str) -> dict[str, list[str]]:
    """Sort files to splits by the Hub's two conventions, `folder/train-*.parquet` and `folder/train/*.parquet`."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in sorted(names):
        folder, _, file = name.rpartition("/")
        if split := _SPLIT.match(file):
            found.setdefault(folder, {}).setdefault(split[1], []).append(name)
        elif split := _SPLIT.match(f"{folder.rpartition('/')[2]}-"):
            found.setdefault(folder.rpartition("/")[0], {}).setdefault(split[1], []).append(name)
    if len(found) > 1:
        some = sorted(found)[:5]
        raise DataError(f"{repo} holds several data sets, {', '.join(some)}; name one: {HUB_DATASETS}{repo}/{some[0]}")
    splits = next(iter(found.values()), {})
    if "train" not in splits:
        raise DataError(
            f"{repo} has no train-*.parquet; its converted form may: {HUB_DATASETS}{repo}@refs/convert/parquet"
        )
    test = splits.get("test") or splits.get("validation")
    return {"train": splits["train"], **({"test": test} if test else {})}


def _parse(address: str) -> tuple[str, str, str | None]:
    path, _, revision = address.removeprefix(HUB_DATASETS).partition("@")
    namespace, _, rest = path.strip("/").partition("/")
    name, _, folder = rest.partition("/")
    if not name:
        raise UsageError(f"{address} names no data set; write {HUB_DATASETS}org/name[@revision]")
    return f"{namespace}/{name}", folder, revision or None
