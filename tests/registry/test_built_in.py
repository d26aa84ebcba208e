"""registry.json lies at the top of the project: wheels carry it in the package, checkouts read it where it lies."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from zoo.registry.catalogue import _built_in

TOP = Path(__file__).parents[2]
EDITABLE = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the folder of a package, with a project and a registry.json beside it."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "zoo-hub"\n')
    (tmp_path / "registry.json").write_text("{}")
    (tmp_path / "zoo").mkdir()
    return tmp_path / "zoo"


def test_a_checkout_reads_the_file_at_its_top(package: Path) -> None:
    assert _built_in(package) == package.parent / "registry.json"


def test_the_file_of_the_package_comes_first(package: Path) -> None:
    (package / "registry.json").write_text("{}")
    assert _built_in(package) == package / "registry.json"


def test_the_file_of_another_project_is_left_alone(package: Path) -> None:
    (package.parent / "pyproject.toml").write_text('[project]\nname = "zoo-hub-of-others"\n')
    assert _built_in(package) == package / "registry.json"
    (package.parent / "pyproject.toml").unlink()
    assert _built_in(package) == package / "registry.json"


def built(folder: Path, out: Path, *arguments: str) -> Path:
    """Build a distribution of the project in a folder, and return its file."""
    for name in ("editables", "hatchling"):
        pytest.importorskip(name, reason=f"needs {name} to build: pip install {name}")
    done = subprocess.run([sys.executable, *arguments, str(out)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    return path


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def test_a_wheel_has_it_in_the_package(tmp_path: Path) -> None:
    wheel = built(TOP, tmp_path, "-m", "hatchling", "build", "--target", "wheel", "--directory")
    with zipfile.ZipFile(wheel) as file:
        assert file.read("zoo/registry.json") == (TOP / "registry.json").read_bytes()


def test_a_wheel_made_from_the_sdist_has_it_too(tmp_path: Path) -> None:
    sdist = built(TOP, tmp_path / "sdist", "-m", "hatchling", "build", "--target", "sdist", "--directory")
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert (folder / "registry.json").read_bytes() == (TOP / "registry.json").read_bytes()
    wheel = built(folder, tmp_path / "wheel", "-m", "hatchling", "build", "--target", "wheel", "--directory")
    assert "zoo/registry.json" in names(wheel)


def test_an_editable_install_has_no_copy_of_it(tmp_path: Path) -> None:
    wheel = built(TOP, tmp_path, "-c", EDITABLE)
    assert not [name for name in names(wheel) if name.endswith("registry.json")]
