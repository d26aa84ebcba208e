"""Every exception that Zoo raises for its user.

    ZooError                 1   the root; `except zoo.ZooError` catches all of them
    ├── UsageError           2   a wrong argument, setting or option
    ├── NotFoundError        3   no such model, weights, repo, revision, file
    ├── AuthorizationError   4   the Hub wants a token, another token, or an agreement
    ├── IntegrityError       5   bytes, hashes, tensors or configuration are not what they should be
    ├── NetworkError         6   the Hub cannot be reached, or broke off
    ├── StorageError         7   a disk is full, or a folder cannot be written
    ├── PluginError          8   a plugin is broken, or two of them disagree
    ├── DataError            9   a data set is missing, unreadable or inconsistent
    └── TrainingError        9   training cannot go on
        └── PeerLostError    9   another process of a run has gone

The number is the exit code that the shell gets. A message is one line: what was asked, why it fails, what to type next.
"""

from zoo.printable import printable
from zoo.redaction import without_secrets


class ZooError(Exception):
    """An error to show to the user as it stands: its message holds no secret, and nothing that a terminal obeys."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(without_secrets(message), lines=True))


class UsageError(ZooError, ValueError):
    """A wrong argument, setting or option."""

    exit_code = 2


class NotFoundError(ZooError, LookupError):
    """Nothing has the name that was asked for."""

    exit_code = 3


class AuthorizationError(ZooError):
    """The Hub refuses this user."""

    exit_code = 4


class IntegrityError(ZooError):
    """Bytes, hashes, tensors or configuration are not what they should be."""

    exit_code = 5


class NetworkError(ZooError):
    """The Hub cannot be reached, or broke off."""

    exit_code = 6


class StorageError(ZooError):
    """A disk is full, or a folder cannot be written."""

    exit_code = 7


class PluginError(ZooError):
    """A plugin is broken, or two of them disagree."""

    exit_code = 8


class DataError(ZooError):
    """A data set is missing, unreadable or inconsistent."""

    exit_code = 9


class TrainingError(ZooError):
    """Training cannot go on."""

    exit_code = 9


class PeerLostError(TrainingError):
    """Another process of a run has gone, and this one cannot go on without it."""
