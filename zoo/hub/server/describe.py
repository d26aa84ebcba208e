"""How repos, files and commits look in answers."""

from collections.abc import Iterable
from typing import Any

from zoo.hub.server.commits import Commit
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry, pointer


def repo_info(store: Store, repo: Repo, oid: str | None = None, *, blobs: bool = False) -> dict[str, Any]:
    """Return a repo as the client's ModelInfo or DatasetInfo reads it; files only at a given commit."""
    summary = repo.summary
    info: dict[str, Any] = {
        "_id": str(repo.id),
        "id": repo.name,
        "author": repo.namespace,
        "sha": oid or repo.head,
        "createdAt": repo.created,
        "lastModified": repo.modified,
        "private": repo.private,
        "gated": repo.gated or False,
        "disabled": False,
        "downloads": repo.downloads,
        "likes": 0,
        "trendingScore": 0,
        "tags": summary.tags,
        "cardData": summary.card or None,
        "usedStorage": summary.size,
    }
    if repo.type == "models":
        info |= {
            "modelId": repo.name,
            "pipeline_tag": summary.text("pipeline_tag"),
            "library_name": summary.text("library_name"),
        }
        if summary.parameters:
            info["safetensors"] = {"parameters": summary.parameters, "total": sum(summary.parameters.values())}
    if oid is not None:
        files = store.trees.files(store.commits.tree(repo, oid))
        info["siblings"] = [_sibling(path, entry, blobs) for path, entry in files.items()]
    return info


def entry_info(path: str, entry: Entry, last: Commit | None = None) -> dict[str, Any]:
    """Return a file or a folder as `list_repo_tree` reads it."""
    if entry.folder:
        info: dict[str, Any] = {"type": "directory", "path": path, "size": 0, "oid": entry.oid}
    else:
        info = {"type": "file", "path": path, "size": entry.size, "oid": entry.oid}
    if entry.lfs:
        pointer_size = len(pointer(entry.sha256, entry.size))
        info["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    if last is not None:
        info["lastCommit"] = {"id": last.oid, "title": last.title, "date": last.date}
    return info


def commit_infos(commits: Iterable[Commit]) -> list[dict[str, Any]]:
    """Return commits as `list_repo_commits` reads them."""
    return [
        {
            "id": commit.oid,
            "title": commit.title,
            "message": commit.message,
            "date": commit.date,
            "authors": [{"user": commit.author}],
        }
        for commit in commits
    ]


def _sibling(path: str, entry: Entry, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    info = entry_info(path, entry)
    sibling = {"rfilename": path, "size": entry.size, "blobId": entry.oid}
    if lfs := info.get("lfs"):
        sibling["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
    return sibling
