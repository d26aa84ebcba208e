"""Every model is a good citizen of Zoo."""

from typing import Any

import pytest
import torch

import zoo
from zoo.testing import ModelTests

ITEMS = 30
HISTORY = (torch.rand(4, ITEMS, generator=torch.Generator().manual_seed(0)) < 0.3).float()


class _Histories(ModelTests):
    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS}

    def inputs(self) -> torch.Tensor:
        return HISTORY


class TestPopularity(_Histories):
    name = "popularity"


class TestItemKNN(_Histories):
    name = "item_knn"


class TestEASE(_Histories):
    name = "ease"


class TestBPRMF(_Histories):
    name = "bpr_mf"

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "users": 5, "width": 8}


class TestLightGCN(TestBPRMF):
    name = "lightgcn"


class TestMultVAE(_Histories):
    name = "mult_vae"

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "hidden_size": 16, "code_size": 8}

    def test_is_an_autoencoder(self) -> None:
        assert isinstance(self.model(), zoo.Autoencoder)


class TestSASRec(ModelTests):
    name = "sasrec"

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "max_items": 16, "width": 16, "depth": 2}

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.randint(ITEMS, (3, 6), generator=torch.Generator().manual_seed(0))}


def test_a_vector_is_folded_in_where_a_user_is_not_known() -> None:
    model: Any = zoo.create("bpr_mf", items=ITEMS, users=5, width=8).eval()
    with torch.no_grad():
        known = model.item_scores(HISTORY, torch.tensor([0, 1, 2, 3]))
        mixed = model.item_scores(HISTORY, torch.tensor([0, -1, 2, -1]))
        strange = model.item_scores(HISTORY)
    assert torch.equal(mixed[[0, 2]], known[[0, 2]]) and torch.allclose(mixed[[1, 3]], strange[[1, 3]])


def test_sequences_see_nothing_behind_them() -> None:
    model: Any = zoo.create("sasrec", items=ITEMS, max_items=16, width=16).eval()
    ids = torch.randint(ITEMS, (2, 8), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole, first = model.forward_features(ids), model.forward_features(ids[:, :5])
    assert torch.allclose(whole[:, :5], first, atol=1e-5)


def test_a_matrix_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(zoo.UsageError, match="a matrix of 1,000,000 x 1,000,000 items does not fit"):
        zoo.create("ease", items=1_000_000)
