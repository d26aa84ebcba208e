"""`zoo finetune`."""

import shlex
from typing import Any

import pytest


def test_a_run_and_what_follows(trained: str, says: Any) -> None:
    asked = ("--task", "image-classification", "--data", "photos", "--set", "steps=2", "--out", "tuned")
    assert says("finetune", trained, *asked).splitlines() == [
        "tuned: test accuracy # · recall # · loss # · N s",
        "  tuned/pictures/curves.png",
        "  tuned/pictures/confusion.png",
        "  tuned/pictures/examples.png",
        "next:",
        "  zoo evaluate tuned --data photos",
        "  zoo predict tuned IMAGE…",
        "  zoo push tuned you/tuned --private --license other",
    ]


def test_what_follows_works_as_it_is_printed(trained: str, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal, from a folder whose name a shell and a Hub read otherwise."""
    asked = ("--task", "image-classification", "--data", "photos", "--skip-bad", "1", "--set", "steps=2")
    said = says("finetune", trained, *asked, "--out", "my run.v1").splitlines()
    evaluate, _, push = said[said.index("next:") + 1 :]
    assert evaluate.strip() == "zoo evaluate 'my run.v1' --data photos --skip-bad 1"
    assert push.strip() == "zoo push 'my run.v1' you/my-run-v1 --private --license other"
    monkeypatch.setenv("ZOO_HUB", "hub")
    assert "samples: accuracy" in says(*shlex.split(evaluate)[1:])
    assert says(*shlex.split(push)[1:]).startswith("pushed: you/my-run-v1 at COMMIT")
    shown = says("runs", "show", "my run.v1")
    assert "zoo push 'my run.v1' you/painter --private --license other" in shown
