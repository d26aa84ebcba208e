"""A warning where the loss on training samples and that on others part, once."""

import logging

import pytest

from zoo.engine.parting import Parting

ROUNDS = [
    ("learnt by heart", [(0.0008, 2.4)], 1),
    ("risen again", [(1.0, 1.1), (0.5, 0.9), (0.3, 1.0)], 1),
    ("risen further", [(0.3, 1.0), (0.1, 1.2), (0.05, 2.0)], 1),
    ("as it should be", [(2.0, 2.1), (1.0, 1.2), (0.5, 0.9)], 0),
    ("risen beside a training loss that is as high", [(1.0, 0.9), (1.0, 1.2)], 0),
    ("a smaller loss without smoothed labels", [(0.6, 0.2)], 0),
    ("none on the way", [(0.0, 2.0)], 0),
    ("below nothing, as a bound may be", [(-3.0, -1.0)], 0),
]


@pytest.mark.parametrize(("losses", "count"), [row[1:] for row in ROUNDS], ids=[row[0] for row in ROUNDS])
def test_losses_that_part_are_told_once(
    losses: list[tuple[float, float]], count: int, caplog: pytest.LogCaptureFixture
) -> None:
    parting = Parting()
    with caplog.at_level(logging.WARNING, "zoo"):
        for training, held_out in losses:
            parting.look(training, {"accuracy": 50.0, "loss": held_out}, "test")
            parting.look(training, {"accuracy": 50.0}, "test")
    assert len(caplog.messages) == count
    if count:
        assert f"{losses[-1][1] if losses[0][0] != 0.3 else 1.2:.3g} on the test split" in caplog.messages[0]
