"""Every recipe is a good citizen of Zoo."""

from typing import Any

import torch

from zoo.testing import RecipeTests

ITEMS = 12
HELD = {
    "held": torch.tensor([[7, 11], [8, ITEMS], [0, ITEMS], [2, 3]]),
    "held_lengths": torch.tensor([2, 1, 1, 2]),
    "relevant": torch.tensor([2, 1, 1, 3]),
}
BATCH = {
    "users": torch.arange(4),
    "items": torch.tensor([[0, 1, 2, 3], [4, 5, 6, ITEMS], [7, 8, ITEMS, ITEMS], [2, 9, 1, 5]]),
    "items_lengths": torch.tensor([4, 3, 2, 4]),
    **HELD,
}


class _Ranking(RecipeTests):
    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS}

    def batch(self) -> dict[str, torch.Tensor]:
        return BATCH


class TestPopularity(_Ranking):
    name, model = "closed_form", "popularity"


class TestItemKNN(_Ranking):
    name, model = "closed_form", "item_knn"


class TestEASE(_Ranking):
    name, model = "closed_form", "ease"


class TestMultinomial(_Ranking):
    name, model = "multinomial", "mult_vae"
    steps = 20

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "hidden_size": 16, "code_size": 8, "dropout": 0.1}

    def settings(self) -> dict[str, Any]:
        return {"learning_rate": 1e-2}


class TestNextItem(_Ranking):
    name, model = "next_item", "sasrec"

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "max_items": 200, "width": 16, "dropout": 0.0}

    def settings(self) -> dict[str, Any]:
        return {"negatives": 4, "learning_rate": 1e-2}

    def inputs(self) -> Any:
        from dataclasses import replace

        found: Any = super().inputs()
        return replace(found, form="sequence")


class TestPairwise(_Ranking):
    name, model = "pairwise", "bpr_mf"

    def arguments(self) -> dict[str, Any]:
        return {"items": ITEMS, "users": 4, "width": 8}

    def settings(self) -> dict[str, Any]:
        return {"learning_rate": 1e-2}

    def batch(self) -> dict[str, torch.Tensor]:
        rows = [(user, item) for user, row in enumerate(BATCH["items"].tolist()) for item in row if item < ITEMS]
        users, items = torch.tensor(rows).T
        more = {name: tensor[users] for name, tensor in BATCH.items() if name != "users"}
        return {"users": users, "item": items, **more}


class TestLightGCN(TestPairwise):
    model = "lightgcn"


class TestRecommendation(TestMultinomial):
    name = "recommendation"
