"""`zoo reconstruct`."""

from typing import Any


def test_pictures_and_a_grid(trained: str, says: Any) -> None:
    said = says("reconstruct", trained, "photos/test/dark/0.png", "photos/test/light/0.png", "--out", "seen")
    assert said.splitlines() == ["seen/0-0.png", "seen/0-1.png", "seen/reconstructions.png"]


def test_weights_that_cannot(tiny: None, says: Any) -> None:
    said = says("reconstruct", "weights", "a.png", "--out", "seen", code=2)
    assert said == "zoo: weights holds 'tiny', which does not reconstruct images; give an autoencoder\n"
