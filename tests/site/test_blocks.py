"""Blocks of pages: each runs, or says why not."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "tools" / "doc_tests"))
import blocks as found  # noqa: E402
import forks  # noqa: E402

sys.path.pop(0)
MOST_MARKED = 51


def kinds(text: str) -> list[tuple[str, str, str]]:
    return [(block.kind, block.content, block.note) for block in found.blocks("page.md", text)]


def test_shell_python_and_output() -> None:
    text = "# A\n\n    zoo list\n    zoo info x\n\n```python\nimport zoo\n```\n\n```text\nout\n```\n"
    assert kinds(text) == [
        ("shell", "zoo list\nzoo info x\n", ""),
        ("python", "import zoo\n", ""),
        ("text", "out\n", ""),
    ]


def test_marks_hold_for_the_block_below() -> None:
    text = "<!-- not run: a reason -->\n\n    make x\n\nWords.\n\n"
    text += "<!-- file: a/b.py -->\n\n```python\nx = 1\n```\n\n    zoo list\n"
    assert [(kind, note) for kind, _, note in kinds(text)] == [
        ("not run", "a reason"),
        ("file", "a/b.py"),
        ("shell", ""),
    ]


def test_a_mark_above_words_holds_for_nothing() -> None:
    assert kinds("<!-- not run: a reason -->\n\nWords.\n\n    zoo list\n")[0][0] == "shell"


def test_unseen_preparations() -> None:
    (block, other) = found.blocks("page.md", "<!-- run\nzoo list\n-->\n\n<!-- python\nimport zoo\n-->\n")
    assert (block.kind, block.content, block.hidden) == ("shell", "zoo list\n", True)
    assert (other.kind, other.line, other.hidden) == ("python", 6, True)


@pytest.mark.parametrize("text", ["<!-- not run: -->\n\n    a\n", "```cobol\nx\n```\n"])
def test_what_says_too_little_is_refused(text: str) -> None:
    with pytest.raises(SystemExit, match=r"page\.md:"):
        kinds(text)


def test_every_block_of_the_pages_runs_or_says_why_not() -> None:
    all_blocks = [
        block for page in found.pages() for block in found.blocks(page, (TOP / page).read_text(encoding="utf-8"))
    ]
    assert len([block for block in all_blocks if block.kind in ("shell", "python", "file")]) > 80
    assert len([block for block in all_blocks if block.kind == "not run"]) <= MOST_MARKED


def test_every_picture_stands_beside_its_command() -> None:
    gallery = (TOP / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"!\[[^\]]*\]\((\S+\.png)\)", gallery))
    assert {f"pictures/{path.name}" for path in (TOP / "docs" / "pictures").glob("*.png")} <= shown
    for section in re.split(r"^## ", gallery, flags=re.MULTILINE)[1:]:
        assert "![" not in section or re.search(r"^    .*(python|make) ", section, re.MULTILINE), section
    assert "docs/screenshots.py" in (TOP / "docs" / "hub.md").read_text(encoding="utf-8")


def test_trainings_are_cut_short() -> None:
    asked = ["pretrain", "gpt2", "--data", "x", "--set", "epochs=3", "--set", "seed=1", "--arg", "width=8"]
    kept = ["pretrain", "gpt2", "--data", "x", "--set", "seed=1", "--arg", "width=8"]
    assert forks.shortened(asked) == [*kept, "--arg", "depth=1", "--arg", "num_heads=2", "--set", "steps=2"]
    assert forks.shortened(["predict", "x"]) == ["predict", "x"]


def test_readme_is_one_screen() -> None:
    text = (TOP / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 50 and len(re.findall(r"^!\[", text, re.MULTILINE)) == 1


def test_a_command_starts_as_a_fork_and_gives_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forks.write_shim(tmp_path)
    environment: dict[str, Any] = os.environ | {"ZOO_FORKS": str(tmp_path / "at"), "HF_HOME": str(tmp_path / "hf")}
    program = str(TOP / "tools" / "doc_tests")
    server = subprocess.Popen([sys.executable, program, "--serve", environment["ZOO_FORKS"]], env=environment)
    try:
        while not (tmp_path / "at").exists():
            assert server.poll() is None
            time.sleep(0.05)
        shim = [str(tmp_path / "zoo")]
        shown = subprocess.run([*shim, "--version"], env=environment, capture_output=True, text=True)
        assert shown.returncode == 0 and "zoo" in shown.stdout
        refused = subprocess.run([*shim, "info", "nothing-here"], env=environment, capture_output=True, text=True)
        assert refused.returncode == 3 and "no " in refused.stderr
    finally:
        server.kill()
        server.wait()
