"""How repos, files and commits look in answers."""

import hashlib
from typing import Any

import yaml

from zoo.hub.server.store import File, Repo, Store

MAX_FRONT_MATTER = 64 * 1024


def web_id(repo: Repo) -> str:
    """Return the repo's name with the prefix that its pages and files have."""
    return repo.name if repo.type == "models" else f"{repo.type}/{repo.name}"


def repo_info(store: Store, repo: Repo, oid: str, *, blobs: bool = False, full: bool = True) -> dict[str, Any]:
    """Return a repo as the client's ModelInfo or DatasetInfo reads it."""
    files = store.files(repo, oid)
    card = card_data(store, files)
    info: dict[str, Any] = {
        "_id": str(repo.id),
        "id": repo.name,
        "author": repo.name.split("/")[0],
        "sha": oid,
        "createdAt": repo.created,
        "lastModified": repo.modified,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": repo.downloads,
        "likes": 0,
        "tags": _tags(card),
    }
    if repo.type == "models":
        info |= {
            "modelId": repo.name,
            "pipeline_tag": card.get("pipeline_tag"),
            "library_name": card.get("library_name"),
        }
    if full:
        info["cardData"] = card or None
        info["siblings"] = [_sibling(file, blobs) for file in files.values()]
        info["usedStorage"] = sum(file.blob.size for file in files.values())
    return info


def file_entry(file: File) -> dict[str, Any]:
    """Return a file as `list_repo_tree` reads it."""
    entry: dict[str, Any] = {"type": "file", "path": file.path, "size": file.blob.size, "oid": git_oid(file)}
    if file.lfs:
        entry["lfs"] = {"oid": file.blob.sha256, "size": file.blob.size, "pointerSize": len(_pointer(file))}
    return entry


def tree_entries(files: dict[str, File], folder: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the files and folders below a folder ("" for the root)."""
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, file in files.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if recursive else min(2, len(parts))):
            name = prefix + "/".join(parts[:depth])
            oid = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
            entries.setdefault(name, {"type": "directory", "path": name, "size": 0, "oid": oid})
        if recursive or len(parts) == 1:
            entries[path] = file_entry(file)
    return list(entries.values())


def git_oid(file: File) -> str:
    """Return the git id of what git would keep: the file, or the pointer to it."""
    if not file.lfs:
        return file.blob.git_sha1
    pointer = _pointer(file)
    return hashlib.sha1(b"blob %d\0" % len(pointer) + pointer, usedforsecurity=False).hexdigest()


def etag(file: File) -> str:
    """Return the name of a file's bytes: sha256 for large files, git's id for regular ones."""
    return file.blob.sha256 if file.lfs else file.blob.git_sha1


def card_data(store: Store, files: dict[str, File]) -> dict[str, Any]:
    """Return the YAML front matter of README.md; nothing where there is none or it is broken."""
    readme = files.get("README.md")
    if readme is None:
        return {}
    with store.blobs.open(readme.blob.sha256) as file:
        return front_matter(file.read(MAX_FRONT_MATTER).decode("utf-8", "replace"))


def front_matter(text: str) -> dict[str, Any]:
    """Return the YAML between the first two lines `---`, found by walking the lines once."""
    first, *lines = text.split("\n")
    if first.rstrip() != "---":
        return {}
    end = next((place for place, line in enumerate(lines) if line.rstrip() == "---"), None)
    if end is None:
        return {}
    try:
        value = yaml.safe_load("\n".join(lines[:end]))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _tags(card: dict[str, Any]) -> list[str]:
    listed = card.get("tags")
    tags = [str(tag) for tag in listed] if isinstance(listed, list) else []
    tags += [str(card[key]) for key in ("library_name", "pipeline_tag") if card.get(key)]
    if card.get("license"):
        tags.append(f"license:{card['license']}")
    return list(dict.fromkeys(tags))


def _sibling(file: File, blobs: bool) -> dict[str, Any]:
    entry = file_entry(file)
    if not blobs:
        return {"rfilename": file.path}
    sibling = {"rfilename": file.path, "size": entry["size"], "blobId": entry["oid"]}
    if lfs := entry.get("lfs"):
        sibling["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
    return sibling


def _pointer(file: File) -> bytes:
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.blob.sha256}\nsize {file.blob.size}\n"
    ).encode()
