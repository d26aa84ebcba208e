"""registry.json: the catalogue of published weights, and which plugin to install for what.

The catalogue that ships with Zoo is read first, then the user's own ones (`$ZOO_REGISTRY`), whose entries win.
"""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from zoo.errors import IntegrityError
from zoo.files import user_registries
from zoo.registry.facts import Amount, ModelFacts, Scored
from zoo.specs.renamed import current_keys
from zoo.strict_json import parse_json

SCHEMA_VERSION = 1


def _built_in(package: Path) -> Path:
    """Return the registry.json that ships in the package; in a checkout of zoo-hub it lies beside the package."""
    own, project = package / "registry.json", package.parent / "pyproject.toml"
    if not own.is_file() and project.is_file() and '\nname = "zoo-hub"\n' in project.read_text(encoding="utf-8"):
        return package.parent / "registry.json"
    return own


BUILT_IN = _built_in(Path(__file__).parents[1])
RENAMED_KEYS = {"licence": "license"}
NAME = re.compile(r"[A-Za-z0-9][\w-]*(\.[\w-]+)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger("zoo")


class PublishedFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of published weights."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    size: Annotated[int, Meta(ge=0)]


class PublishedWeights(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where weights lie, byte for byte, and what is known of them; what is not known is left out.

    `scored` says where the `scores` come from, in percent where they are shares. `multiply_adds` and `memory`, in
    bytes, are those of one forward pass of one `input`, such as 3x224x224.
    """

    repo: Annotated[str, Meta(pattern=r"^[\w.-]{1,96}/[\w.-]{1,96}\Z")]
    revision: Annotated[str, Meta(min_length=1, max_length=255)]
    files: Annotated[dict[str, PublishedFile], Meta(min_length=1)]
    plugin: str
    task: str
    license: str
    summary: str = ""
    data: str | None = None
    parameters: Amount | None = None
    scores: dict[str, float] = {}
    scored: Scored | None = None
    input: str | None = None
    multiply_adds: Amount | None = None
    memory: Amount | None = None

    @property
    def pinned(self) -> bool:
        """Tell whether the revision is a commit, which cannot change, and not a branch or tag."""
        return bool(_COMMIT.fullmatch(self.revision))


class _OfFamily(PublishedWeights, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a family says of weights: their bytes may be pinned by nobody."""

    revision: Annotated[str, Meta(min_length=1, max_length=255)] = "main"
    files: dict[str, PublishedFile] = {}


class _Document(Struct, forbid_unknown_fields=True):
    schema_version: int
    weights: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    plugins: dict[str, list[str]] = {}
    models: dict[str, ModelFacts] = {}


@dataclass
class Catalogue:
    """The entries by name; `refused` says of broken ones why, `plugins` which distribution offers what.

    `origins` names the registries that list an entry; the last one won. `models` are facts of models by name.
    """

    entries: dict[str, PublishedWeights] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    plugins: dict[str, list[str]] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    models: dict[str, ModelFacts] = field(default_factory=dict)

    def copy(self) -> "Catalogue":
        """Return a catalogue of one's own with the same entries."""
        return Catalogue(**{name: dict(value) for name, value in vars(self).items()})

    def resolve(self, name: str) -> str:
        """Follow aliases to the name of an entry. Raise IntegrityError for a cycle, naming it."""
        path = [name]
        while (target := self.aliases.get(path[-1])) is not None:
            path.append(target)
            if target in path[:-1]:
                raise IntegrityError(
                    f"registry.json has an alias cycle {' -> '.join(path)}; remove one of these aliases"
                )
        return path[-1]

    def provider(self, name: str) -> str | None:
        """Return the distribution that is known to offer what has this name."""
        return next((plugin for plugin, offers in self.plugins.items() if name in offers), None)

    def update(self, other: "Catalogue") -> None:
        """Take over what the other one lists; its entries win."""
        for name in (*other.entries, *other.refused):
            self.entries.pop(name, None)
            self.refused.pop(name, None)
        origins = {name: self.origins.get(name, ()) + labels for name, labels in other.origins.items()}
        for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True):
            mine.update(theirs)
        self.origins.update(origins)


def load_catalogue() -> Catalogue:
    """Read the built-in registry.json, and on top of it the user's own ones in their order."""
    catalogue = read_catalogue(BUILT_IN, label="built-in")
    for path in user_registries():
        if path.is_file():
            catalogue.update(read_catalogue(path))
        elif "ZOO_REGISTRY" in os.environ:
            _log.warning("no registry at %s ($ZOO_REGISTRY); the built-in list is used", path)
    return catalogue


def read_catalogue(path: Path, *, label: str | None = None) -> Catalogue:
    """Read one registry.json strictly. An entry that is wrong is refused by itself, with its reason.

    `label` names the registry to people; None takes its path.
    """
    with open(path, "rb") as file:
        content = file.read(6 * 1024 * 1024)
    values = parse_json(content, str(path))
    version = values.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise IntegrityError(
            f"{path} has schema_version {version!r}, this zoo reads {SCHEMA_VERSION}; upgrade: pip install -U zoo-hub"
        )
    try:
        document = msgspec.convert(values, _Document)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path} is not a registry: {error}; correct it or remove it") from None
    catalogue = Catalogue(aliases=document.aliases, plugins=document.plugins, models=document.models)
    for name, value in document.weights.items():
        check_name(name, path)
        try:
            catalogue.entries[name] = msgspec.convert(current_keys(value, RENAMED_KEYS), PublishedWeights)
        except msgspec.ValidationError as error:
            catalogue.refused[name] = f"entry {name!r} of {path} is refused: {error}"
        catalogue.origins[name] = (label or str(path),)
    for name in (*document.aliases, *document.aliases.values()):
        check_name(name, path)
    return catalogue


def unpinned_entry(values: Mapping[str, Any], name: str) -> PublishedWeights:
    """Return a family's entry of weights, checked as registry.json's are; it may go without `files`."""
    try:
        return msgspec.convert(dict(values), _OfFamily)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"weights {name!r} of {values.get('plugin')} are refused: {error}; upgrade it") from None


def check_name(name: str, source: Path) -> None:
    """Raise IntegrityError unless this is a name that `zoo pull` can take: `architecture.tag` or `architecture`."""
    if len(name) > 200 or not NAME.fullmatch(name):
        shown = ascii(name) if len(name) <= 80 else f"{ascii(name[:80])}… ({len(name)} characters)"
        raise IntegrityError(f"{source} lists weights with an unusable name {shown}; names are architecture.tag")
