"""Names from outside, below a folder and nowhere else."""

from pathlib import Path

import pytest

from zoo.paths import inside


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/../../b", "/etc/passwd", "//x", "a\\b", "C:/x", "c:x", "a\0b"]
)
def test_115_names_that_could_be_elsewhere(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) is None


@pytest.mark.parametrize("name", ["a", "a/b.png", "./a//b", "...", "a b", "é"])
def test_names_below(tmp_path: Path, name: str) -> None:
    path = inside(tmp_path, name)
    assert path is not None
    assert path.is_relative_to(tmp_path)


def test_links_are_followed_where_they_may_be(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "there")
    assert inside(tmp_path / "folder", "link/a") is not None
    assert inside(tmp_path / "folder", "link/a", follow=False) is None
    assert inside(tmp_path / "folder" / "link", "a", follow=False) is None
    assert inside(tmp_path / "folder", "link", follow=False) is not None, "what is replaced is not written through"
