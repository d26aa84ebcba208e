"""A static index of plugins, made of their wheels. Nothing in them is imported: metadata and manifest are read."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import msgspec

from zoo.authoring.manifest import FILE, Manifest, read_manifest
from zoo.authoring.pages import overview, plugin_page
from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.files import new_folder
from zoo.printable import printable

_MAX_MEMBERS = 100_000
_MAX_TEXT = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """One plugin of an index: what its wheel's metadata say, and its manifest."""

    name: str
    version: str
    summary: str
    license: str
    requires: tuple[str, ...]
    wheel: str
    size: int
    manifest: Manifest

    def record(self) -> dict[str, Any]:
        """Return what index.json has of it."""
        known = {name: getattr(self, name) for name in ("name", "version", "summary", "license", "wheel", "size")}
        return {**known, "requires": list(self.requires), "offers": msgspec.to_builtins(self.manifest.offers)}


def write_index(wheels: Sequence[Path], out: Path) -> tuple[list[Indexed], dict[str, str]]:
    """Write index.json, errors.json and pages into a folder that is not there; return what they list.

    A wheel that is broken, or no plugin, goes into errors.json with its reason. Of several versions all are listed.
    Raise UsageError for a folder that exists.
    """
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} exists; name another --out, or remove it first")
    found: list[Indexed] = []
    errors: dict[str, str] = {}
    for path in wheels:
        try:
            found.append(read_wheel(path))
        except ZooError as error:
            errors[path.name] = str(error)
    found.sort(key=lambda plugin: (plugin.name, plugin.version))
    with new_folder(out) as folder:
        _write_json(folder / "index.json", {"schema_version": 1, "plugins": [plugin.record() for plugin in found]})
        _write_json(folder / "errors.json", errors)
        (folder / "index.html").write_text(overview([plugin.record() for plugin in found], errors), encoding="utf-8")
        for plugin in found:
            page = folder / f"{plugin.name}-{plugin.version}.html"
            page.write_text(plugin_page(plugin.record()), encoding="utf-8")
    return found, errors


def read_wheel(path: Path) -> Indexed:
    """Read what a wheel says of its plugin. Raise IntegrityError for one that is broken, or no plugin."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            if len(names) > _MAX_MEMBERS:
                raise IntegrityError(f"{path.name} holds more than {_MAX_MEMBERS:,} files; get a fresh copy")
            metadata = BytesParser().parsebytes(_text(wheel, _only(names, ".dist-info/METADATA", path), path))
            if not [name for name in names if name.endswith(".dist-info/entry_points.txt")]:
                raise IntegrityError(f"{path.name} has no entry points, and is no plugin of zoo")
            entry_points = _text(wheel, _only(names, ".dist-info/entry_points.txt", path), path)
            if b"[zoo]" not in entry_points:
                raise IntegrityError(f"{path.name} has no entry point in the group zoo, and is no plugin of it")
            source = f"{FILE} of {path.name}"
            manifest = read_manifest(_text(wheel, _only(names, f"/{FILE}", path), path), source)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise IntegrityError(f"{path.name} is no wheel: {error}; build or get it again") from None
    name, version = str(metadata["Name"] or ""), str(metadata["Version"] or "")
    plain = name.lower().replace("_", "-")
    if (manifest.distribution, manifest.version) != (plain, version):
        raise IntegrityError(
            f"{path.name} is {plain} {version}, and its {FILE} is that of {manifest.distribution} {manifest.version}; "
            f"write it again: zoo plugins manifest {plain}"
        )
    if not all(part.replace(".", "").replace("+", "").replace("-", "").isalnum() for part in (plain, version)):
        raise IntegrityError(f"{path.name} has a name or a version that no distribution can have")
    return Indexed(
        name=plain,
        version=version,
        summary=printable(str(metadata["Summary"] or "")),
        license=printable(str(metadata["License-Expression"] or metadata["License"] or "unknown")),
        requires=tuple(printable(str(one)) for one in metadata.get_all("Requires-Dist") or ()),
        wheel=path.name,
        size=path.stat().st_size,
        manifest=manifest,
    )


def _only(names: Sequence[str], ending: str, path: Path) -> str:
    found = [name for name in names if name.endswith(ending) and name.count("/") == 1]
    if len(found) != 1:
        how = "no" if not found else "more than one"
        cure = "; its author writes it by `zoo plugins manifest`" if ending.endswith(FILE) else ""
        raise IntegrityError(f"{path.name} has {how} {ending.rpartition('/')[2]}{cure}")
    return found[0]


def _text(wheel: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if wheel.getinfo(name).file_size > _MAX_TEXT:
        raise IntegrityError(f"{name} in {path.name} is larger than {_MAX_TEXT:,} bytes")
    with wheel.open(name) as member:
        return member.read(_MAX_TEXT)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
