"""An environment of its own to install into, which also sees what this one has; and wheels made by hand."""

import json
import os
import subprocess
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    code: str,
    requires: tuple[str, ...] = (),
    plugin: bool = True,
    manifest: str | None = None,
) -> Path:
    """Write a wheel of one module."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    files = {
        f"{module}.py": code,
        f"{info}/METADATA": "\n".join([*metadata, *(f"Requires-Dist: {one}" for one in requires)]) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({} if manifest is None else {f"{module}/zoo-plugin.json": manifest}),
        **({f"{info}/entry_points.txt": f"[zoo]\n{module} = {module}\n"} if plugin else {}),
    }
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{member},,\n" for member in [*files, f"{info}/RECORD"]))
    return path


class Environment:
    """A virtual environment without a network, which sees the packages of the one that runs the tests."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.python = folder / "bin" / "python"
        outer = {sysconfig.get_paths()[key] for key in ("purelib", "platlib")}
        (inner,) = (folder / "lib").glob("python*/site-packages")
        (inner / "outer.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(outer)))

    def zoo(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.python, "-m", "zoo", *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull, **variables},
        )

    def plugins(self) -> dict[str, Any]:
        return {row["plugin"]: row for row in json.loads(self.zoo("plugins", "--json").stdout)}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a wheel of one module."""

    def make(name: str, version: str = "1.0", **more: Any) -> Path:
        return make_wheel(tmp_path, name, version, **{"code": MODEL.replace("NAME", name.removeprefix("zoo-")), **more})

    return make


MODEL = """
import zoo

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="NAME", family="birds", summary="A bird", target="zoo_NAME:Bird")
"""
