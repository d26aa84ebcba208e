"""Type checkers understand `import zoo` as people use it, and find the mistakes marked `# expect:` and no others."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOP = HERE.parents[1]
FILES = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("test_"))
_EXPECTED = re.compile(r"# expect: ([\w-]+)$")
_REPORTED = re.compile(r"^(.+?):(\d+): error: .* \[([\w-]+)\]$")


def expected() -> Iterator[tuple[str, int, str]]:
    """Yield file, line and kind of every mistake that is made on purpose."""
    for path in FILES:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if found := _EXPECTED.search(line):
                yield path.name, number, found[1]


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_finds_the_marked_mistakes_alone() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    done = subprocess.run([*command, *map(str, FILES)], cwd=TOP, capture_output=True, text=True, timeout=600)
    assert not done.stderr, done.stderr
    found = [_REPORTED.match(line) for line in done.stdout.splitlines() if ": error: " in line]
    reported = {(Path(match[1]).name, int(match[2]), match[3]) for match in found if match}
    assert len(found) == len([match for match in found if match]), done.stdout
    assert reported == set(expected()), done.stdout


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed")
def test_pyright_finds_mistakes_on_the_marked_lines_alone() -> None:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, *map(str, FILES)], cwd=TOP, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)["generalDiagnostics"]
    reported = {(Path(item["file"]).name, item["range"]["start"]["line"] + 1) for item in found}
    assert reported == {(name, line) for name, line, _ in expected()}
