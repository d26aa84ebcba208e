"""Users, the namespaces that they read or write, and their tokens. Of a token the Hub keeps the hash alone."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

from zoo.hub.server import audit
from zoo.hub.server.database import Database
from zoo.hub.server.dates import day, timestamp
from zoo.hub.server.repos import Repo

OWNER = "zoo"
_TOKEN = "substr(hash, 1, 16)"
_VALID = "NOT EXISTS (SELECT 1 FROM token_times AS times WHERE times.hash=tokens.hash AND expires<=?)"
_HOLDER = f"users.id, name, owner, role, label, {_TOKEN} FROM tokens JOIN users ON user=users.id"


@dataclass(frozen=True)
class User:
    """Who a token belongs to, and what it is good for: `role` is read or write. The owner may do everything.

    `token` tells the user's tokens apart: the beginning of its hash. `namespaces` are written to, `read` only read.
    """

    id: int
    name: str
    owner: bool
    namespaces: tuple[str, ...]
    role: str = "write"
    label: str = ""
    token: str = ""
    read: tuple[str, ...] = ()

    def belongs_to(self, namespace: str) -> bool:
        """Tell whether a namespace is this user's to write to."""
        return self.owner or namespace.lower() in [name.lower() for name in (self.name, *self.namespaces)]

    def may_read(self, namespace: str) -> bool:
        """Tell whether a namespace's private and gated repos are this user's to read."""
        return self.belongs_to(namespace) or namespace.lower() in [name.lower() for name in self.read]


class Token(NamedTuple):
    """What is known of a token: times are seconds, or None for never."""

    label: str
    role: str
    created: str
    expires: float | None
    used: float | None


class Users:
    """The users of a Hub."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: dict[str, float] = {}

    def add(self, name: str, namespaces: tuple[str, ...] = (), *, owner: bool = False) -> bool:
        """Make a user; False when there is one, who then gets the namespaces too."""
        with self._database.transaction() as connection:
            values = (name, owner, timestamp())
            made = connection.execute("INSERT OR IGNORE INTO users (name, owner, created) VALUES (?,?,?)", values)
            (user,) = connection.execute("SELECT id FROM users WHERE name=?", (name,)).fetchone()
            rows = [(user, namespace) for namespace in namespaces]
            connection.executemany("INSERT OR IGNORE INTO namespaces VALUES (?,?)", rows)
            detail = ", ".join((*(f"writes to {namespace}" for namespace in namespaces), *(["owner"] if owner else [])))
            audit.note(connection, "user.add" if made.rowcount else "user.change", name, detail)
        return made.rowcount == 1

    def give(self, user: User, namespace: str, right: Literal["read", "write", "none"]) -> None:
        """Let a user read or write a namespace, or neither."""
        with self._database.transaction() as connection:
            for table in ("namespaces", "readers"):
                connection.execute(f"DELETE FROM {table} WHERE user=? AND namespace=?", (user.id, namespace))
            if right != "none":
                table = "namespaces" if right == "write" else "readers"
                connection.execute(f"INSERT INTO {table} VALUES (?,?)", (user.id, namespace))
            audit.note(connection, "user.access", user.name, f"{right} {namespace}")

    def remove(self, name: str) -> bool:
        """Remove a user with all tokens; False when there is none. Repos stay."""
        with self._database.transaction() as connection:
            removed = connection.execute("DELETE FROM users WHERE name=?", (name,)).rowcount == 1
            if removed:
                audit.note(connection, "user.remove", name)
        return removed

    def all(self) -> list[User]:
        """Return every user by name."""
        rows = self._database.rows("SELECT id, name, owner FROM users ORDER BY name")
        return [self._user(*row) for row in rows]

    def find(self, name: str) -> User | None:
        """Return a user by name."""
        row = self._database.row("SELECT id, name, owner FROM users WHERE name=?", name)
        return self._user(*row) if row else None

    def _user(self, id_: int, name: str, owner: int, role: str = "write", label: str = "", token: str = "") -> User:
        query = """SELECT namespace, 1 FROM namespaces WHERE user=?1 UNION ALL
                   SELECT namespace, 0 FROM readers WHERE user=?1 ORDER BY 1"""
        rows = self._database.rows(query, id_)
        written, read = (tuple(str(row[0]) for row in rows if row[1] == writes) for writes in (1, 0))
        return User(id_, name, bool(owner), written, role, label, token, read)

    def new_token(self, user: User, label: str, role: str, expires: float | None = None) -> str:
        """Make a token, good until a time if one is given, and return it, for the only time."""
        token = f"zoo_{secrets.token_urlsafe(32)}"
        self.admit(token, user, label, role, expires)
        return token

    def admit(self, token: str, user: User, label: str, role: str = "write", expires: float | None = None) -> None:
        """Take a token as the user's; one of the same label no longer counts."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE user=? AND label=?", (user.id, label))
            values = (_hash(token), user.id, label, role, timestamp())
            connection.execute("INSERT INTO tokens VALUES (?,?,?,?,?)", values)
            connection.execute("INSERT INTO token_times VALUES (?,?,NULL)", (_hash(token), expires))
            until = "" if expires is None else f", until {day(expires)}"
            audit.note(connection, "token.make", user.name, f"{label} ({role}{until})")

    def remove_token(self, user: User, label: str) -> bool:
        """Revoke a token; False when there is none of that label."""
        with self._database.transaction() as connection:
            change = "DELETE FROM tokens WHERE user=? AND label=?"
            removed = connection.execute(change, (user.id, label)).rowcount > 0
            if removed:
                audit.note(connection, "token.revoke", user.name, label)
        return removed

    def tokens(self, user: User) -> list[Token]:
        """Return a user's tokens."""
        query = """SELECT label, role, created, expires, used FROM tokens LEFT JOIN token_times USING (hash)
                   WHERE user=? ORDER BY created"""
        return [Token(*row) for row in self._database.rows(query, user.id)]

    def identify(self, token: str) -> User | None:
        """Return whose token this is; None for one that is over."""
        digest = _hash(token)
        row = self._database.row(f"SELECT hash, {_HOLDER} WHERE hash=? AND {_VALID}", digest, time.time())
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        return self._user(*row[1:])

    def use(self, user: User) -> None:
        """Note that a user's token was used."""
        self._used[user.token] = time.time()

    def uses(self) -> dict[str, float]:
        """Return when tokens were used since this was asked last, by what tells them apart."""
        used, self._used = self._used, {}
        return used

    def note_uses(self, uses: dict[str, float]) -> None:
        """Write down when tokens were used."""
        if not uses:
            return
        with self._database.transaction() as connection:
            for token, moment in uses.items():
                hashes = connection.execute(f"SELECT hash FROM tokens WHERE {_TOKEN}=?", (token,)).fetchall()
                change = """INSERT INTO token_times VALUES (?1,NULL,?2) ON CONFLICT DO UPDATE SET used=?2"""
                connection.executemany(change, [(hash_, moment) for (hash_,) in hashes])

    def holder(self, user: int, token: str) -> User | None:
        """Return a user as a token of theirs makes them now; None when either is gone."""
        query = f"SELECT {_HOLDER} WHERE user=? AND {_TOKEN}=? AND {_VALID}"
        row = self._database.row(query, user, token, time.time())
        return self._user(*row) if row else None

    def grant(self, repo: Repo, user: User) -> None:
        """Let a user have a gated repo's files."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO grants VALUES (?,?,?)", (repo.id, user.id, timestamp()))
            audit.note(connection, "access.grant", repo.web_id, user.name)

    def revoke(self, repo: Repo, user: User) -> None:
        """Take back what was granted."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM grants WHERE repo=? AND user=?", (repo.id, user.id))
            audit.note(connection, "access.revoke", repo.web_id, user.name)

    def granted(self, repo: Repo) -> list[tuple[User, str]]:
        """Return who was granted a gated repo's files, and when."""
        query = "SELECT users.id, name, owner, time FROM grants JOIN users ON user=users.id WHERE repo=? ORDER BY name"
        return [(self._user(*row[:3]), str(row[3])) for row in self._database.rows(query, repo.id)]

    def has_grant(self, repo: Repo, user: User) -> bool:
        """Tell whether a user was granted a gated repo's files."""
        return self._database.row("SELECT 1 FROM grants WHERE repo=? AND user=?", repo.id, user.id) is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
