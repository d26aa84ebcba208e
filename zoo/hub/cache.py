"""A repo's folder in the Hugging Face cache, in its own layout: other tools see the same files."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.files import write_file
from zoo.hub.listing import FileSelection, is_commit
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.strict_json import parse_json


class Cache:
    """One repo's folder: blobs by hash, snapshots of links to them, refs, and Zoo's records of what was verified."""

    def __init__(self, repo: str) -> None:
        from huggingface_hub import constants

        self.repo = repo
        self.folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
        self.blobs = self.folder / "blobs"

    def lease(self, commit: str) -> Path:
        """Return where the process that fetches a commit says so."""
        return self.folder / "zoo" / f"{commit}.lease"

    def commit_of(self, revision: str) -> str | None:
        """Return the commit that a branch or tag was when it was pulled last; a commit is itself."""
        if is_commit(revision):
            return revision
        if revision.startswith(("/", ".")) or ".." in revision or "\0" in revision:
            return None
        try:
            commit = (self.folder / "refs" / revision).read_text().strip()
        except OSError:
            return None
        return commit if is_commit(commit) else None

    def complete(self, commit: str, selection: FileSelection) -> PulledRepo | None:
        """Return a commit whose files, or those that are expected or named, were pulled and verified before.

        With those `beside` it is complete when they were looked for, whether or not the repo had them.
        """
        expected, only, beside = selection.expected, selection.only, selection.beside
        record = self._record(commit)
        if record is None or (selection.everything and not record.get("whole")):
            return None
        if not record.get("whole") and set(beside) - set(record.get("beside", ())):
            return None
        try:
            files = {item["name"]: PulledFile(**item) for item in record["files"]}
            if any((files[name].sha256, files[name].size) != right for name, right in (expected or {}).items()):
                return None
            if expected or only:
                named = [*(expected or only), *(name for name in beside if name in files)]
                files = {name: files[name] for name in named}
            snapshot = self.folder / "snapshots" / commit
            if any((snapshot / file.name).stat().st_size != file.size for file in files.values()):
                return None
        except (OSError, KeyError, TypeError):
            return None
        return PulledRepo(self.repo, commit, snapshot, tuple(files.values()), str(record.get("url")))

    def publish(
        self,
        commit: str,
        revision: str | None,
        wanted: list[WantedFile],
        files: tuple[PulledFile, ...],
        url: str,
        *,
        whole: bool,
        beside: tuple[str, ...] = (),
    ) -> PulledRepo:
        """Make verified files visible under the commit, then let the revision point to it."""
        snapshot = self.folder / "snapshots" / commit
        snapshot.mkdir(parents=True, exist_ok=True)
        for item in wanted:
            link = snapshot / item.name
            link.parent.mkdir(parents=True, exist_ok=True)
            target = os.path.relpath(self.blobs / item.etag, link.parent)
            if link.is_symlink() and os.readlink(link) == target:
                continue
            temporary = link.with_name(f".{secrets.token_hex(8)}")
            os.symlink(target, temporary)
            os.replace(temporary, link)
        before = self._record(commit) or {}
        known: dict[str, Any] = {item["name"]: item for item in before.get("files", ())}
        known |= {file.name: asdict(file) for file in files}
        record = {
            "url": url,
            "whole": whole or bool(before.get("whole")),
            "beside": sorted({*before.get("beside", ()), *beside}),
            "files": list(known.values()),
        }
        path = self.folder / "zoo" / f"{commit}.json"
        path.parent.mkdir(exist_ok=True)
        write_file(path, json.dumps(record).encode())
        if revision is None or not is_commit(revision):
            ref = self.folder / "refs" / (revision or "main")
            ref.parent.mkdir(parents=True, exist_ok=True)
            write_file(ref, commit.encode())
        return PulledRepo(self.repo, commit, snapshot, files, url)

    def forget(self, commit: str) -> None:
        """Count a commit as not pulled: the next pull hashes its files again, and fetches those that are wrong."""
        (self.folder / "zoo" / f"{commit}.json").unlink(missing_ok=True)

    def pulled(self, commit: str) -> PulledRepo | None:
        """Return what was pulled and verified of a commit, whether or not it was all of it."""
        record = self._record(commit)
        try:
            if not record:
                return None
            return self.complete(commit, FileSelection(only=tuple(item["name"] for item in record["files"])))
        except (KeyError, TypeError):
            return None

    def _record(self, commit: str) -> dict[str, Any] | None:
        path = self.folder / "zoo" / f"{commit}.json"
        with suppress(OSError, IntegrityError):
            return parse_json(path.read_bytes(), str(path), max_bytes=64 * 1024 * 1024)
        return None
