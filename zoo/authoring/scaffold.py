"""Write a plugin that works: a distribution of one model, recipe, task, data set, modality or command, with tests.

The templates are that of a plugin named sprout. All that is typed into it is its name.
"""

import keyword
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from string import Template

from zoo.errors import UsageError
from zoo.files import new_folder
from zoo.registry.command_names import COMMANDS
from zoo.registry.registry import Registry
from zoo.specs.records import singular
from zoo.version import __version__

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 60
_SPROUT = re.compile(r"zoo[-_]sprout|Sprout|sprout")
_HIDDEN = {"gitignore": ".gitignore", "github": ".github"}
"""Stored without their dot, or they would be obeyed where they lie."""

OFFERS = {
    "model": {"models": "sprout"},
    "recipe": {"recipes": "sprout"},
    "task": {"tasks": "sprout", "recipes": "sprout"},
    "dataset": {"datasets": "sprout"},
    "modality": {
        "modalities": "sprout",
        "models": "sprout_net",
        "recipes": "sprout_classes",
        "datasets": "sprout_iris",
    },
    "command": {"commands": "sprout"},
}
"""What a new plugin of each kind offers."""


@dataclass(frozen=True)
class NewPlugin:
    """A plugin that was written: its folder, how many files, and what to type to try it."""

    folder: Path
    files: int
    use: str


@dataclass(frozen=True)
class _Names:
    distribution: str

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def offer(self) -> str:
        return self.package.removeprefix("zoo_")

    def put_into(self, text: str) -> str:
        camel = "".join(part.capitalize() for part in self.offer.split("_"))
        new = {"zoo-sprout": self.distribution, "zoo_sprout": self.package, "Sprout": camel, "sprout": self.offer}
        return _SPROUT.sub(lambda found: new[found[0]], text)


def write_plugin(name: str, kind: str, folder: Path, registry: Registry) -> NewPlugin:
    """Write a plugin into a folder that is not there yet.

    Raise UsageError for a name that no distribution or module can have, for one that is taken here, and for a folder
    that exists.
    """
    names = _Names(name)
    _check_name(names)
    _check_free(names, kind, registry)
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists; choose another --out, or another name")
    text = (_TEMPLATES / kind / "template.toml").read_text(encoding="utf-8")
    known = tomllib.loads(names.put_into(text.replace("$version", __version__)))
    facts = {
        "kind": kind,
        "version": __version__,
        "summary": known["summary"],
        "use": known["use"],
        "what": known["what"].strip(),
        "dependencies": _listed(known["dependencies"]),
        "test": _listed(known["test"]),
    }
    files = {path: Template(text).substitute(facts) for path, text in _texts("common", names)}
    files |= dict(_texts(kind, names)) | {Path("LICENSE"): _license(), Path(names.package, "py.typed"): ""}
    with new_folder(folder) as temporary:
        for path, text in files.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, encoding="utf-8")
    return NewPlugin(folder, len(files), known["use"])


def _texts(part: str, names: _Names) -> list[tuple[Path, str]]:
    """Return the files of a part of the templates, by the paths that they get."""
    found = []
    for path in sorted((_TEMPLATES / part).rglob("*.template")):
        parts = path.relative_to(_TEMPLATES / part).with_suffix("").parts
        renamed = [names.package if one == "package" else _HIDDEN.get(one, names.put_into(one)) for one in parts]
        found.append((Path(*renamed), names.put_into(path.read_text(encoding="utf-8"))))
    return found


def _check_name(names: _Names) -> None:
    name, package, offer = names.distribution, names.package, names.offer
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise UsageError(
            f"{name!r} is no name for a plugin: lower-case letters, digits and single hyphens, such as zoo-birds"
        )
    if not offer.isidentifier() or keyword.iskeyword(offer) or offer == "zoo":
        raise UsageError(f"{name!r} makes {offer!r}, which Python keeps for itself; choose another, such as zoo-birds")
    if package in sys.stdlib_module_names:
        raise UsageError(f"{name!r} is a module of Python's own; choose another name, such as zoo-{name}")


def _check_free(names: _Names, kind: str, registry: Registry) -> None:
    name = names.distribution
    try:
        raise UsageError(f"{name} {distribution(name).version} is installed here; choose another name")
    except PackageNotFoundError:
        pass
    if found := find_spec(names.package):
        raise UsageError(f"the module {names.package} exists: {found.origin or 'a namespace'}; choose another name")
    for offered, word in OFFERS[kind].items():
        new = names.put_into(word)
        takers = [one.plugin.distribution for one in registry.offers(offered) if one.spec.name == new]
        if offered == "commands" and new in COMMANDS:
            takers.append("zoo itself")
        if takers:
            raise UsageError(f"the {singular(offered)} {new!r} is offered by {takers[0]}; choose another name")
        for place, others in registry.catalogue.plugins.items():
            if offered == "models" and new in others:
                raise UsageError(f"registry.json lists {new!r} as a model of {place}; choose another name")


def _license() -> str:
    text = distribution("zoo-hub").read_text("licenses/LICENSE")
    if text is None:
        raise UsageError(
            "zoo-hub was installed without its LICENSE; install it again: pip install --force-reinstall zoo-hub"
        )
    return text


def _listed(requirements: list[str]) -> str:
    return ", ".join(f'"{one}"' for one in requirements)
