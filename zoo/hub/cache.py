"""A repo's folder in the Hugging Face cache, in its own layout: other tools see the same files."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.files import inside, write_file
from zoo.hub.file_names import fault_of
from zoo.hub.listing import FileSelection
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.hub.revisions import is_commit
from zoo.hub.selection import SIGNATURE_FILE, Selection, select, signed_in
from zoo.strict_json import parse_json

_MAX_RECORD = 64 * 1024 * 1024


class Cache:
    """One repo's folder: blobs by hash, snapshots of links to them, refs, and Zoo's records of what was verified."""

    def __init__(self, repo: str) -> None:
        from huggingface_hub import constants

        self.repo = repo
        self.folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
        self.blobs = self.folder / "blobs"

    def lease(self, commit: str) -> Path:
        """Return where the process that fetches a commit says so."""
        return self.to_write(f"zoo/{commit}.lease")

    def commit_of(self, revision: str) -> str | None:
        """Return the commit that a branch or tag was when it was pulled last; a commit is itself."""
        if is_commit(revision):
            return revision
        path = inside(self.folder, f"refs/{revision}")
        try:
            commit = path.read_text().strip() if path else ""
        except (OSError, UnicodeDecodeError):
            return None
        return commit if is_commit(commit) else None

    def to_write(self, name: str) -> Path:
        """Return the path of a name in this repo's folder. Raise IntegrityError where links lead it elsewhere."""
        path = inside(self.folder, name, follow=False)
        if path is None:
            raise IntegrityError(
                f"{self.folder} holds links in the place of its folders, which are not written through; remove it"
            )
        return path

    def complete(self, commit: str, selection: FileSelection) -> PulledRepo | None:
        """Return a commit whose files, or those that are expected or named, were pulled and verified before.

        With those `beside` it is complete when they were looked for, whether or not the repo had them.
        """
        expected, only, beside, everything = selection.expected, selection.only, selection.beside, selection.everything
        record = self._record(commit)
        if record is None:
            return None
        try:
            files = {item["name"]: PulledFile(**item) for item in record["files"] if fault_of(item["name"]) is None}
            if any((files[name].sha256, files[name].size) != right for name, right in expected.items()):
                return None
            snapshot = self.folder / "snapshots" / commit
            listed = record.get("listed") or (list(files) if record.get("whole") and not everything else None)
            if listed is None and (everything or set(beside) - set(record.get("beside", ()))):
                return None
            if (expected or only) and not everything:
                chosen = Selection((*expected, *only, *(name for name in beside if name in files)))
            elif listed is not None:
                chosen = select(listed, signed_in(snapshot / SIGNATURE_FILE), everything=everything)
            else:
                return None
            files = {name: files[name] for name in chosen.kept}
            if any((snapshot / file.name).stat().st_size != file.size for file in files.values()):
                return None
        except (OSError, KeyError, TypeError, AttributeError):
            return None
        return PulledRepo(
            self.repo, commit, snapshot, tuple(files.values()), str(record.get("url")), chosen.unusual, chosen.forbidden
        )

    def publish(
        self,
        commit: str,
        revision: str | None,
        wanted: list[WantedFile],
        files: tuple[PulledFile, ...],
        url: str,
        *,
        listed: tuple[str, ...] | None,
        beside: tuple[str, ...] = (),
    ) -> Path:
        """Make verified files visible under the commit, then let the revision point to it; return their folder.

        `listed` are the names of all files that the commit has, where all were looked at.
        """
        for item in wanted:
            link = self.to_write(f"snapshots/{commit}/{item.name}")
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
            "listed": listed if listed is not None else before.get("listed"),
            "whole": bool(before.get("whole")),
            "beside": sorted({*before.get("beside", ()), *beside}),
            "files": list(known.values()),
        }
        path = self.to_write(f"zoo/{commit}.json")
        path.parent.mkdir(exist_ok=True)
        write_file(path, json.dumps(record).encode())
        if revision is None or not is_commit(revision):
            ref = self.to_write(f"refs/{revision or 'main'}")
            ref.parent.mkdir(parents=True, exist_ok=True)
            write_file(ref, commit.encode())
        return self.folder / "snapshots" / commit

    def forget(self, commit: str) -> None:
        """Count a commit as not pulled: the next pull hashes its files again, and fetches those that are wrong."""
        (self.folder / "zoo" / f"{commit}.json").unlink(missing_ok=True)

    def pulled(self, commit: str) -> PulledRepo | None:
        """Return what was pulled and verified of a commit, whether or not it was all of it."""
        record = self._record(commit)
        try:
            names = tuple(item["name"] for item in record["files"]) if record else ()
        except (KeyError, TypeError):
            return None
        return (
            self.complete(commit, FileSelection(only=tuple(name for name in names if fault_of(name) is None)))
            if names
            else None
        )

    def _record(self, commit: str) -> dict[str, Any] | None:
        path = self.folder / "zoo" / f"{commit}.json"
        with suppress(OSError, IntegrityError):
            return parse_json(path.read_bytes(), str(path), max_bytes=_MAX_RECORD)
        return None
