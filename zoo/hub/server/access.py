"""Who may see and change what."""

import hmac
from dataclasses import dataclass

from zoo.hub.server.http import HttpError, Request
from zoo.hub.server.names import check_repo
from zoo.hub.server.store import Repo, Store

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Access:
    """The store and the address under which clients know it."""

    store: Store
    url: str

    def check_host(self, request: Request) -> None:
        """Refuse requests by other names: a page elsewhere could have its name resolve to this machine."""
        host = request.headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in _LOOPBACK or "origin" in request.headers:
            raise HttpError(403, "This Hub answers to loopback names only, and to no pages of others")

    def has_token(self, request: Request) -> bool:
        """Tell whether the request carries this Hub's token. Raise HttpError 401 for another one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return False
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self.store.token.encode()):
            raise HttpError(401, "Invalid credentials in Authorization header")
        return True

    def require_token(self, request: Request) -> None:
        """Raise HttpError 401 unless the request carries the token."""
        if not self.has_token(request):
            raise HttpError(401, "Invalid username or password.")

    def repo(self, request: Request, type_: str, name: str) -> Repo:
        """Return a repo that the request may see; a private one answers others as if it were not there."""
        namespace, _, rest = name.partition("/")
        repo = self.store.repo(type_, check_repo(namespace, rest))
        if repo is None or (repo.private and not self.has_token(request)):
            raise HttpError(404, "Repository not found", "RepoNotFound")
        return repo

    def commit(self, repo: Repo, revision: str) -> str:
        """Return the commit that a revision names."""
        oid = self.store.resolve(repo, revision)
        if oid is None:
            raise HttpError(404, f"Invalid rev id: {revision[:100]}", "RevisionNotFound")
        return oid
