"""What a run says of itself on the way."""

import re

import pytest

from zoo.engine.progress import Progress


def test_no_two_figures_of_a_line_have_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(enabled=True, title="lenet5 on photos")
    progress.start(0, 10, 4)
    progress.epoch(5, "1/2", 0.5, "test", {"accuracy": 80.0, "loss": 0.25})
    line = re.sub(r"[\d,]+(?= img/s)|(?<=left )\d+", "N", capsys.readouterr().err)
    assert (
        line == "lenet5 on photos · epoch 1/2  N img/s · train loss 0.5000 · test accuracy 80  loss 0.25 · left N s\n"
    )


def test_where_nothing_was_scored_no_split_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(enabled=True, title="lenet5")
    progress.start(0, 10, 4)
    progress.epoch(5, "1/2", 0.5, "test", {})
    assert "test" not in capsys.readouterr().err
