"""Find and load plugins, each by itself: a broken one is recorded with its cause, and everything else works.

pluggy's `load_setuptools_entrypoints` is not used: it stops at the first broken plugin, and of two distributions with
the same entry-point name it silently drops one.
"""

import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, PackageMetadata, distributions
from typing import Any, cast

import pluggy

from zoo.extras import install_command
from zoo.registry.command_names import COMMANDS
from zoo.registry.patience import Patience
from zoo.specs import hooks
from zoo.specs.records import Spec, singular
from zoo.version import __version__

CORE = "zoo-hub"
_AT_LEAST = re.compile(r"zoo-hub(?:\[[a-z,]+\])? ?\(?>= ?([\d.]+)\)?", re.ASCII)
_RELEASE = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
SLOW_IMPORT_SECONDS = 5.0
MOST_OFFERS = 10_000
LONGEST_HOOK_SECONDS = 30.0
TOLD_AFTER_SECONDS = 10.0
"""What one hook may yield, and how long it may take to: one without an end would keep every command waiting.

Whom a command waits for is said sooner.
"""


class HookError(Exception):
    """A hook of a plugin raised, or yielded something that is no spec."""


@dataclass
class Plugin:
    """One entry point: what it offers, or why it failed."""

    distribution: str
    version: str
    entry_point: str
    offers: dict[str, list[Any]] = field(default_factory=dict)
    error: str | None = None
    traceback: str | None = None
    seconds: float = 0.0
    deprecated: list[str] = field(default_factory=list)
    """What is said of hooks that it has and that go in a later zoo."""

    @property
    def slow(self) -> bool:
        """Tell whether importing it took longer than anybody should wait."""
        return self.seconds > SLOW_IMPORT_SECONDS


def load_plugins(core: tuple[str, ...] = ()) -> list[Plugin]:
    """Load what the core offers, then every installed plugin that `ZOO_LOAD_PLUGINS` lets in.

    The variable is a comma list of distribution or entry-point names; empty means none, unset means all.
    """
    found = list(_entry_points())
    patience = Patience(TOLD_AFTER_SECONDS, sorted({_normal(distribution) for _, distribution in found}))
    own = Plugin(CORE, __version__, "zoo")
    for module in core:
        for kind, specs in _collect(import_module(module), f"{CORE}:{module}", own, patience).items():
            own.offers.setdefault(kind, []).extend(specs)
    built_in = {(kind, spec.name) for kind, specs in own.offers.items() for spec in specs}
    built_in |= {("commands", name) for name in COMMANDS}
    with patience.watching() if found else nullcontext():
        return [own, *(_load(entry_point, distribution, built_in, patience) for entry_point, distribution in found)]


def _entry_points() -> Iterator[tuple[EntryPoint, Distribution]]:
    allowed = os.environ.get("ZOO_LOAD_PLUGINS")
    names = None if allowed is None else {name.strip() for name in allowed.split(",")}
    seen: set[str] = set()
    found = []
    for distribution in distributions():
        entry_points = distribution.entry_points.select(group="zoo")
        if not entry_points or (key := _normal(distribution)) in seen:
            continue  # a distribution that lies on the path twice counts once, as it does for import
        seen.add(key)
        found += [(entry_point, distribution) for entry_point in entry_points]
    for entry_point, distribution in sorted(found, key=lambda item: (_normal(item[1]), item[0].name)):
        if names is None or entry_point.name in names or _normal(distribution) in names:
            yield entry_point, distribution


@cache
def _metadata(distribution: Distribution) -> PackageMetadata:
    """Return a distribution's metadata, which are otherwise read and parsed each time."""
    return distribution.metadata


def _normal(distribution: Distribution) -> str:
    """Return a distribution's name; of one without, what its entry points import."""
    if name := _metadata(distribution)["Name"]:
        return str(name).lower().replace("_", "-")
    first = next(iter(distribution.entry_points.select(group="zoo")), None)
    return f"{first.value.split(':')[0] if first else 'a distribution'} (without a Name)"


def _load(
    entry_point: EntryPoint, distribution: Distribution, built_in: set[tuple[str, str]], patience: Patience
) -> Plugin:
    plugin = Plugin(_normal(distribution), str(_metadata(distribution)["Version"] or "?"), entry_point.name)
    if not _metadata(distribution)["Name"]:
        plugin.error = "its metadata have no Name; build and install it again"
        return plugin
    _fill(plugin, entry_point, built_in, patience, distribution)
    return plugin


def load_unbuilt(distribution: str, version: str, entry_point: EntryPoint) -> Plugin:
    """Load one entry point of a distribution that is not installed, but just being built."""
    plugin = Plugin(distribution, version, entry_point.name)
    _fill(plugin, entry_point, {("commands", name) for name in COMMANDS}, Patience(TOLD_AFTER_SECONDS, [distribution]))
    return plugin


def _fill(
    plugin: Plugin,
    entry_point: EntryPoint,
    built_in: set[tuple[str, str]],
    patience: Patience,
    distribution: Distribution | None = None,
) -> None:
    """Import a plugin and ask its hooks; what goes wrong, also with what its distribution asks for, is kept in it."""
    start, streams = time.perf_counter(), (sys.stdout, sys.stderr)
    try:
        if distribution is not None and (refused := _other_version(distribution)):
            plugin.error = refused
            return
        with patience.waiting(plugin.distribution):
            module = entry_point.load()
            plugin.offers = _collect(module, f"{plugin.distribution}:{plugin.entry_point}", plugin, patience)
        for kind, specs in plugin.offers.items():
            for spec in specs:
                if (kind, spec.name) in built_in:
                    raise ValueError(f"{singular(kind)} {spec.name!r} is built into zoo; give it another name")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and the like at import must not take the host down
        plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ").rstrip(": ")
        plugin.traceback = "".join(traceback.format_exception(error))
    finally:
        sys.stdout, sys.stderr = streams  # a plugin that took them away would end every command
    plugin.seconds = time.perf_counter() - start


def _other_version(distribution: Distribution) -> str | None:
    """Return why this zoo is not the one that the distribution asks for, from its own metadata, before any import."""
    for line in _metadata(distribution).get_all("Requires-Dist") or distribution.requires or ():
        if not line.replace("_", "-").lower().startswith(CORE) or not set(line) & set("<>=!~"):
            continue
        if _plainly_met(line):
            continue
        from packaging.requirements import Requirement

        requirement = Requirement(line)
        if requirement.name.replace("_", "-").lower() != CORE or (
            requirement.marker and not requirement.marker.evaluate()
        ):
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            name = _normal(distribution)
            return f"needs zoo {requirement.specifier} (this is {__version__}); {install_command(name)} --upgrade"
    return None


def _plainly_met(line: str) -> bool:
    """Tell of `zoo-hub>=0.1` and the like, which nearly every plugin asks for, without importing packaging.

    That import would be a fifth of the time that `zoo list` takes.
    """
    least = _AT_LEAST.fullmatch(line)
    releases = [_RELEASE.fullmatch(version) for version in (least[1], __version__)] if least else []
    if not releases or not all(releases):
        return False
    asked, own = ([int(part) for part in release[0].split(".")] for release in releases if release)
    return asked <= own


def _collect(module: object, provider: str, plugin: Plugin, patience: Patience) -> dict[str, list[Spec]]:
    """Return what the module's hooks yield, kind by kind; on the way, keep in `plugin.offers` what was seen so far."""
    manager = pluggy.PluginManager("zoo")
    manager.add_hookspecs(hooks)
    with warnings.catch_warnings(record=True) as told:  # of specs with warn_on_impl
        warnings.simplefilter("always")
        manager.register(module, name=provider)
    plugin.deprecated += [str(warning.message) for warning in told]
    try:
        manager.check_pending()  # a misspelt hook is an error, not silence
    except pluggy.PluginValidationError as error:
        unknown = str(error).split("'")[1]
        with patience.limited(LONGEST_HOOK_SECONDS):
            plugin.offers = _meant(manager, unknown)
        raise ValueError(f"unknown hook {unknown!r}; hooks are {', '.join(_hook_names())}") from None
    seen: dict[str, list[Spec]] = {}
    for kind, spec_type in hooks.SPEC_TYPES.items():
        for implementation in getattr(manager.hook, f"zoo_{kind}").get_hookimpls():
            specs = seen.setdefault(kind, [])
            if plugin.distribution != CORE:
                plugin.offers = seen  # a hook that raises half-way still says what it was about to offer
            try:
                with patience.limited(LONGEST_HOOK_SECONDS):
                    for spec in _bounded(implementation.function()):
                        if not isinstance(spec, spec_type):
                            raise TypeError(f"yielded a {type(spec).__name__}, not a {spec_type.__name__}")
                        specs.append(cast(Spec, spec))
            except Exception as error:
                raise HookError(f"hook zoo_{kind}: {type(error).__name__}: {error}") from error
    if not manager.get_hookcallers(module):
        raise ValueError("no hooks found; mark at least one function with @zoo.hookimpl: " + ", ".join(_hook_names()))
    return seen


def _bounded(specs: Iterable[Any]) -> Iterator[Any]:
    """Yield what a hook does. Raise RuntimeError where it finds no end."""
    latest = time.monotonic() + LONGEST_HOOK_SECONDS
    for count, spec in enumerate(specs):
        if count >= MOST_OFFERS:
            raise RuntimeError(f"yields more than {MOST_OFFERS:,} specs")
        if time.monotonic() > latest:
            raise RuntimeError(f"yields for more than {LONGEST_HOOK_SECONDS:.0f} s")
        yield spec


def _meant(manager: pluggy.PluginManager, unknown: str) -> dict[str, list[Spec]]:
    """Return what a misspelt hook would have offered, so that asking for it can say why it is not there."""
    found: dict[str, list[Spec]] = {}
    kinds = {spec_type: kind for kind, spec_type in hooks.SPEC_TYPES.items()}
    with suppress(Exception):
        for implementation in getattr(manager.hook, unknown).get_hookimpls():
            for spec in _bounded(implementation.function()):
                found.setdefault(kinds[type(spec)], []).append(spec)
    return found


def _hook_names() -> list[str]:
    return [f"zoo_{kind}" for kind in hooks.SPEC_TYPES]
