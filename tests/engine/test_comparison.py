"""Scores seed by seed, beside reconstructions."""

from pathlib import Path

import torch

from tests.lettering import READABLE, written
from zoo.engine.comparison import score_comparison


def test_each_way_has_its_mean_and_each_row_its_name(tmp_path: Path) -> None:
    scores = {"from scratch": [60.0, 62.0], "pretrained, finetuned": [70.0, 71.0]}
    images = torch.rand(10, 1, 8, 8)
    with written() as texts:
        score_comparison(scores, images, images, tmp_path / "demo.png", title="gain", score="accuracy")
    assert {"from scratch", "pretrained,\nfinetuned", "61.0", "70.5", "image", "output", "gain"} <= texts.keys()
    assert min(texts.values()) >= READABLE
