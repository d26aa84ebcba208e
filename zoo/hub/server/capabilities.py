"""What the Hub signs for a client to use later: addresses to upload to, and tokens for the Xet routes.

Each names the token that it was given for, the user, the repo and the repo's epoch, and all of them are looked up again
whenever it is used: what was revoked, removed, deleted, hidden or moved meanwhile ends it.
"""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass

from zoo.hub.server.blobs import NewBlob
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import ServedStore, Store
from zoo.hub.server.users import User

_NUMBER = "([0-9]{1,18})"
_TEXT = re.compile(rf"([0-9a-f]{{16}})\.{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.([0-9a-f]{{64}})", re.ASCII)
_DEAD = (
    "The address or token of this upload is not valid, or no longer: it ends with its time, its user's rights, and any "
    "change of who may see the repo; start the upload again"
)


@dataclass(frozen=True)
class Capability:
    """A writer's right to bring bytes to a repo, as long as token, user and repo are what they were."""

    token: str
    user: int
    repo: int
    epoch: int

    def check(self, store: Store) -> Repo:
        """Return the repo. Raise HttpError 403 when the right is gone; in a transaction it then stays till its end."""
        user = store.users.holder(self.user, self.token)
        repo = store.repos.at(self.repo, self.epoch)
        if user is None or user.role != "write" or repo is None or not user.belongs_to(repo.namespace):
            raise HttpError(403, _DEAD)
        return repo

    def keep(self, store: Store, blob: NewBlob) -> None:
        """Keep a blob that came by this right. Raise HttpError 403 when it is gone."""
        self.check(store)  # before the blob lies where only a collector would take it away
        store.blobs.place([blob])
        with store.database.transaction() as connection:
            store.blobs.keep(connection, self.check(store).id, [blob])


def issue(store: ServedStore, user: User, repo: Repo, expires: int, *purpose: str) -> str:
    """Return a writer's capability for a purpose, as text that fits a header and a segment of a path."""
    text = f"{user.token}.{user.id}.{repo.id}.{repo.epoch}.{expires}"
    return f"{text}.{_signature(store, text, *purpose)}"


def accept(store: ServedStore, text: str, *purpose: str) -> Capability:
    """Return the capability that `issue` wrote. Raise HttpError 403 for any other text, and for a dead one."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise HttpError(403, _DEAD)
    token, user, repo, epoch, expires, signature = match.groups()
    right = _signature(store, text.rpartition(".")[0], *purpose)
    if not hmac.compare_digest(signature, right) or int(expires) < time.time():
        raise HttpError(403, _DEAD)
    capability = Capability(token, int(user), int(repo), int(epoch))
    capability.check(store)
    return capability


def _signature(store: ServedStore, *parts: str) -> str:
    text = "\n".join(parts).encode("utf-8", "replace")
    return hmac.new(store.signing_key, text, hashlib.sha256).hexdigest()
