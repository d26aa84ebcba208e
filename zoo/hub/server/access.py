"""Who may see and change what."""

import base64
import hashlib
import hmac
import re
from functools import cached_property

from zoo.hub.server import work
from zoo.hub.server.http import HttpError, Request
from zoo.hub.server.names import check_repo
from zoo.hub.server.options import LOOPBACK, Options
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import ServedStore
from zoo.hub.server.users import User

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", re.ASCII)
_FOREIGN_TOKEN = (
    "Invalid credentials in Authorization header: this looks like a token of huggingface.co, which no other Hub should "
    "ever see; set HF_TOKEN to one of this Hub's"
)
LOG_IN = {"WWW-Authenticate": 'Basic realm="Hub: any name, and a token as the password", charset="UTF-8"'}


class Access:
    """One request's rights in a store."""

    def __init__(self, store: ServedStore, options: Options, request: Request) -> None:
        self.store = store
        self.options = options
        self.limits = options.limits
        self.url = self._checked_url(request)
        self._request = request
        self._written: set[str] = set()
        self._seen: list[Repo] = []

    def _checked_url(self, request: Request) -> str:
        """Return this Hub's address as the client wrote it; refuse names that could be another's for this machine."""
        host = request.headers.get("host", "")
        match = _HOST.fullmatch(host)
        name = match.group(1).strip("[]").lower() if match else ""
        known = (*LOOPBACK, *self.options.names) if self.options.local else self.options.names
        if (known and name not in known) or not name:
            raise HttpError(403, "This Hub does not answer to that name; `zoo hub serve --name NAME` adds one")
        scheme = "https" if self.options.certificate else "http"
        url = (self.options.url or f"{scheme}://{host}").rstrip("/")
        if request.headers.get("origin") not in (None, url):
            raise HttpError(403, "This Hub answers to no pages of others")
        return url

    @cached_property
    def user(self) -> User | None:
        """Return whose token the request carries; None without one. Raise HttpError 401 for one that is unknown."""
        request = self._request
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        word = word.strip()
        if not scheme:
            return None
        if scheme.lower() == "basic" and (request.method in ("GET", "HEAD") or request.form_key):
            word = _password(word)  # browsers; they send it unasked
        elif scheme.lower() != "bearer":
            raise HttpError(401, "Invalid credentials in Authorization header")
        if word.startswith("hf_"):
            raise HttpError(401, _FOREIGN_TOKEN)
        user = self.store.users.identify(word) if word else None
        if user is None:
            raise HttpError(401, "Invalid credentials in Authorization header", headers=self._log_in(request))
        if scheme.lower() == "basic" and request.method not in ("GET", "HEAD"):
            self.check_form(user)
        self.store.users.use(user)
        return user

    def form_key(self, user: User) -> str:
        """Return the word by which this Hub knows what its own pages send for a user's token."""
        text = f"form {user.id} {user.token}".encode()
        return hmac.new(self.store.signing_key, text, hashlib.sha256).hexdigest()

    def check_form(self, user: User) -> None:
        """Raise HttpError 403 for what was not sent by a page that this Hub gave to this very user."""
        given = self._request.form_key.encode("utf-8", "replace")
        own = self._request.headers.get("origin") == self.url
        if not (own and hmac.compare_digest(given, self.form_key(user).encode())):
            raise HttpError(403, "This was sent by no page that this Hub gave to you; load the page again")

    @staticmethod
    def _log_in(request: Request) -> dict[str, str]:
        return LOG_IN if request.headers.get("authorization", "").lower().startswith("basic") else {}

    def check_reading(self, log_in: bool = False) -> None:
        """Raise HttpError 401 where nobody may read without a token."""
        if self.user is None and not self.options.anonymous:
            raise HttpError(401, "This Hub is read with a token", "RepoNotFound", LOG_IN if log_in else None)

    def require_user(self) -> User:
        """Return whose token the request carries. Raise HttpError 401 without one."""
        if self.user is None:
            raise HttpError(401, "Invalid username or password.")
        return self.user

    def require_writer(self, namespace: str) -> User:
        """Return the user. Raise HttpError 401 without a token, 403 for one that may not write there."""
        user = self.require_user()
        if user.role != "write":
            raise HttpError(403, "This token may read, not write")
        if not user.belongs_to(namespace):
            raise HttpError(403, f"{user.name} has no rights in the namespace {namespace}")
        self._written.add(namespace)
        return user

    def renew(self) -> None:
        """Raise HttpError where the rights that the request had at its head are gone: its body may take hours."""
        if self.__dict__.pop("user", None) is None:
            return
        self.check_reading()
        for repo in self._seen:
            found = self.store.repos.find(repo.type, repo.name)
            if found is None or found.id != repo.id or not self._sees(found):
                raise HttpError(404, "Repository not found", "RepoNotFound")
        for namespace in list(self._written):
            self.require_writer(namespace)

    @property
    def namespaces(self) -> tuple[str, ...] | None:
        """Return whose private repos the user may see; None is everybody's."""
        if self.user is None:
            return ()
        return None if self.user.owner else (self.user.name, *self.user.namespaces, *self.user.read)

    def repo(self, type_: str, name: str, *, follow: bool = True) -> Repo:
        """Return a repo that the user may see; a private one answers others as if it were not there.

        Raise HttpError 307 where the address names one that was moved, with the address that it has now; without
        `follow`, for what was given out for the former name alone, there is none.
        """
        self.check_reading()
        namespace, _, rest = name.partition("/")
        repo = self.store.repos.find(type_, check_repo(namespace, rest))
        if repo is not None and self._sees(repo):
            self._seen.append(repo)
            return repo
        moved = self.store.repos.moved(type_, name) if repo is None and follow else None
        if moved is not None and self._sees(moved) and (address := self._request.renamed(name, moved.name)):
            raise HttpError(307, f"{name} is {moved.name} now", headers={"Location": f"{self.url}{address}"})
        raise HttpError(404, "Repository not found", "RepoNotFound")

    def _sees(self, repo: Repo) -> bool:
        return not repo.private or (self.user is not None and self.user.may_read(repo.namespace))

    async def check_files(self, repo: Repo) -> None:
        """Raise HttpError 401 or 403 where a gate keeps the user from a repo's files."""
        if not repo.gated or (self.user and self.user.may_read(repo.namespace)):
            return
        if self.user is None:
            raise HttpError(401, f"Access to {repo.type[:-1]} {repo.name} is restricted. Please log in.", "GatedRepo")
        if self.store.users.has_grant(repo, self.user):
            return
        if repo.gated == "auto":
            await work.run_write(self.store.users.grant, repo, self.user)
        else:
            message = f"Access to {repo.type[:-1]} {repo.name} is restricted; ask its owner to grant it to you"
            raise HttpError(403, message, "GatedRepo")

    def commit(self, repo: Repo, revision: str) -> str:
        """Return the commit that a revision names."""
        oid = self.store.repos.resolve(repo, revision)
        if oid is None:
            raise HttpError(404, f"Invalid rev id: {revision[:100]}", "RevisionNotFound")
        return oid


def _password(word: str) -> str:
    try:
        return base64.b64decode(word, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
