"""The pages of the site, before Sphinx sees them."""

import importlib.util
import re
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_tool", TOP / "tools" / "site.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed_pages(site: ModuleType) -> list[str]:
    """Return the pages of the index; design.md lists the decisions."""
    return [place for place in site.pages().values() if place != "index.md" and not place.startswith("decisions/")]


def make(top: Path, **files: str) -> Path:
    for name, text in {"docs/site/conf.py": "", "docs/site/zoo.css": "", **files}.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text, encoding="utf-8")
    (into := top / "built").mkdir()
    return into


def test_every_page_is_listed_once(site: ModuleType) -> None:
    index = (TOP / "docs" / "index.md").read_text(encoding="utf-8")
    listed = [
        line
        for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
        for line in block.split("\n")
        if line and not line.startswith(":")
    ]
    pages = [place.removesuffix(".md") for place in listed_pages(site)]
    matched = [page for entry in listed for page in pages if fnmatch(page, entry)]
    assert sorted(matched) == sorted(pages)


def test_every_link_leads_somewhere(site: ModuleType, tmp_path: Path) -> None:
    site.assemble(tmp_path)
    assert (tmp_path / "extensions" / "gan.md").is_file() and (tmp_path / "pictures" / "gan.png").is_file()


def test_a_link_to_nothing_ends_the_build(site: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "PAGES", {})
    into = make(tmp_path, **{"docs/index.md": "[a](gone.md)"})
    with pytest.raises(SystemExit, match=r"docs/index\.md: a link to gone\.md, where nothing is"):
        site.assemble(into, tmp_path)


def test_half_an_address_ends_the_build(site: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "PAGES", {})
    into = make(tmp_path, **{"docs/index.md": "[a](https://)"})
    with pytest.raises(SystemExit, match=r"docs/index\.md: https:// is no whole address"):
        site.assemble(into, tmp_path)


def test_links_hold_where_pages_lie(site: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "PAGES", {"CHANGELOG.md": "changes.md"})
    files = {
        "README.md": "",
        "CHANGELOG.md": "[hub](docs/hub.md#limits)",
        "docs/index.md": "![p](pictures/p.png) [out](https://x.org/a.md) [top](../README.md) [code](../tools/a.py)",
        "docs/hub.md": "`[a](not.md)` [same](#limits)\n\n```text\n[b](not.md)\n```\n",
        "docs/pictures/p.png": "",
        "plugins/cat/README.md": "[guide](../../docs/hub.md) [log](../../CHANGELOG.md)",
        "tools/a.py": "",
    }
    into = make(tmp_path, **files)
    site.assemble(into, tmp_path)
    assert (into / "changes.md").read_text() == "[hub](hub.md#limits)"
    made = (into / "index.md").read_text()
    assert made == "![p](pictures/p.png) [out](https://x.org/a.md) [top](index.md) [code](files/tools/a.py)"
    assert (into / "files" / "tools" / "a.py").is_file()
    assert (into / "hub.md").read_text() == files["docs/hub.md"]
    assert (into / "extensions" / "cat.md").read_text() == "[guide](../hub.md) [log](../changes.md)"


def test_the_overview_for_language_models_has_every_page(site: ModuleType, tmp_path: Path) -> None:
    site.assemble(tmp_path)
    site.write_overview(tmp_path, tmp_path)
    text = (tmp_path / "llms.txt").read_text(encoding="utf-8")
    places = re.findall(r"\]\(_sources/(.*?)\.txt\): \S", text)
    assert sorted(places) == sorted(listed_pages(site))


def test_every_decision_has_a_page_and_every_page_is_a_decision() -> None:
    design = (TOP / "docs" / "design.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (TOP / "docs" / "decisions").iterdir())
    assert re.findall(r"^\d+\. \[.*\]\(decisions/(.*)\)$", design, re.MULTILINE) == pages
    assert [name[:3] for name in pages] == [f"{number:03d}" for number in range(1, len(pages) + 1)]
