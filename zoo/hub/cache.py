"""A repo's folder in the Hugging Face cache, in its own layout: other tools see the same files."""

import json
import logging
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.files import inside, write_file
from zoo.hub.file_names import fault_of
from zoo.hub.listing import FileSelection
from zoo.hub.partial import digests_of
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.hub.revisions import is_commit
from zoo.hub.selection import SIGNATURE_FILE, Selection, select, signed_in
from zoo.strict_json import parse_json

_log = logging.getLogger("zoo")
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
            if self._changed(commit, record, files.values()) is not None:
                return None
        except (OSError, KeyError, TypeError, AttributeError):
            return None
        return PulledRepo(
            self.repo, commit, snapshot, tuple(files.values()), str(record.get("url")), chosen.unusual, chosen.forbidden
        )

    def fault(self, commit: str) -> str | None:
        """Say which file of a commit that was pulled is not as it was; None where all are, or nothing was pulled."""
        if (record := self._record(commit)) is None:
            return None
        try:
            files = [PulledFile(**item) for item in record["files"] if fault_of(item["name"]) is None]
            return self._changed(commit, record, files)
        except (OSError, KeyError, TypeError, AttributeError):
            return "its record cannot be read"

    def _changed(self, commit: str, record: dict[str, Any], files: Iterable[PulledFile]) -> str | None:
        """Say which of these files is not as it was verified; None where all are.

        A file with the inode, size and times that it had then is taken for the same; any other is hashed again.
        """
        snapshot = self.folder / "snapshots" / commit
        known = record.get("stamps", {})
        fresh: dict[str, list[int]] = {}
        for file in files:
            path = snapshot / file.name
            try:
                stamp = _stamp(path)
            except FileNotFoundError:
                return f"{file.name} is gone"
            if stamp[1] != file.size:
                return f"{file.name} has {stamp[1]:,} bytes of {file.size:,}"
            if known.get(file.name) != stamp:
                if digests_of(path, WantedFile(file.name, file.size, file.sha256, file.sha256)).sha256() != file.sha256:
                    return f"{file.name} has other bytes than were verified"
                fresh[file.name] = stamp
        if fresh:
            with suppress(OSError, IntegrityError):  # a cache that is only read is hashed again each time
                self._write_record(commit, {**record, "stamps": {**known, **fresh}})
        return None

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
        complete = True
        for item in wanted:
            link = self.to_write(f"snapshots/{commit}/{item.name}")
            link.parent.mkdir(parents=True, exist_ok=True)
            target = os.path.relpath(self.blobs / item.etag, link.parent)
            if link.is_symlink() and os.readlink(link) == target:
                continue
            complete = False
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
        record["stamps"] = {**before.get("stamps", {}), **{file.name: self._stamp_of(commit, file) for file in files}}
        try:
            self._write_record(commit, record)
        except OSError:
            if not complete:  # else it is all there, in a cache that may only be read
                raise
        self.point(revision, commit)
        return self.folder / "snapshots" / commit

    def point(self, revision: str | None, commit: str) -> None:
        """Let a branch or tag point to a commit that is all here; one that cannot be written stays as it was."""
        if (revision is not None and is_commit(revision)) or self.commit_of(revision or "main") == commit:
            return
        ref = self.to_write(f"refs/{revision or 'main'}")
        try:
            ref.parent.mkdir(parents=True, exist_ok=True)
            write_file(ref, commit.encode())
        except OSError as error:
            _log.warning("%s cannot be written (%s); offline it stays what it was", ref, error.strerror or error)

    def _write_record(self, commit: str, record: dict[str, Any]) -> None:
        path = self.to_write(f"zoo/{commit}.json")
        path.parent.mkdir(exist_ok=True)
        write_file(path, json.dumps(record).encode())

    def _stamp_of(self, commit: str, file: PulledFile) -> list[int]:
        return _stamp(self.folder / "snapshots" / commit / file.name)

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


def _stamp(path: Path) -> list[int]:
    """Return what tells a file from one that was changed since: its change time is none that a program can set."""
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
