"""A file of text changed in the browser: previewed as it will look, committed unless somebody was faster."""

import hashlib

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.changes import Change
from zoo.hub.server.commits import Request as Wanted
from zoo.hub.server.frontmatter import block, parse
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.names import check_new_path, check_ref
from zoo.hub.server.pages.cards import Card, Cards
from zoo.hub.server.pages.forms import Form, see, signed_in
from zoo.hub.server.pages.rendering import page, path_part
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import regular_file
from zoo.hub.server.users import User

_MAX_TEXT = 256 * 1024


async def edit_page(
    access: Access, request: Request, repo: Repo, cards: Cards, place: tuple[str, str], form: Form | None
) -> Response:
    """Show a text, on a branch and under a path, with a field to change it in; then a preview; then the commit."""
    branch, path = place
    check_new_path(path)
    signed_in(access, request)
    user = access.require_writer(repo.namespace)
    repo.check_own()
    base = await work.run_read(_text, access, repo, branch, path)
    if form is None:
        return _edit(access, repo, place, base)
    form = {**form, "content": form.get("content", "").replace("\r\n", "\n")}
    if form.get("do") == "save":
        try:
            return see(await _save(access, user, repo, branch, path, form))
        except HttpError as error:
            if error.status == 412:
                form = {**form, "was": base["was"]}
            return _edit(access, repo, place, form, error.status, str(error))
    card = await cards.preview(form["content"], f"/{repo.web_id}", branch) if _is_card(path) else None
    return _edit(access, repo, place, form, fault=_front_matter_fault(form["content"]) if card else "", card=card)


def _text(access: Access, repo: Repo, branch: str, path: str) -> dict[str, str]:
    """Return a file's text and git's id for it; both empty where there is none yet."""
    store = access.store
    head = access.commit(repo, f"refs/heads/{check_ref(branch)}")
    entry = store.trees.find(store.commits.tree(repo, head), path)
    if entry is None:
        return {"content": "", "was": ""}
    try:
        content = store.blobs.read(entry.sha256, _MAX_TEXT + 1) if not entry.folder else b"\0"
        if b"\0" in content or len(content) > _MAX_TEXT:
            raise ValueError
        return {"content": content.decode().replace("\r\n", "\n"), "was": entry.oid}
    except ValueError:
        raise HttpError(415, f"{path} is no text of at most {_MAX_TEXT:,} bytes; push it with a client") from None
    except OSError:
        raise HttpError(410, f"The bytes of {path} are gone from this Hub; push the file again") from None


async def _save(access: Access, user: User, repo: Repo, branch: str, path: str, form: Form) -> str:
    """Commit what the form says, where the file is still the one that it began with; return where to go on."""
    content = form["content"].encode("utf-8", "replace")
    if len(content) > _MAX_TEXT:
        raise HttpError(413, f"A text of more than {_MAX_TEXT:,} bytes is pushed with a client")
    store = access.store
    head = access.commit(repo, f"refs/heads/{branch}")
    entry = await work.run_read(lambda: store.trees.find(store.commits.tree(repo, head), path))
    if (entry.oid if entry else "") != form.get("was", ""):
        raise HttpError(412, f"{path} was changed by somebody else meanwhile; nothing of yours is saved yet")
    store.blobs.check_space(len(content), access.limits.reserve)
    blob = await work.run_write(store.blobs.write, content)
    change = Change("put", path, regular_file(path.rpartition("/")[2], content, blob.sha256))
    title = form.get("summary", "").strip()[:1000] or f"{'Change' if entry else 'Add'} {path}"[:1000]
    words = "\n".join((branch, str(user.id), head, path, blob.sha256, title)).encode("utf-8", "replace")
    wanted = Wanted([change], user.name, title, "", head, f"page {hashlib.sha256(words).hexdigest()}", [blob])
    try:
        oid = await work.run_heavy(store.commits.add, repo, branch, wanted)
    finally:
        blob.path.unlink(missing_ok=True)
    return (
        f"/{repo.web_id}/commit/{oid}"
        if oid != head
        else f"/{repo.web_id}/blob/{path_part(branch)}/{path_part(path, '/')}"
    )


def _is_card(path: str) -> bool:
    return path.lower().endswith(".md")


def _front_matter_fault(text: str) -> str:
    try:
        parse(block(text)[0])
    except ValueError as error:
        return f"The front matter is broken, and would count as none: {error}"
    return ""


def _edit(
    access: Access,
    repo: Repo,
    place: tuple[str, str],
    form: Form,
    status: int = 200,
    fault: str = "",
    card: Card | None = None,
) -> Response:
    return page(
        "edit.html",
        access,
        status=status,
        fault=fault,
        overtaken=status == 412,
        form={"summary": "", **form},
        repo=repo,
        revision=place[0],
        path=place[1],
        previews=_is_card(place[1]),
        card=card,
    )
