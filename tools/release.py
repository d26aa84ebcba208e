"""Make a release, in a copy of what is committed; the tree itself changes only when all of it has worked.

python tools/release.py VERSION [--out dist] [--dry-run | --as-tagged] [--quick]

Writes the version everywhere and the changelog of its fragments, builds wheels and sdists of the core and all plugins,
an index of them, and SHA256SUMS; installs the wheels alone in a fresh environment, and runs the demo there (with
--quick only `zoo list`). Then the changed files are copied back, unless --dry-run, to be looked at, committed and
tagged: .github/workflows/release.yml publishes a tag.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

TOP = Path(__file__).parents[1]
_RELEASES = "<!-- releases -->\n"


def set_version(tree: Path, version: str) -> None:
    """Write the version of the core and of every plugin. Raise SystemExit for one that is not newer."""
    if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)?", version):
        raise SystemExit(f"{version} is no version such as 1.2.3 or 1.2.3rc1")
    home = tree / "zoo" / "version.py"
    now = re.findall(r'__version__ = "(.*)"', home.read_text(encoding="utf-8"))[0]
    if _numbers(version) < _numbers(now):
        raise SystemExit(f"{version} is older than {now}; give a newer one")
    _replace(home, f'__version__ = "{now}"', f'__version__ = "{version}"')
    for project in sorted(tree.glob("plugins/*/pyproject.toml")):
        _replace(project, f'version = "{now}"', f'version = "{version}"')


def _numbers(version: str) -> tuple[list[int], bool, int]:
    """Return what versions are ordered by: a candidate stands before its release."""
    plain, _, candidate = version.partition("rc")
    return [int(part) for part in plain.split(".")], not candidate, int(candidate or 0)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"{path} has no single line {old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def write_changes(tree: Path, version: str, day: date) -> None:
    """Put fragments together into CHANGELOG.md, and what stands there under Unreleased with them."""
    build = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version, "--date", day.isoformat()]
    subprocess.run(
        [*build, "--dir", str(tree), "--config", str(tree / "pyproject.toml")],
        check=True,
        capture_output=True,
        cwd=tree,
    )
    path = tree / "CHANGELOG.md"
    path.write_text(merged(path.read_text(encoding="utf-8")), encoding="utf-8")


def merged(text: str) -> str:
    """Return a changelog whose section Unreleased, if there is one, is part of the newest release."""
    head, _, releases = text.partition(_RELEASES)
    sections = re.split(r"^(?=## )", releases, flags=re.M)
    old = next((section for section in sections if section.startswith("## Unreleased")), None)
    if old is None:
        return text
    newest = next(section for section in sections if section.startswith("## ") and section is not old)
    kinds: dict[str, str] = {}
    for section in (newest, old):
        for part in re.split(r"^### ", section, flags=re.M)[1:]:
            kind, _, lines = part.partition("\n")
            kinds[kind] = f"{kinds.get(kind, '')}{lines.strip()}\n"
    whole = (
        newest.split("\n", 1)[0] + "\n" + "".join(f"\n### {kind}\n\n{lines}" for kind, lines in kinds.items()) + "\n"
    )
    rest = "".join(section for section in sections if section.startswith("## ") and section not in (newest, old))
    return head + _RELEASES + "\n" + whole + rest


def build(tree: Path, out: Path) -> list[Path]:
    """Build a wheel and an sdist of each distribution; return the wheels."""
    for project in (tree, *sorted(path.parent for path in tree.glob("plugins/*/pyproject.toml"))):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-d", str(out)], check=True, cwd=project, capture_output=True
        )
    return sorted(out.glob("*.whl"))


def write_sums(out: Path) -> None:
    """Write SHA256SUMS of all files, as `sha256sum --check` reads it."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def try_out(wheels: Sequence[Path], constraints: Path, folder: Path, quick: bool) -> None:
    """Install the wheels in a fresh environment, our own from nowhere else, and use them."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    binaries = folder / "venv" / "bin"
    core = _core(wheels)
    chosen = [f"{core}[train,serve]", *(str(wheel) for wheel in wheels if wheel != core)]
    install = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "-c", str(constraints)]
    subprocess.run([*install, *chosen], check=True)
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "ZOO_REGISTRY", "ZOO_DATA")}
    commands = [["plugins", "--strict"], ["list"] if quick else ["demo", "--out", str(folder / "demo")]]
    for command in commands:
        subprocess.run(
            [str(binaries / "zoo"), *command], check=True, cwd=folder, env=clean | {"ZOO_CACHE": str(folder / "cache")}
        )


def _core(wheels: Sequence[Path]) -> Path:
    return next(wheel for wheel in wheels if wheel.name.startswith("zoo_hub-"))


def _changed(tree: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files that a release changes, there and here."""
    for name in (
        "zoo/version.py",
        "CHANGELOG.md",
        *(path.relative_to(tree) for path in tree.glob("plugins/*/pyproject.toml")),
    ):
        yield tree / name, TOP / name


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("version")
    parser.add_argument("--out", type=Path, default=TOP / "dist")
    parser.add_argument("--dry-run", action="store_true", help="change nothing but the folder of --out")
    parser.add_argument(
        "--as-tagged", action="store_true", help="build what is committed, which has this version already"
    )
    parser.add_argument("--quick", action="store_true", help="run `zoo list` instead of the demo")
    asked = parser.parse_args()
    out = (asked.out / asked.version).resolve()
    if out.exists():
        raise SystemExit(f"{out} exists; remove it")
    with tempfile.TemporaryDirectory(prefix="zoo-release-") as temporary:
        tree = Path(temporary) / "tree"
        subprocess.run(["git", "clone", "--quiet", str(TOP), str(tree)], check=True)
        if not asked.as_tagged:
            set_version(tree, asked.version)
            write_changes(tree, asked.version, datetime.now(UTC).date())
        elif f'"{asked.version}"' not in (tree / "zoo" / "version.py").read_text(encoding="utf-8"):
            raise SystemExit(f"what is committed has another version than {asked.version}")
        out.mkdir(parents=True)
        wheels = build(tree, out)
        zoo = [
            sys.executable,
            "-m",
            "zoo",
            "plugins",
            "index",
            *(str(wheel) for wheel in wheels if wheel != _core(wheels)),
        ]
        subprocess.run([*zoo, "--out", str(out / "plugins")], check=True)
        write_sums(out)
        try_out(wheels, tree / "constraints.txt", Path(temporary), asked.quick)
        if not asked.dry_run and not asked.as_tagged:
            for there, here in _changed(tree):
                shutil.copy(there, here)
            for fragment in (TOP / "changes").glob("*.*.md"):
                fragment.unlink()
    print(f"{out}: {len(wheels)} wheels and sdists, the index, SHA256SUMS")
    print(f"next:  git commit -am 'Release {asked.version}' && git tag -s v{asked.version} && git push --tags")


if __name__ == "__main__":
    main()
