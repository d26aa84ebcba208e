"""What `make release` writes, but for the building."""

import importlib.util
import shutil
import subprocess
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release_tool", TOP / "tools" / "release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    names = ["zoo/version.py", "pyproject.toml", "changes/template.md.jinja", "changes/README.md"]
    for name in [*names, *(str(path.relative_to(TOP)) for path in TOP.glob("plugins/*/pyproject.toml"))]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, tmp_path / name)
    return tmp_path


def test_one_version_everywhere(release: ModuleType, tree: Path) -> None:
    release.set_version(tree, "7.1.0")
    assert '"7.1.0"' in (tree / "zoo" / "version.py").read_text()
    projects = list(tree.glob("plugins/*/pyproject.toml"))
    assert projects and all('\nversion = "7.1.0"\n' in path.read_text() for path in projects)


@pytest.mark.parametrize("version", ["0.0.9", "0.1.0rc1", "v1.0.0", "1.0"])
def test_older_and_odd_versions_are_refused(release: ModuleType, tree: Path, version: str) -> None:
    with pytest.raises(SystemExit, match=version):
        release.set_version(tree, version)


def test_fragments_become_the_changelog(release: ModuleType, tree: Path) -> None:
    (tree / "changes" / "cats.added.md").write_text("Cats.\n")
    (tree / "changes" / "dogs.fixed.md").write_text("Dogs bark.\n")
    old = "## Unreleased\n\n### Added\n\n- Before.\n\n### Changed\n\n- Else.\n\n## 0.0.1 (2020-01-01)\n\n- First.\n"
    (tree / "CHANGELOG.md").write_text(f"# Changelog\n\nWords.\n\n<!-- releases -->\n\n{old}")
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    release.write_changes(tree, "7.1.0", date(2026, 12, 1))
    assert (tree / "CHANGELOG.md").read_text() == (
        "# Changelog\n\nWords.\n\n<!-- releases -->\n\n## 7.1.0 (2026-12-01)\n\n### Added\n\n- Cats.\n- Before.\n\n"
        "### Fixed\n\n- Dogs bark.\n\n### Changed\n\n- Else.\n\n## 0.0.1 (2020-01-01)\n\n- First.\n"
    )
    assert not list((tree / "changes").glob("*.*.md"))


def test_a_fragment_of_no_known_kind_is_refused(release: ModuleType, tree: Path) -> None:
    (tree / "changes" / "cats.purred.md").write_text("Cats.\n")
    (tree / "CHANGELOG.md").write_text("# Changelog\n\n<!-- releases -->\n")
    with pytest.raises(subprocess.CalledProcessError):
        release.write_changes(tree, "7.1.0", date(2026, 12, 1))


def test_sums_are_those_of_sha256sum(release: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "a.whl").write_bytes(b"a")
    (tmp_path / "plugins" / "index.json").write_bytes(b"{}")
    release.write_sums(tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "SHA256SUMS").read_text().count("\n") == 2
