"""An index is made of wheels alone: nothing in them is imported, and what cannot be read is listed with its reason."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from zoo.authoring.index import write_index
from zoo.authoring.manifest import manifest_of, place_of, read_manifest, written
from zoo.authoring.scaffold import OFFERS, write_plugin
from zoo.errors import IntegrityError, UsageError
from zoo.registry.registry import default_registry

BITES = "raise SystemExit('imported')"
_VOID = {"meta", "br", "link"}


def manifest(name: str, version: str = "1.0", **changes: Any) -> str:
    offers = {"models": [{"name": "wren", "summary": "A <small> bird", "parameters": 12_345, "modality": "image"}]}
    return json.dumps({"schema_version": 1, "distribution": name, "version": version, "offers": offers, **changes})


class Balanced(HTMLParser):
    """Raises where a tag is not closed in its order, or something is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag not in ("script", "img", "iframe", "link"), tag
        assert not [value for name, value in attrs if name in ("src", "href") and "//" in (value or "")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: Path) -> str:
    text = page.read_text()
    parser = Balanced()
    parser.feed(text)
    assert not parser.open
    return text


def test_plugins_are_listed_and_the_rest_has_a_reason(wheel: Any, tmp_path: Path) -> None:
    wheels = [
        wheel("zoo-wren", code=BITES, manifest=manifest("zoo-wren"), requires=("torch>=2.6",)),
        wheel("zoo-jay", "2.1", code=BITES, manifest=manifest("zoo-jay", "2.1")),
        wheel("zoo-silent", code=BITES),
        wheel("zoo-stale", "2.0", manifest=manifest("zoo-stale", "1.0")),
        wheel("zoo-odd", manifest=manifest("zoo-odd", offers={"spells": []})),
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
    assert "has no zoo-plugin.json; its author writes it by `zoo plugins manifest`" in reasons["zoo_silent"]
    assert "its zoo-plugin.json is that of zoo-stale 1.0" in reasons["zoo_stale"]
    assert "offers 'spells'" in reasons["zoo_odd"]
    assert "is no plugin" in reasons["plain"]
    assert "is no wheel" in reasons["broken"]
    overview = checked(tmp_path / "index" / "index.html")
    assert "1 model<" in overview
    assert "2 plugins" in overview and "zoo_silent-1.0-py3-none-any.whl" in overview
    assert "A &lt;small&gt; bird" in checked(tmp_path / "index" / "zoo-wren-1.0.html")


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
