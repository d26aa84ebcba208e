"""An index is made of wheels alone: nothing in them is imported, and what cannot be read is listed with its reason."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import html5lib
import pytest

from zoo.authoring.index import write_index
from zoo.authoring.indexed import Indexed
from zoo.authoring.manifest import Offered, manifest_of, place_of, read_manifest, written
from zoo.authoring.reading import read_index
from zoo.authoring.scaffold import OFFERS, write_plugin
from zoo.cli.plugins.indexed import list_indexed
from zoo.errors import IntegrityError, UsageError
from zoo.registry.registry import default_registry

BITES = "raise SystemExit('imported')"


def manifest(name: str, version: str = "1.0", **changes: Any) -> str:
    offers = {"models": [{"name": "wren", "summary": "A <small> bird", "parameters": 12_345, "modality": "image"}]}
    return json.dumps({"schema_version": 1, "distribution": name, "version": version, "offers": offers, **changes})


def report(folder: Path, name: str, version: str = "1.0", **changes: Any) -> Path:
    failed = {"test_it_trains": "the loss <rises>"}
    result = {"kind": "model", "name": "wren", "passed": 12, "failed": {}, "skipped": {}, "seconds": 1.5}
    known = {"schema_version": 1, "distribution": name, "version": version, "zoo": "0.1.0", "torch": "2.13.0+cpu"}
    known |= {"python": "3.11.7", "date": "2026-11-30", "results": [result]}
    if changes.pop("fails", False):
        known["results"] = [{**result, "failed": failed}]
    path = folder / f"{len(list(folder.glob('*.json')))}.json"
    path.write_text(json.dumps(known | changes))
    return path


def checked(page: Path) -> str:
    """Return a page that a strict parser takes, and that fetches nothing but its style."""
    text = page.read_text()
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    addresses = [(element.tag, element.get("href") or element.get("src")) for element in root.iter()]
    fetched = [address for tag, address in addresses if tag != "a" and address]
    assert fetched == ["style.css"] and "url(" not in (page.parent / "style.css").read_text()
    assert not [address for _, address in addresses if address and not (page.parent / address).is_file()]
    assert not {"script", "style"} & {element.tag for element in root.iter()} and "style=" not in text
    return text


def test_plugins_are_listed_and_the_rest_has_a_reason(wheel: Any, tmp_path: Path) -> None:
    wheels = [
        wheel("zoo-wren", code=BITES, manifest=manifest("zoo-wren"), requires=("torch>=2.6",)),
        wheel("zoo-jay", "2.1", code=BITES, manifest=manifest("zoo-jay", "2.1")),
        wheel("zoo-silent", code=BITES),
        wheel("zoo-stale", "2.0", manifest=manifest("zoo-stale", "1.0")),
        wheel("zoo-odd", manifest=manifest("zoo-odd", offers={"spells": []})),
        wheel("zoo-wild", "1.0-wild", manifest=manifest("zoo-wild", "1.0-wild")),
        wheel("plain", plugin=False),
        tmp_path / "broken-1.0-py3-none-any.whl",
    ]
    wheels[-1].write_bytes(b"PK\x03\x04 no more")
    found, errors = write_index(wheels, tmp_path / "index")
    assert [(plugin.name, plugin.version) for plugin in found] == [("zoo-jay", "2.1"), ("zoo-wren", "1.0")]
    listed = json.loads((tmp_path / "index" / "index.json").read_text())["plugins"]
    assert listed[1]["requires"] == ["torch>=2.6"]
    assert listed[1]["offers"]["models"] == [
        {"name": "wren", "summary": "A <small> bird", "parameters": 12_345, "modality": "image"}
    ]
    assert json.loads((tmp_path / "index" / "errors.json").read_text()) == errors
    reasons = {name.partition("-1")[0].partition("-2")[0]: reason for name, reason in errors.items()}
    assert "has the version '1.0-wild'" in reasons["zoo_wild"]
    assert "has no zoo-plugin.json; its author writes it by `zoo plugins manifest`" in reasons["zoo_silent"]
    assert "its zoo-plugin.json is that of zoo-stale 1.0" in reasons["zoo_stale"]
    assert "offers 'spells'" in reasons["zoo_odd"]
    assert "is no plugin" in reasons["plain"]
    assert "is no wheel" in reasons["broken"]
    overview = checked(tmp_path / "index" / "index.html")
    assert "1 model<" in overview
    assert "2 plugins" in overview and "zoo_silent-1.0-py3-none-any.whl" in overview
    assert "A &lt;small&gt; bird" in checked(tmp_path / "index" / "zoo-wren-1.0.html")


def test_the_last_results_with_each_of_two_versions_of_zoo_are_shown(wheel: Any, tmp_path: Path) -> None:
    wheels = [wheel("zoo-wren", manifest=manifest("zoo-wren")), wheel("zoo-jay", manifest=manifest("zoo-jay"))]
    given = tmp_path / "results"
    given.mkdir()
    results = [
        report(given, "zoo-wren", date="2026-10-01", fails=True),
        report(given, "zoo-wren", date="2026-11-30"),
        report(given, "zoo-wren", zoo="0.10.0", date="2026-11-02", fails=True),
        report(given, "zoo-wren", zoo="0.0.9", date="2026-11-29"),
        report(given, "zoo-wren", "2.0"),
        report(given, "zoo-wren", date="yesterday"),
        report(given, "zoo-wren", zoo="\u202e1"),
        report(given, "zoo-wren", schema_version=2),
    ]
    found, errors = write_index(wheels, tmp_path / "index", results)
    wren = next(plugin for plugin in found if plugin.name == "zoo-wren")
    assert [(one.zoo, one.date, one.passed, one.failed) for one in wren.conformance] == [
        ("0.10.0", "2026-11-02", 12, 1),
        ("0.1.0", "2026-11-30", 12, 0),
    ]
    assert sorted(errors) == ["4.json", "5.json", "6.json", "7.json"]
    assert "of which no wheel is here" in errors["4.json"] and "the date 'yesterday'" in errors["5.json"]
    page = checked(tmp_path / "index" / "zoo-wren-1.0.html")
    assert '<time datetime="2026-11-02">' in page and "model wren" in page
    overview = checked(tmp_path / "index" / "index.html")
    assert 'Zoo 0.10.0: <span class="bad">1 failed</span>, 2026-11-02' in overview and "not yet" in overview
    assert "No results yet" in checked(tmp_path / "index" / "zoo-jay-1.0.html")
    assert read_index(str(tmp_path / "index")) == found


def test_license_size_tasks_and_modalities_are_shown(wheel: Any, tmp_path: Path) -> None:
    offers = {
        "models": [{"name": "wren", "summary": "Sings", "task": "summarization", "modality": "text"}],
        "tasks": [{"name": "bird-songs", "summary": "Songs", "modality": "audio"}],
        "modalities": [{"name": "scent", "summary": "What is smelt"}],
    }
    (found,), _ = write_index([wheel("zoo-wren", manifest=manifest("zoo-wren", offers=offers))], tmp_path / "index")
    assert (found.tasks, found.modalities) == (["bird-songs", "summarization"], ["audio", "scent", "text"])
    page = checked(tmp_path / "index" / "index.html")
    for head, cell in (
        ("License", "unknown"),
        ("Size", f"{round(found.size / 1e3)}\u00a0kB"),
        ("Modalities", "audio, scent, text"),
    ):
        assert f'<td data-label="{head}">{cell}</td>' in page
    (listed,) = json.loads((tmp_path / "index" / "index.json").read_text())["plugins"]
    assert (listed["tasks"], listed["modalities"]) == (found.tasks, found.modalities)


def test_neither_torch_nor_a_wheel_s_code_is_imported(wheel: Any, tmp_path: Path) -> None:
    path = wheel("zoo-wren", code=BITES, manifest=manifest("zoo-wren"))
    code = (
        "import sys; from zoo.cli import run; "
        f"code = run(['plugins', 'index', {str(path)!r}, '--out', {str(tmp_path / 'index')!r}]); "
        "sys.exit(code or bool({'torch', 'numpy', 'zoo_wren'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/index/index.html: 1 plugin, 0 left out\n"), done.stderr


def test_a_folder_that_exists_is_left_alone(wheel: Any, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with pytest.raises(UsageError, match="exists"):
        write_index([wheel("zoo-wren", manifest=manifest("zoo-wren"))], tmp_path / "index")


@pytest.mark.parametrize("kind", sorted(OFFERS))
def test_a_manifest_says_what_hooks_yield(site: Any, tmp_path: Path, kind: str) -> None:
    new = write_plugin("zoo-wood-mouse", kind, tmp_path / "new", default_registry())
    site.install_package(new.folder / "zoo_wood_mouse")
    default_registry.cache_clear()
    found = manifest_of("zoo-wood-mouse", default_registry())
    names = {kind: [offer.name for offer in offers] for kind, offers in found.offers.items()}
    assert names == {kind: [name.replace("sprout", "wood_mouse")] for kind, name in OFFERS[kind].items()}
    assert read_manifest(written(found).encode(), "it") == found
    plugin = next(one for one in default_registry().plugins if one.distribution == "zoo-wood-mouse")
    assert place_of(plugin) == site.folder / "zoo_wood_mouse" / "zoo-plugin.json"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"schema_version": 2}', b'{"schema_version": 1, "offers": {}}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_manifest_is_one_line(content: bytes) -> None:
    with pytest.raises(IntegrityError):
        read_manifest(content, "zoo-plugin.json")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"name": "zoo-\u001b[2Jwren"},
        {"name": "../wren"},
        {"version": "1.0\u202e"},
        {"offers": {"spells": []}},
        {"offers": {"models": [{"name": "a\nb", "summary": ""}]}},
        {"offers": {"models": [{"name": "wren", "summary": 1}]}},
        {"size": "large"},
        {"conformance": [{"zoo": "new"}]},
    ],
)
def test_an_index_with_a_name_that_none_can_have_is_refused(tmp_path: Path, spoilt: dict[str, Any]) -> None:
    known = {"name": "zoo-wren", "version": "1.0", "summary": "", "license": "MIT", "requires": [], "wheel": "a.whl"}
    known |= {"size": 1, "offers": {}, **spoilt}
    (tmp_path / "index.json").write_text(json.dumps({"schema_version": 1, "plugins": [known]}))
    with pytest.raises(IntegrityError) as error:
        read_index(str(tmp_path))
    assert str(error.value).isprintable()


def test_what_a_strange_index_says_beside_names_stays_harmless_in_a_table(tmp_path: Path, capsys: Any) -> None:
    known = Indexed(
        name="zoo-wren",
        version="1.0",
        summary="",
        license="\x1b[2J",
        requires=(),
        wheel="",
        size=1,
        offers={"models": (Offered(name="wren", summary="\x1b"),)},
    )
    (tmp_path / "index.json").write_text(json.dumps({"schema_version": 1, "plugins": [known.record()]}))
    list_indexed(str(tmp_path), None, as_json=False)
    assert "\x1b" not in capsys.readouterr().out
