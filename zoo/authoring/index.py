"""A static index of plugins, made of their wheels. Nothing in them is imported: metadata and manifest are read."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import msgspec

from zoo.authoring.indexed import INDEX_FILE, SCHEMA_VERSION, Indexed, check_names, newest_first
from zoo.authoring.manifest import FILE, read_manifest
from zoo.authoring.pages import STYLE, overview, page_name, plugin_page
from zoo.authoring.results import Report, last_results, read_report
from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.files import new_folder
from zoo.printable import printable

_MAX_MEMBERS = 100_000
_MAX_TEXT = 1024 * 1024


def write_index(
    wheels: Sequence[Path], out: Path, results: Sequence[Path] = ()
) -> tuple[list[Indexed], dict[str, str]]:
    """Write index.json, errors.json and pages into a folder that is not there; return what they list.

    `results` are files that `zoo plugins check --json` wrote. A wheel that is broken, or no plugin, and results of
    none of the wheels go into errors.json with the reason. Of several versions all are listed.
    Raise UsageError for a folder that exists.
    """
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} exists; name another --out, or remove it first")
    read: list[Indexed] = []
    errors: dict[str, str] = {}
    for path in wheels:
        try:
            read.append(read_wheel(path))
        except ZooError as error:
            errors[path.name] = str(error)
    found = newest_first(_with_results(read, results, errors))
    records = [plugin.record() for plugin in found]
    with new_folder(out) as folder:
        _write_json(folder / INDEX_FILE, {"schema_version": SCHEMA_VERSION, "plugins": records})
        _write_json(folder / "errors.json", errors)
        pages = {"style.css": STYLE, "index.html": overview(found, errors)}
        pages |= {page_name(plugin): plugin_page(plugin) for plugin in found}
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
    return found, errors


def _with_results(found: list[Indexed], results: Sequence[Path], errors: dict[str, str]) -> list[Indexed]:
    reports: dict[tuple[str, str], list[Report]] = {(plugin.name, plugin.version): [] for plugin in found}
    for path in results:
        try:
            report = read_report(path)
            if (key := (report.distribution, report.version)) not in reports:
                raise IntegrityError(
                    f"{path.name} has results of {printable(' '.join(key))}, of which no wheel is here"
                )
            reports[key].append(report)
        except ZooError as error:
            errors[path.name] = str(error)
    return [
        msgspec.structs.replace(plugin, conformance=last_results(reports[plugin.name, plugin.version]))
        for plugin in found
    ]


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
    check_names(plain, version, manifest.offers, path.name)
    return Indexed(
        name=plain,
        version=version,
        summary=printable(str(metadata["Summary"] or "")),
        license=printable(str(metadata["License-Expression"] or metadata["License"] or "unknown")),
        requires=tuple(printable(str(one)) for one in metadata.get_all("Requires-Dist") or ()),
        wheel=path.name,
        size=path.stat().st_size,
        offers=manifest.offers,
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
