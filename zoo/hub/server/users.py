"""Users, their namespaces and their tokens. Of a token the Hub keeps the hash alone."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from zoo.hub.server.database import Database
from zoo.hub.server.repos import Repo, timestamp

OWNER = "zoo"
_TOKEN = "substr(hash, 1, 16)"
_HOLDER = f"users.id, name, owner, role, label, {_TOKEN} FROM tokens JOIN users ON user=users.id"


@dataclass(frozen=True)
class User:
    """Who a token belongs to, and what it is good for: `role` is read or write. The owner may do everything.

    `token` tells the user's tokens apart: the beginning of its hash.
    """

    id: int
    name: str
    owner: bool
    namespaces: tuple[str, ...]
    role: str = "write"
    label: str = ""
    token: str = ""

    def belongs_to(self, namespace: str) -> bool:
        """Tell whether a namespace is this user's."""
        return self.owner or namespace.lower() in [name.lower() for name in (self.name, *self.namespaces)]


class Users:
    """The users of a Hub."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, namespaces: tuple[str, ...] = (), *, owner: bool = False) -> bool:
        """Make a user; False when there is one, who then gets the namespaces too."""
        with self._database.transaction() as connection:
            values = (name, owner, timestamp())
            made = connection.execute("INSERT OR IGNORE INTO users (name, owner, created) VALUES (?,?,?)", values)
            (user,) = connection.execute("SELECT id FROM users WHERE name=?", (name,)).fetchone()
            rows = [(user, namespace) for namespace in namespaces]
            connection.executemany("INSERT OR IGNORE INTO namespaces VALUES (?,?)", rows)
        return made.rowcount == 1

    def remove(self, name: str) -> bool:
        """Remove a user with all tokens; False when there is none. Repos stay."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM users WHERE name=?", (name,)).rowcount == 1

    def all(self) -> list[User]:
        """Return every user by name."""
        rows = self._database.rows("SELECT id, name, owner FROM users ORDER BY name")
        return [self._user(*row) for row in rows]

    def find(self, name: str) -> User | None:
        """Return a user by name."""
        row = self._database.row("SELECT id, name, owner FROM users WHERE name=?", name)
        return self._user(*row) if row else None

    def _user(self, id_: int, name: str, owner: int, role: str = "write", label: str = "", token: str = "") -> User:
        rows = self._database.rows("SELECT namespace FROM namespaces WHERE user=? ORDER BY namespace", id_)
        return User(id_, name, bool(owner), tuple(str(row[0]) for row in rows), role, label, token)

    def new_token(self, user: User, label: str, role: str) -> str:
        """Make a token and return it, for the only time."""
        token = f"zoo_{secrets.token_urlsafe(32)}"
        self.admit(token, user, label, role)
        return token

    def admit(self, token: str, user: User, label: str, role: str = "write") -> None:
        """Take a token as the user's; one of the same label no longer counts."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE user=? AND label=?", (user.id, label))
            values = (_hash(token), user.id, label, role, timestamp())
            connection.execute("INSERT INTO tokens VALUES (?,?,?,?,?)", values)

    def remove_token(self, user: User, label: str) -> bool:
        """Revoke a token; False when there is none of that label."""
        with self._database.transaction() as connection:
            change = "DELETE FROM tokens WHERE user=? AND label=?"
            return connection.execute(change, (user.id, label)).rowcount > 0

    def tokens(self, user: User) -> list[tuple[str, str, str]]:
        """Return label, role and date of a user's tokens."""
        query = "SELECT label, role, created FROM tokens WHERE user=? ORDER BY created"
        return [(row[0], row[1], row[2]) for row in self._database.rows(query, user.id)]

    def identify(self, token: str) -> User | None:
        """Return whose token this is."""
        digest = _hash(token)
        row = self._database.row(f"SELECT hash, {_HOLDER} WHERE hash=?", digest)
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        return self._user(*row[1:])

    def holder(self, user: int, token: str) -> User | None:
        """Return a user as a token of theirs makes them now; None when either is gone."""
        row = self._database.row(f"SELECT {_HOLDER} WHERE user=? AND {_TOKEN}=?", user, token)
        return self._user(*row) if row else None

    def grant(self, repo: Repo, user: User) -> None:
        """Let a user have a gated repo's files."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO grants VALUES (?,?,?)", (repo.id, user.id, timestamp()))

    def revoke(self, repo: Repo, user: User) -> None:
        """Take back what was granted."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM grants WHERE repo=? AND user=?", (repo.id, user.id))

    def granted(self, repo: Repo) -> list[tuple[User, str]]:
        """Return who was granted a gated repo's files, and when."""
        query = "SELECT users.id, name, owner, time FROM grants JOIN users ON user=users.id WHERE repo=? ORDER BY name"
        return [(self._user(*row[:3]), str(row[3])) for row in self._database.rows(query, repo.id)]

    def has_grant(self, repo: Repo, user: User) -> bool:
        """Tell whether a user was granted a gated repo's files."""
        return self._database.row("SELECT 1 FROM grants WHERE repo=? AND user=?", repo.id, user.id) is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
