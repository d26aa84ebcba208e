"""What an index says of a plugin: its wheel's metadata, its manifest, and what the conformance suite said."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from packaging.version import InvalidVersion, Version

from zoo.authoring.manifest import Offered
from zoo.errors import IntegrityError
from zoo.specs.hooks import SPEC_TYPES

INDEX_FILE = "index.json"
SCHEMA_VERSION = 1
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,94}[a-z0-9])?", re.ASCII)
_OFFER = re.compile(r"[a-z0-9][a-z0-9_-]{0,95}", re.ASCII)


class Conformance(Struct, frozen=True, kw_only=True):
    """How many tests of the suite a plugin passed with one version of Zoo, and on which day. `failing` names offers."""

    zoo: str
    torch: str
    python: str
    date: str
    passed: int
    failed: int
    skipped: int
    failing: tuple[str, ...] = ()


class Indexed(Struct, frozen=True, kw_only=True):
    """One version of a plugin in an index. `conformance` is that with the last versions of Zoo, the newest first."""

    name: str
    version: str
    summary: str
    license: str
    requires: tuple[str, ...]
    wheel: str
    size: int
    offers: dict[str, tuple[Offered, ...]]
    conformance: tuple[Conformance, ...] = ()

    @property
    def tasks(self) -> list[str]:
        """The tasks that it offers, and those of its models and recipes."""
        return self._words("task", "tasks")

    @property
    def modalities(self) -> list[str]:
        """The kinds of data that it offers, and those of whatever else it offers."""
        return self._words("modality", "modalities")

    def _words(self, fact: str, kind: str) -> list[str]:
        words = {getattr(offer, fact) for offers in self.offers.values() for offer in offers}
        words |= {offer.name for offer in self.offers.get(kind, ())}
        return sorted(word for word in words if word)

    def record(self) -> dict[str, Any]:
        """Return what index.json has of it."""
        known: dict[str, Any] = msgspec.to_builtins(self)
        return {**known, "tasks": self.tasks, "modalities": self.modalities}


def newest_first(plugins: Iterable[Indexed]) -> list[Indexed]:
    """Return plugins by name, and of each the newest version first."""
    by_version = sorted(plugins, key=lambda plugin: Version(plugin.version), reverse=True)
    return sorted(by_version, key=lambda plugin: plugin.name)


def check_names(name: str, version: str, offers: dict[str, tuple[Offered, ...]], source: str) -> None:
    """Raise IntegrityError for names that no distribution, version or offer can have: they go into paths and tables."""
    if not _NAME.fullmatch(name):
        raise IntegrityError(f"{source} names a plugin {name[:100]!r}, which no distribution can be called")
    check_version(version, source)
    for kind, found in offers.items():
        if kind not in SPEC_TYPES:
            raise IntegrityError(f"{source} offers {kind[:100]!r}, which is no kind of offer that this zoo knows")
        for offer in found:
            words = (offer.name, offer.family, offer.modality, offer.task, offer.stage, *offer.capabilities)
            if bad := [word for word in words if word is not None and not _OFFER.fullmatch(word)]:
                raise IntegrityError(f"{source} has the name {bad[0][:100]!r} among its {kind}, which none can have")


def check_version(version: str, source: str) -> None:
    """Raise IntegrityError for what is no version as PEP 440 writes them."""
    try:
        if str(Version(version)) != version or len(version) > 60:
            raise InvalidVersion
    except InvalidVersion:
        raise IntegrityError(f"{source} has the version {version[:100]!r}, which is none in its plain form") from None
