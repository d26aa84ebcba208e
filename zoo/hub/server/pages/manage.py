"""Forms that make, rename, hide and delete repos, with the rights and checks of the API."""

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.names import check_repo
from zoo.hub.server.pages.forms import Form, see, signed_in
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_repos import configure_repo, delete_repo, make_repo, move_repo

_TYPES = {"models": "model", "datasets": "data set"}


async def new_page(access: Access, request: Request, form: Form | None) -> Response:
    """Ask for a new repo's name, and make it."""
    if form is not None:
        try:
            return see(f"/{(await _make(access, form)).web_id}")
        except HttpError as error:
            return _new(access, form, error)
    signed_in(access, request)
    return _new(access, {}, None)


async def _make(access: Access, form: Form) -> Repo:
    type_ = form.get("type", "models")
    if type_ not in _TYPES:
        raise HttpError(400, "Unknown type of repo")
    name = check_repo(form.get("namespace", "").strip(), form.get("name", "").strip())
    repo, made = await make_repo(access, type_, name, "private" in form)
    if not made:
        raise HttpError(409, f"There is a {_TYPES[type_]} {repo.name} already")
    return repo


def _new(access: Access, form: Form, fault: HttpError | None) -> Response:
    user = access.require_user()
    return page(
        "new.html",
        access,
        status=fault.status if fault else 200,
        fault=str(fault) if fault else "",
        form={"type": "models", "namespace": user.name, "name": "", **form},
        types=_TYPES,
        namespaces=[user.name, *user.namespaces],
    )


async def settings_page(access: Access, request: Request, repo: Repo, form: Form | None) -> Response:
    """Show what can be set of a repo, and set it."""
    signed_in(access, request)
    access.require_writer(repo.namespace)
    fault = None
    if form is not None:
        try:
            return see(await _set(access, repo, form))
        except HttpError as error:
            fault = error
    return page(
        "settings.html",
        access,
        status=fault.status if fault else 200,
        fault=str(fault) if fault else "",
        saved=request.value("saved") is not None,
        form=form or {},
        repo=repo,
        revision="main",
    )


async def _set(access: Access, repo: Repo, form: Form) -> str:
    """Do what a form asks for, and return the address to go on at."""
    match form.get("do"):
        case "configure":
            await configure_repo(access, repo, form.get("visibility") == "private", form.get("gated"))
            return f"/{repo.web_id}/settings?saved"
        case "rename":
            namespace, _, name = form.get("new_name", "").strip().partition("/")
            new_name = check_repo(namespace, name)
            await move_repo(access, repo, new_name)
            return f"/{new_name if repo.type == 'models' else f'{repo.type}/{new_name}'}"
        case "delete":
            if form.get("confirm", "").strip() != repo.name:
                raise HttpError(400, f"Nothing was deleted: type {repo.name} to confirm it")
            await delete_repo(access, repo)
            return f"/{repo.namespace}" if repo.type == "models" else f"/{repo.type}"
    raise HttpError(400, "Unknown form")
