"""Write registry.json from the plugins' own data files, and which plugin to install for what; and their manifests.

A plugin lists the published weights that it reads in `plugins/NAME/zoo_NAME/weights.json`:
`{"weights": {"arch.tag": {repo, revision, files, task, licence, ...}}, "aliases": {...}}`, entries as in registry.json
but without `plugin`. What it offers comes from its hooks, what its models take is counted (model_facts.py); of a plugin
that is not installed, what was known stays.

    python tools/make_registry.py [--check]
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from model_facts import facts_of
from msgspec import to_builtins

from zoo.authoring.manifest import FILE, manifest_of, written
from zoo.registry.catalogue import SCHEMA_VERSION, read_catalogue
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Offer, Registry
from zoo.specs.records import ModelSpec
from zoo.strict_json import parse_json

TOP = Path(__file__).parents[1]
OUT = TOP / "registry.json"
PLUGINS = TOP / "plugins"


def registry() -> dict[str, Any]:
    """Return the document."""
    before = read_catalogue(OUT)
    offers, models = dict(before.plugins), {name: to_builtins(facts) for name, facts in before.models.items()}
    installed = {plugin.distribution: plugin for plugin in load_plugins()}
    weights: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for project in sorted(PLUGINS.glob("*/pyproject.toml")):
        name = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]
        if plugin := installed.get(name):
            if plugin.error:
                sys.exit(f"{name} does not load: {plugin.error}")
            offers[name] = sorted({spec.name for specs in plugin.offers.values() for spec in specs})
            models |= {spec.name: _facts(Offer(plugin, spec)) for spec in plugin.offers.get("models", ())}
        for path in project.parent.glob("zoo_*/weights.json"):
            listed = parse_json(path.read_bytes(), str(path))
            for key, entry in listed.get("weights", {}).items():
                if key in weights:
                    sys.exit(f"{path} lists {key!r}, which {weights[key]['plugin']} lists too")
                weights[key] = {**entry, "plugin": name}
            aliases |= listed.get("aliases", {})
    listed = {name for names in offers.values() for name in names}
    return {
        "schema_version": SCHEMA_VERSION,
        "weights": {name: _with_cost(name, entry, models) for name, entry in sorted(weights.items())},
        "aliases": dict(sorted(aliases.items())),
        "plugins": dict(sorted(offers.items())),
        "models": {name: facts for name, facts in sorted(models.items()) if name in listed},
    }


def _facts(offer: Offer[ModelSpec]) -> dict[str, Any]:
    found = facts_of(offer)
    if offer.spec.parameters not in (None, found["parameters"]):
        sys.exit(
            f"{offer.spec.name} has {found['parameters']:,} parameters, and its spec says {offer.spec.parameters:,}"
        )
    return found


def _with_cost(name: str, entry: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with what its model takes, where weights of as many numbers are the model as it is by default."""
    facts = models.get(name.split(".")[0], {})
    if "input" not in facts or facts["parameters"] != entry.get("parameters"):
        return entry
    return {**{key: facts[key] for key in ("input", "multiply_adds", "memory")}, **entry}


def manifests() -> dict[Path, str]:
    """Return the manifests of the plugins here that are installed, by their places."""
    known = Registry(load_plugins())
    found = {}
    for project in sorted(PLUGINS.glob("*/pyproject.toml")):
        name = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]
        if any(plugin.distribution == name for plugin in known.plugins):
            (package,) = project.parent.glob("zoo_*/__init__.py")
            found[package.with_name(FILE)] = written(manifest_of(name, known))
    return found


def main() -> None:
    texts = {OUT: json.dumps(registry(), indent=2, ensure_ascii=False) + "\n", **manifests()}
    for path, text in texts.items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} is stale; run `make docs`")
    catalogue = read_catalogue(OUT)
    if catalogue.refused:
        sys.exit("\n".join(catalogue.refused.values()))
    for name, entry in catalogue.entries.items():
        if not entry.pinned or not entry.license or name.split(".")[0] not in catalogue.plugins[entry.plugin]:
            sys.exit(f"{name}: the built-in registry wants a commit, a licence, and a model that its plugin offers")


if __name__ == "__main__":
    main()
