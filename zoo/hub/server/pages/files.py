"""What lies in a repo: folders, the text of a file, pictures."""

from collections.abc import Iterable
from itertools import chain, islice

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Response
from zoo.hub.server.names import check_path
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_files import find_file
from zoo.hub.server.summary import PICTURES

_MAX_TEXT = 256 * 1024
_MAX_ENTRIES = 2000
_MAX_PICTURE = 32 * 1024 * 1024
_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"RIFF": "image/webp",
}


def folder_page(access: Access, repo: Repo, revision: str, path: str) -> Response:
    """List a folder with sizes and hashes."""
    store = access.store
    oid = access.commit(repo, revision)
    root = store.commits.tree(repo, oid)
    if path:
        entry = store.trees.find(root, check_path(path, 400))
        if entry is None or not entry.folder:
            raise HttpError(404, f"{path} does not exist on {revision!r}", "EntryNotFound")
        root = entry.oid
    entries = store.trees.entries(root).values()
    folders_first = chain(
        (entry for entry in entries if entry.folder), (entry for entry in entries if not entry.folder)
    )
    shown = list(islice(folders_first, _MAX_ENTRIES))
    shown.sort(key=lambda entry: (not entry.folder, entry.name.lower()))
    prefix = f"{path}/" if path else ""
    refs = store.repos.refs(repo)
    last = store.commits.last_changes(repo, oid, [prefix + entry.name for entry in shown[:100]], 100)
    return page(
        "folder.html",
        access,
        repo=repo,
        revision=revision,
        path=path,
        prefix=prefix,
        parents=_parents(path),
        entries=shown,
        hidden=len(entries) - len(shown),
        last=last,
        refs=[ref.split("/", 2)[2] for ref in refs],
        branches=_branches(refs),
    )


def file_page(access: Access, repo: Repo, revision: str, path: str) -> Response:
    """Show a file: its text, the picture that it is, or its size and hash alone."""
    _, entry = find_file(access, repo, revision, path)
    text = None
    if entry.size <= _MAX_TEXT and not path.lower().endswith(PICTURES):
        try:
            content = access.store.blobs.read(entry.sha256, _MAX_TEXT)
            text = None if b"\0" in content else content.decode()
        except (OSError, UnicodeDecodeError):
            text = None
    return page(
        "file.html",
        access,
        repo=repo,
        revision=revision,
        path=path,
        name=entry.name,
        parents=_parents(path)[:-1],
        entry=entry,
        text=text,
        is_picture=path.lower().endswith(PICTURES),
        branches=_branches(access.store.repos.refs(repo)),
    )


def picture(access: Access, repo: Repo, revision: str, path: str) -> Response:
    """Serve a picture as one, when its bytes are those of one."""
    oid, entry = find_file(access, repo, revision, path)
    try:
        opened = access.store.blobs.open(entry.sha256)
    except OSError:
        raise HttpError(410, f"The bytes of {path} are gone from this Hub; push the file again") from None
    head = opened.read(12)
    kind = next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), None)
    if kind is None or entry.size > _MAX_PICTURE or (kind == "image/webp" and head[8:] != b"WEBP"):
        opened.close()
        raise HttpError(415, f"{path} is no picture that this Hub shows")
    fixed = "private, max-age=31536000, immutable" if revision == oid else "no-cache"
    headers = {
        "Content-Type": kind,
        "Content-Length": str(entry.size),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": fixed,
        "Vary": "Authorization",
    }
    return Response(headers=headers, file=(opened, 0, entry.size))


def _branches(refs: Iterable[str]) -> list[str]:
    return [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]


def _parents(path: str) -> list[tuple[str, str]]:
    parts = path.split("/") if path else []
    return [(part, "/".join(parts[: place + 1])) for place, part in enumerate(parts)]
