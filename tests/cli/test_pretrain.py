"""`zoo pretrain`."""

from typing import Any

import pytest

ASKED = ("pretrain", "painter", "--data", "photos", "--set", "steps=3", "--out", "run")


def test_a_run_and_what_follows(painter: None, says: Any) -> None:
    assert says(*ASKED).splitlines() == [
        "run: test mse # · N s",
        "  run/pictures/curves.png",
        "next:",
        "  zoo finetune run --task image-classification --data DATA --out run-classifier",
        "  zoo push run you/painter --private --license other",
    ]


def test_a_run_that_is_there(trained: str, says: Any) -> None:
    assert "run exists" in says(*ASKED, code=2)


def test_a_dry_run_writes_nothing(painter: None, says: Any, tmp_path: Any) -> None:
    said = [line.split(maxsplit=1) for line in says(*ASKED, "--dry-run", "--device", "cpu").splitlines()]
    assert [words[0] for words in said] == (
        ["would", "data", "classes", "a", "parameters", "rate", "cost", "speed", "time", "memory", "disk", "nothing"]
    )
    assert [said[place][1] for place in (0, 1, 3, 4, 5, 11)] == [
        "train   painter by painting, 3 steps of 4 samples",
        "photos: 12 train, 4 test",
        "batch here  (4, 1, 8, 8) on cpu, rank 0 of 1",
        "77, 77 of them trained",
        "learning rate 0.001 at its peak",
        "was written; run without --dry-run to train",
    ]
    assert not (tmp_path / "run").exists()


def test_interrupted_before_there_is_a_run(painter: None, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    import zoo_painter  # type: ignore[import-not-found]

    monkeypatch.setattr(zoo_painter.Painting, "__init__", interrupted)
    assert says(*ASKED, code=130).splitlines()[-1] == "zoo: interrupted"


def test_interrupted_with_a_run_to_go_on_with(painter: None, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    import zoo_painter

    monkeypatch.setattr(zoo_painter.Painting, "pictures", interrupted)
    said = says(*ASKED, code=130).splitlines()
    assert said[-1] == "zoo: interrupted; go on with the same command and --resume"
