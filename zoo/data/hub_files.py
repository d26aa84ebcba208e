"""The parquet files of a data set on a Hub: found, and downloaded and verified."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from zoo.data.hashes import content_hashes
from zoo.data.splitting import SPLITS, scoring, with_test
from zoo.errors import DataError, IntegrityError, UsageError
from zoo.hub.connection import Connection
from zoo.hub.file_names import fault_of, shown
from zoo.hub.revisions import check_revision, is_commit

HUB_DATASETS = "hf://datasets/"
_TO_BE_SCORED = ("test", "validation", "train")
_SPLIT = re.compile(rf"({'|'.join(SPLITS)})[-_.]")

Opened = TypeVar("Opened")
_log = logging.getLogger("zoo")


def parse(address: str) -> tuple[str, str, str | None]:
    """Return repo, folder and revision of `hf://datasets/org/name[/folder][@revision]`."""
    path, _, revision = address.removeprefix(HUB_DATASETS).partition("@")
    namespace, _, rest = path.strip("/").partition("/")
    name, _, folder = rest.partition("/")
    if not name:
        raise UsageError(f"{address} names no data set; write {HUB_DATASETS}org/name[@revision]")
    repo = f"{namespace}/{name}"
    return repo, folder, check_revision(revision, repo) if revision else None


@dataclass(frozen=True)
class HubFiles:
    """The parquet files of each split of a data set at one commit."""

    repo: str
    folder: str
    commit: str
    license: str
    names: Mapping[str, Sequence[str]]
    sha256: Mapping[str, str]
    """Of the files that are stored by it, which small ones may not be."""
    sizes: Mapping[str, int]

    @property
    def num_bytes(self) -> int:
        """How much there is to download."""
        return sum(self.sizes[name] for names in self.names.values() for name in names)

    def download(self, connection: Connection) -> dict[str, list[Path]]:
        """Download the files of each split, and compare them with the hashes that the Hub gives."""
        from huggingface_hub import HfApi

        api = HfApi(endpoint=connection.url, token=connection.token)
        paths = {
            name: Path(api.hf_hub_download(self.repo, name, repo_type="dataset", revision=self.commit))
            for names in self.names.values()
            for name in names
        }
        root = next(iter(paths.values())).parents[next(iter(paths)).count("/")]
        hashes = content_hashes(root, list(paths.values()))
        for name, path in paths.items():
            if self.sha256.get(name, hashes[path]) != hashes[path]:
                raise IntegrityError(f"{path} is not what {self.repo} has under that name; delete it and try again")
        return {split: [paths[name] for name in names] for split, names in self.names.items()}

    def addresses(self, split: str) -> list[str]:
        """Return where the files of a split lie for the Hub's file system."""
        return [f"datasets/{self.repo}@{quote(self.commit, '')}/{name}" for name in self.names[split]]


def find_files(repo: str, folder: str, revision: str | None, connection: Connection) -> HubFiles:
    """Find the parquet files below a folder of a repo."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=connection.url, token=connection.token)
    info = api.dataset_info(repo, revision=revision, files_metadata=True, timeout=20)
    if not is_commit(str(info.sha)):
        raise IntegrityError(f"{connection.url} names no commit for {repo}; it is no Hub that can be trusted")
    below = f"{folder}/" if folder else ""
    files = {
        file.rfilename: file
        for file in info.siblings or []
        if file.rfilename.endswith(".parquet") and file.rfilename.startswith(below)
    }
    names = _by_split(list(files), repo)
    if faulty := [(name, fault) for split in names.values() for name in split if (fault := fault_of(name))]:
        raise IntegrityError(f"{repo} lists {shown(faulty[0][0])}, which {faulty[0][1].value}; tell its owner")
    taken = [files[name] for split in names.values() for name in split]
    license = info.card_data.get("license") if info.card_data else None
    return HubFiles(
        repo=repo,
        folder=folder,
        commit=str(info.sha),
        license=license if isinstance(license, str) else "unknown",
        names=names,
        sha256={file.rfilename: file.lfs.sha256 for file in taken if file.lfs},
        sizes={file.rfilename: file.size or 0 for file in taken},
    )


def open_shown(files: HubFiles, opened: Callable[[HubFiles], tuple[Opened, bool]], address: str) -> Opened:
    """Return what `opened` makes of all files at once; to be scored, of the first split that does not hide its labels.

    `opened` also tells whether all labels are hidden. No other split is downloaded.
    """
    splits = [split for split in _TO_BE_SCORED if split in files.names] if scoring() else []
    for split in splits[:-1]:
        found, hidden = opened(replace(files, names={split: files.names[split]}))
        if not hidden:
            return found
        _log.warning("%s hides the labels of its %s split, which is left out", address, split)
    return opened(replace(files, names={split: files.names[split] for split in splits[-1:] or files.names}))[0]


def _by_split(names: Sequence[str], repo: str) -> dict[str, list[str]]:
    """Sort files to splits by the Hub's two conventions, `folder/train-*.parquet` and `folder/train/*.parquet`."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in sorted(names):
        folder, _, file = name.rpartition("/")
        if split := _SPLIT.match(file):
            found.setdefault(folder, {}).setdefault(SPLITS[split[1]], []).append(name)
        elif split := _SPLIT.match(f"{folder.rpartition('/')[2]}-"):
            found.setdefault(folder.rpartition("/")[0], {}).setdefault(SPLITS[split[1]], []).append(name)
    if len(found) > 1:
        some = sorted(found)[:5]
        raise DataError(
            f"{repo} contains several data sets, {', '.join(some)}; name one: {HUB_DATASETS}{repo}/{some[0]}"
        )
    splits = next(iter(found.values()), {})
    if not splits or not (scoring() or "train" in splits):
        raise DataError(
            f"{repo} has no train-*.parquet; its converted branch may: {HUB_DATASETS}{repo}@refs/convert/parquet"
        )
    ordered: dict[str, list[str]] = {name: splits[name] for name in ("train", "test", "validation") if name in splits}
    return ordered if scoring() else with_test(ordered)
