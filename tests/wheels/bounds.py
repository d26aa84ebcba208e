"""Run a core of the tests on wheels, with the lowest versions that pyproject.toml allows, or on other Pythons.

    python tests/wheels/bounds.py lowest             # `make test-lowest`
    python tests/wheels/bounds.py pythons            # `make test-pythons`: python3.11, 3.12, 3.13, where they are

torch comes as the CPU build, from $TORCH_INDEX (PyTorch's own unless set) or what pip finds by itself. Where none is
to be had, that is said, and what gets along without torch is tried: every module compiles, and commands that list.
An environment, 1.5 GB with torch, lies in a temporary folder, one at a time, and is removed afterwards.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.wheels.matrix import TOP, build

PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = ("train", "serve")
PLUGINS = ("zoo_autoencoder", "zoo_cnn")
TOOLS = ("html5lib", "hypothesis", "pytest", "hatchling", "editables")
CORE = (
    "tests/registry/test_catalogue.py tests/registry/test_plugins.py tests/specs tests/hooks "
    "tests/weights/test_folder.py tests/engine/test_loop.py tests/hub/test_pull.py tests/hub/server/test_server.py "
    "tests/authoring/test_index.py tests/cli/test_info.py tests/cli/test_list.py tests/cli/test_pretrain.py"
).split()
WITHOUT_TORCH = (("list",), ("info", "resnet20"), ("plugins", "--strict"), ("recipes", "list"), ("hub", "--help"))
TORCH_INDEX = os.environ.get("TORCH_INDEX", "https://download.pytorch.org/whl/cpu")
_LOWEST = re.compile(r"([A-Za-z0-9_-]+)(?:\[[^]]*\])?>=([0-9.]+)")


def lowest() -> dict[str, str]:
    """Return the lowest versions of what the core and these extras depend on."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    found = (_LOWEST.fullmatch(requirement) for requirement in asked)
    return {match[1]: match[2] for match in found if match}


def pip(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run an environment's pip."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def torch_for(python: Path, wanted: str) -> str:
    """Install a CPU build of torch; return its version, or "" where there is none."""
    asked = ["--only-binary", ":all:", "--extra-index-url", TORCH_INDEX, "--retries", "0", "--timeout", "20", wanted]
    probe = pip(python, "--dry-run", "--no-deps", "--report", "-", *asked)
    if probe.returncode or _for_cuda(probe.stdout) or pip(python, *asked).returncode:
        return ""
    code = "from importlib.metadata import version; print(version('torch'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _for_cuda(report: str) -> bool:
    """Tell whether pip's report is of a build for CUDA, which has 5 GB of libraries beside it."""
    needed = [one for item in json.loads(report)["install"] for one in item["metadata"].get("requires_dist", ())]
    return any(one.startswith(("nvidia-", "cuda-")) for one in needed)


def tried(interpreter: str, folder: Path, wheels: list[Path], pins: dict[str, str]) -> bool:
    """Make an environment, run the core in it, and tell whether it passed."""
    subprocess.run([interpreter, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    constraints = folder / "pins.txt"
    others = {name: version for name, version in pins.items() if name != "torch"}
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in others.items()), encoding="utf-8")
    wanted = [f"torch=={pins['torch']}"] if "torch" in pins else []
    torch = next(filter(None, (torch_for(python, one) for one in [*wanted, "torch==2.13.0"])), "")
    core = next(wheel for wheel in wheels if wheel.name.startswith("zoo_hub-"))
    plugins = [str(wheel) for wheel in wheels if wheel.name.startswith(PLUGINS)]
    if torch:
        asked = f"zoo-hub[{','.join(EXTRAS)}] @ {core.as_uri()}"
        done = pip(python, "-c", str(constraints), asked, *plugins, *TOOLS)
    else:
        needed = [name for name in lowest() if name not in ("torch", "pycocotools", "rouge-score", "sacrebleu")]
        done = pip(python, "-c", str(constraints), *needed)
        done = done if done.returncode else pip(python, "--no-deps", str(core), *plugins)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).split("\n") if re.search("ERROR|depends on", line)]
        print("  pip fails: " + "\n    ".join(said))
        return False
    if torch:
        print(
            f"  torch {torch}" + (f", not the lowest {pins['torch']}" if wanted and pins["torch"] not in torch else "")
        )
        return _tests_pass(python, folder)
    print("  no CPU build of torch for it here; what gets along without torch:")
    return _listings_work(python, folder)


def _tests_pass(python: Path, folder: Path) -> bool:
    """Run the tests from a copy, beside which no source of zoo lies."""
    copy = folder / "copy"
    shutil.copytree(TOP / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", copy)
    # what older libraries warn of is their affair
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", *CORE]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    print("  " + "\n  ".join((done.stdout + done.stderr).strip().split("\n")[-12:]))
    return done.returncode == 0


def _listings_work(python: Path, folder: Path) -> bool:
    site = next((python.parents[1] / "lib").glob("python*/site-packages"))
    good = subprocess.run([python, "-m", "compileall", "-q", site / "zoo", *site.glob("zoo_*/")]).returncode == 0
    for line in WITHOUT_TORCH:
        done = subprocess.run([python, "-W", "error", "-m", "zoo", *line], cwd=folder, capture_output=True, text=True)
        print(f"  zoo {' '.join(line)}: {done.returncode or 'works'} {done.stderr.strip()[-300:]}".rstrip())
        good &= done.returncode == 0
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lowest", "pythons"])
    parser.add_argument("--python", action="append", help="An interpreter, instead of those on the path.")
    options = parser.parse_args()
    known = [found for version in PYTHONS if (found := shutil.which(f"python{version}"))]
    interpreters = options.python or ([sys.executable] if options.what == "lowest" else known)
    if options.what == "pythons" and not options.python:
        for version in PYTHONS:
            if not any(found.endswith(version) for found in known):
                print(f"skipped: no python{version} here")
    failed = []
    with tempfile.TemporaryDirectory() as top:
        (Path(top) / "wheels").mkdir()
        wheels = build(Path(top) / "wheels")
        for interpreter in interpreters:
            print(f"{options.what} with {interpreter}", flush=True)
            folder = Path(top) / "one"
            folder.mkdir()
            if not tried(interpreter, folder, wheels, lowest() if options.what == "lowest" else {}):
                failed.append(interpreter)
            shutil.rmtree(folder)
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
