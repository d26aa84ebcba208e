"""What others build on changes only where surface.txt changes with it, and what is generated is as it would be now."""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_what_is_generated_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=TOP, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_the_surface_holds_names_commands_hooks_and_exit_codes() -> None:
    lines = Path(__file__).with_name("surface.txt").read_text(encoding="utf-8").splitlines()
    assert {"class ModelSpec", "    summary: str", "zoo_models() -> ModelSpec", "5 IntegrityError"} <= set(lines)
    assert any(line.startswith("zoo verify ") and "[--offline]" in line for line in lines)
    assert not [line for line in lines if " at 0x" in line]
