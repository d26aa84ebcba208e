"""Install and remove plugins by the pip of this very environment, after it has said what would change.

What depends on what is pip's own matter: its report of a dry run is read, and nothing is resolved here.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from zoo.errors import NetworkError, PluginError, UsageError
from zoo.registry.plugins import CORE

_QUIET = ("--disable-pip-version-check", "--no-input", "--quiet")
_UNREACHED = ("Temporary failure", "Connection", "NewConnectionError", "timed out", "Max retries")


@dataclass(frozen=True)
class Change:
    """One distribution that would be installed: `before` is the version that is here, None without any."""

    name: str
    version: str
    before: str | None
    asked_for: bool

    @property
    def older(self) -> bool:
        """Tell whether an older version would take the place of what is here."""
        try:
            return self.before is not None and Version(self.version) < Version(self.before)
        except InvalidVersion:
            return False

    def described(self) -> str:
        """Return the change as people read it."""
        if self.before is None:
            return f"install {self.name} {self.version}"
        if self.before == self.version:
            return f"install {self.name} {self.version} again"
        return f"{'downgrade' if self.older else 'upgrade'} {self.name} {self.before} -> {self.version}"


def planned(what: str, *, upgrade: bool = False) -> list[Change]:
    """Return what would change, from pip's own dry run.

    `what` is a requirement, such as zoo-birds or zoo-birds>=2, a git URL, a wheel or a folder. Raise UsageError where
    pip finds no way, and NetworkError where it reaches nobody.
    """
    report = _pip("install", "--dry-run", "--report", "-", *_upgrading(upgrade), _checked(what))
    changes = [_change(item) for item in json.loads(report)["install"]]
    return sorted(changes, key=lambda change: (not change.asked_for, change.name))


def install(what: str, changes: list[Change], *, upgrade: bool = False) -> list[str]:
    """Install what was planned; return the names of the plugins that came.

    Raise UsageError, before anything is done, where something here would be replaced by an older version, and
    PluginError where what was installed is no plugin.
    """
    if older := [change for change in changes if change.older]:
        lost = ", ".join(change.described() for change in older)
        raise UsageError(
            f"{what} would {lost}; nothing was installed. Ask for another version of it, or, if that is meant: "
            f"pip install {what}"
        )
    _pip("install", *_upgrading(upgrade), _checked(what))
    asked = [change.name for change in changes if change.asked_for]
    if not asked:
        return []
    plugins = [name for name in asked if is_plugin(name)]
    if not plugins:
        raise PluginError(f"{', '.join(asked)} was installed, and is no plugin of zoo: pip uninstall {' '.join(asked)}")
    return plugins


def uninstall(name: str) -> None:
    """Remove a plugin. It is not imported, so that a broken one goes too.

    Raise UsageError for zoo-hub itself and for what is no plugin or not here.
    """
    check_removable(name)
    _pip("uninstall", "--yes", name)


def check_removable(name: str) -> None:
    """Raise UsageError for what `uninstall` would not remove."""
    if name == CORE:
        raise UsageError(f"{CORE} is zoo itself; pip uninstall {CORE} removes it")
    found = _distribution(name)
    if found is None:
        raise UsageError(f"no plugin {name!r} is installed here; `zoo plugins` lists what is")
    if not found.entry_points.select(group="zoo"):
        raise UsageError(f"{name} is no plugin of zoo; pip uninstall {name} removes it")


def is_plugin(name: str) -> bool:
    """Tell whether an installed distribution has an entry point of zoo. It is not imported."""
    found = _distribution(name)
    return found is not None and bool(found.entry_points.select(group="zoo"))


def installed_version(name: str) -> str | None:
    """Return which version of a distribution is installed here."""
    found = _distribution(name)
    return found.version if found else None


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None


def _change(item: dict[str, Any]) -> Change:
    name, version = item["metadata"]["name"], item["metadata"]["version"]
    return Change(name, version, installed_version(name), bool(item.get("requested")))


def _checked(what: str) -> str:
    """Return what pip is given: never an option, and a folder as a path, since a bare name means PyPI."""
    if what.startswith("-") or not what.strip():
        raise UsageError(f"{what!r} is no plugin; give a name, a git URL (git+https://…), a wheel or a folder")
    if what.startswith((os.curdir, os.sep)) and not Path(what).exists():
        raise UsageError(f"no folder or wheel {what} to install; check the path")
    return str(Path(what).absolute()) if os.sep in what and Path(what).exists() else what


def _upgrading(upgrade: bool) -> list[str]:
    return ["--upgrade"] if upgrade else []


def _pip(command: str, *arguments: str) -> str:
    if find_spec("pip") is None:
        raise UsageError(
            "this environment has no pip; python -m ensurepip adds it, or use your own, such as "
            f"uv pip {command} {arguments[-1]}"
        )
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, *_QUIET, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line.removeprefix("ERROR: ") for line in done.stderr.split("\n") if line.startswith("ERROR: ")]
        reason = lines[0] if lines else (done.stderr.strip() or "no reason given").split("\n")[-1]
        if any(word in done.stderr for word in _UNREACHED):
            raise NetworkError(f"pip {command} {arguments[-1]} reaches nobody: {reason}; try again with a network")
        raise UsageError(f"pip {command} {arguments[-1]} fails: {reason}; correct the name or the version")
    return done.stdout
