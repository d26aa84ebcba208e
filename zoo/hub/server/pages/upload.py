"""The page to which files are dragged; its script sends them by the API, piece by piece."""

from zoo.hub.server.access import Access
from zoo.hub.server.http import Request, Response
from zoo.hub.server.names import check_ref
from zoo.hub.server.pages.forms import signed_in
from zoo.hub.server.pages.rendering import POLICY, page
from zoo.hub.server.repos import Repo

_POLICY = f"{POLICY}; connect-src 'self'; worker-src 'self'"


def upload_page(access: Access, request: Request, repo: Repo, branch: str) -> Response:
    """Ask for files to put on a branch."""
    signed_in(access, request)
    access.require_writer(repo.namespace)
    repo.check_own()
    access.commit(repo, f"refs/heads/{check_ref(branch)}")
    headers = {"Content-Security-Policy": _POLICY}
    return page("upload.html", access, headers=headers, repo=repo, revision=branch)
