"""A plugin's manifest: what it offers, as data that is read without importing it. It travels in the package.

`zoo-plugin.json` lies beside the package's `__init__.py`, so that every build takes it along.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from zoo.authoring.loaded import loaded_plugins
from zoo.errors import IntegrityError, UsageError
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry
from zoo.specs.hooks import SPEC_TYPES
from zoo.strict_json import parse_json

FILE = "zoo-plugin.json"
SCHEMA_VERSION = 1
_MAX_BYTES = 1024 * 1024
_FACTS = ("family", "modality", "task", "stage", "license", "parameters", "hub_tag", "capabilities")


class Offered(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One thing that a plugin offers."""

    name: str
    summary: str
    family: str | None = None
    modality: str | None = None
    task: str | None = None
    stage: str | None = None
    license: str | None = None
    parameters: int | None = None
    hub_tag: str | None = None
    capabilities: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a plugin says of itself."""

    schema_version: int
    distribution: str
    version: str
    offers: dict[str, tuple[Offered, ...]]


def manifest_of(name: str, registry: Registry) -> Manifest:
    """Return the manifest of an installed plugin, from what its hooks yield.

    Raise UsageError for one that is not here, and PluginError for one that did not load.
    """
    return manifest_from(loaded_plugins(name, registry))


def manifest_from(plugins: Sequence[Plugin]) -> Manifest:
    """Return the manifest of a distribution's entry points."""
    offers = {
        kind: tuple(_offered(spec) for plugin in plugins for spec in plugin.offers.get(kind, ()))
        for kind in SPEC_TYPES
        if any(plugin.offers.get(kind) for plugin in plugins)
    }
    first = plugins[0]
    return Manifest(
        schema_version=SCHEMA_VERSION, distribution=first.distribution, version=first.version, offers=offers
    )


def place_of(plugin: Plugin) -> Path:
    """Return where a plugin's manifest belongs: beside the `__init__.py` that its entry point names."""
    entry_points = distribution(plugin.distribution).entry_points.select(group="zoo", name=plugin.entry_point)
    found = find_spec(next(iter(entry_points)).module)
    if found is None or found.origin is None or not found.submodule_search_locations:
        raise UsageError(f"{plugin.distribution} is one module, no package; make it a package, or name --out FILE")
    return Path(found.origin).with_name(FILE)


def written(manifest: Manifest) -> str:
    """Return the text of a manifest's file."""
    return json.dumps(msgspec.to_builtins(manifest), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_manifest(content: bytes, source: str) -> Manifest:
    """Read a manifest that a stranger wrote. Raise IntegrityError for what is none, or of a later form."""
    value = parse_json(content, source, max_bytes=_MAX_BYTES)
    if value.get("schema_version") != SCHEMA_VERSION:
        raise IntegrityError(f"{source} has another schema_version than {SCHEMA_VERSION}; upgrade zoo-hub")
    try:
        found = msgspec.convert(value, Manifest)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{source} is no manifest: {error}; write it by `zoo plugins manifest`") from None
    if unknown := [kind for kind in found.offers if kind not in SPEC_TYPES]:
        raise IntegrityError(
            f"{source} offers {unknown[0]!r}, which is no kind of offer; write it by `zoo plugins manifest`"
        )
    return found


def _offered(spec: Any) -> Offered:
    known: Mapping[str, Any] = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    facts = {name: known[name] for name in _FACTS if known.get(name) not in (None, "", ())}
    return Offered(name=spec.name, summary=spec.summary, **facts)
