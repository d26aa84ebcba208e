"""Check everything that a distribution offers by the conformance suite, in a process of its own."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from zoo.authoring.loaded import loaded_plugins
from zoo.errors import PluginError
from zoo.extras import require
from zoo.registry.registry import Registry

_MODULE = """
from zoo.testing.offered import cases_of
globals().update(cases_of({distribution!r}, {data!r}, {data_dir!r}))
"""
_HINT = 300


@dataclass
class Checked:
    """What the suite says of one thing that is offered. `failed` and `skipped` have a reason for each test's name."""

    kind: str
    name: str
    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def check(
    distribution: str, registry: Registry, data: str | None = None, data_dir: Path | None = None
) -> list[Checked]:
    """Run the suite on what a distribution offers, each with data of its plugin or that come with Zoo, or `data`.

    `data_dir` is where data sets lie that are known by name.

    Raise UsageError for a distribution that is no plugin here, and PluginError for one that did not load.
    """
    require("zoo plugins check", "pytest")
    loaded_plugins(distribution, registry)
    with TemporaryDirectory() as folder:
        known = {"distribution": distribution, "data": data, "data_dir": None if data_dir is None else str(data_dir)}
        report = _run(Path(folder), distribution, _MODULE.format(**known))
        return _read(report)


def _run(folder: Path, distribution: str, module: str) -> Path:
    (folder / "test_offered.py").write_text(module, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = folder / "report.xml"
    environment: Mapping[str, str] = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
        + [f"--junitxml={report}", str(folder / "test_offered.py")],
        cwd=os.getcwd(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1) or not report.is_file():
        last = ((done.stdout + done.stderr).strip() or "it says nothing").split("\n")
        raise PluginError(f"the suite does not run on {distribution}: {last[-1]}; `zoo --debug plugins` may say why")
    return report


def _read(report: Path) -> list[Checked]:
    found: dict[str, Checked] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kind, name = case.attrib["classname"].rpartition(".")[2].removeprefix("Test_").split("__", 1)
        checked = found.setdefault(f"{kind} {name}", Checked(kind, name))
        checked.seconds += float(case.attrib["time"])
        wrong = next((one for one in case if one.tag in ("failure", "error")), None)
        left = next((one for one in case if one.tag == "skipped"), None)
        if wrong is not None:
            checked.failed[case.attrib["name"]] = _reason(wrong.attrib.get("message", ""))
        elif left is not None:
            checked.skipped[case.attrib["name"]] = _reason(left.attrib.get("message", ""))
        else:
            checked.passed += 1
    return list(found.values())


def _reason(message: str) -> str:
    """Return the suite's own sentence, without the lines in which pytest shows values."""
    first = re.sub(r"^(AssertionError|Failed|zoo\.errors\.\w+): ", "", message.strip().split("\n")[0])
    return first if len(first) <= _HINT else f"{first[:_HINT]} …"
