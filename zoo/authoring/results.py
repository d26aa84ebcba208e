"""Dated results of the conformance suite: written by `zoo plugins check --json`, shown by `zoo plugins index`."""

import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

import msgspec
from msgspec import Struct
from packaging.version import Version

from zoo.authoring.checking import Checked
from zoo.authoring.indexed import Conformance, check_version
from zoo.errors import IntegrityError
from zoo.registry.plugins import CORE
from zoo.strict_json import parse_json

SCHEMA_VERSION = 1
LAST_VERSIONS = 2
"""With how many versions of Zoo an index shows results."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OFFER = re.compile(r"[a-z]+ [a-z0-9][a-z0-9_-]{0,95}", re.ASCII)


class Report(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the suite said of a distribution, on which day and beside which versions."""

    schema_version: int
    distribution: str
    version: str
    zoo: str
    torch: str
    python: str
    date: str
    results: tuple[Checked, ...]

    @property
    def conformance(self) -> Conformance:
        """Return what an index shows of it."""
        return Conformance(
            zoo=self.zoo,
            torch=self.torch,
            python=self.python,
            date=self.date,
            passed=sum(result.passed for result in self.results),
            failed=sum(len(result.failed) for result in self.results),
            skipped=sum(len(result.skipped) for result in self.results),
            failing=tuple(f"{result.kind} {result.name}" for result in self.results if result.failed),
        )


def report_of(distribution: str, results: Sequence[Checked]) -> Report:
    """Return results of a distribution that is installed, with today's date and what it ran beside."""
    return Report(
        schema_version=SCHEMA_VERSION,
        distribution=distribution,
        version=version_of(distribution),
        zoo=version_of(CORE),
        torch=version_of("torch"),
        python=platform.python_version(),
        date=datetime.now(UTC).date().isoformat(),
        results=tuple(results),
    )


def read_report(path: Path) -> Report:
    """Read results that a stranger may have written. Raise IntegrityError for a file that holds none."""
    try:
        value = parse_json(path.read_bytes(), str(path))
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}; check the path") from None
    if value.get("schema_version") != SCHEMA_VERSION:
        raise IntegrityError(f"{path} has another schema_version than {SCHEMA_VERSION}; upgrade zoo-hub")
    try:
        found = msgspec.convert(value, Report)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path} holds no results: {error}; write it: zoo plugins check PLUGIN --json") from None
    for version in (found.version, found.zoo, found.torch, found.python):
        check_version(version, str(path))
    if not _DATE.fullmatch(found.date):
        raise IntegrityError(f"{path} has the date {found.date[:30]!r}, and not one such as 2026-01-31")
    if bad := [name for name in found.conformance.failing if not _OFFER.fullmatch(name)]:
        raise IntegrityError(f"{path} names an offer {bad[0][:100]!r}, which none can be called")
    return found


def last_results(reports: Sequence[Report]) -> tuple[Conformance, ...]:
    """Return the newest results with each of the last versions of Zoo, the newest version first."""
    newest = {report.zoo: report.conformance for report in sorted(reports, key=lambda report: report.date)}
    return tuple(newest[zoo] for zoo in sorted(newest, key=Version, reverse=True)[:LAST_VERSIONS])
