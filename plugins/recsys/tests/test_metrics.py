"""Figures are those of an oracle on the same lists."""

import json
from pathlib import Path

import pytest
import torch
from zoo_recsys.metrics import METRICS, user_metrics
from zoo_recsys.pictures import draw_scores
from zoo_recsys.scoring import Scores

ORACLE = json.loads(Path(__file__).with_name("ranx_scores.json").read_text())


@pytest.mark.parametrize("name", METRICS)
def test_each_user_has_the_figure_of_ranx(name: str) -> None:
    lists = zip(ORACLE["ranked"], ORACLE["relevant"], strict=True)
    hits = torch.tensor([[item in relevant for item in ranked] for ranked, relevant in lists])
    found = user_metrics(hits, torch.tensor([len(relevant) for relevant in ORACLE["relevant"]]))[name]
    assert torch.allclose(found, torch.tensor(ORACLE["scores"][name], dtype=torch.float64), rtol=0, atol=1e-9)
    assert found.dtype == torch.float64 and 0 < found.mean() < 1


def test_a_list_that_finds_nothing_is_worth_nothing() -> None:
    found = user_metrics(torch.zeros(1, 10, dtype=torch.bool), torch.tensor([3]))
    assert all(float(values) == 0 for values in found.values())


@pytest.mark.parametrize("items", [1, 4, 25])
def test_few_items_are_drawn_too(tmp_path: Path, items: int) -> None:
    """There are fewer of them than tenths."""
    counts = torch.arange(items)
    scores = Scores({"ndcg": torch.zeros(1)}, torch.tensor([items]), counts, counts)
    assert draw_scores(scores, 10, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
