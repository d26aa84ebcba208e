"""The modes that methods of finetuning train in."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.specs.settings import FinetuneSettings
from zoo.tasks.methods import Finetuning


class Backbone(zoo.BackboneModule):
    """A backbone with statistics and dropout, and a head that has both of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.num_features = 4
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.reset_classifier(2)

    def make_classifier(self, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, num_classes))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^layers\.0", "blocks": r"^layers\.(\d+)"}

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.layers(x))
        return logits


@pytest.mark.parametrize(
    ("method", "norm", "dropout"),
    [("full", True, True), ("gradual", True, True), ("scratch", True, True), ("lora", False, True)]
    + [("frozen", False, False)],
)
def test_what_a_method_keeps_does_not_move(method: str, norm: bool, dropout: bool) -> None:
    learner = Finetuning(FinetuneSettings(method=method, lora_rank=1), Backbone())
    network: Any = learner.network
    for _ in range(2):
        assert (network.layers[1].training, network.layers[2].training) == (norm, dropout)
        assert all(module.training for module in network.head.modules()), "what is new always trains"
        network.eval()
        learner.train()


@pytest.mark.parametrize("method", ["lora", "frozen"])
def test_statistics_of_what_is_kept_stay(method: str) -> None:
    learner = Finetuning(FinetuneSettings(method=method, lora_rank=1), Backbone())
    network: Any = learner.network
    learner.network(torch.randn(8, 4) + 3)
    assert not network.layers[1].running_mean.any() and network.head[0].running_mean.any()


def test_the_head_may_learn_first() -> None:
    settings = FinetuneSettings(method="full", head_first=0.5, optimizer="sgd", schedule="constant", warmup=0.0)
    learner = Finetuning(settings, Backbone())
    groups = learner.optimizer().param_groups
    head = {id(parameter) for parameter in learner.network.head.parameters()}  # type: ignore[union-attr]
    begins = {id(item): group["begins"] for group in groups for item in group["params"]}
    assert {begins[item] for item in begins if item in head} == {0.0}
    assert {begins[item] for item in begins if item not in head} == {0.5}
    scratch = Finetuning(FinetuneSettings(method="scratch", head_first=0.5), Backbone())
    assert {group["begins"] for group in scratch.optimizer().param_groups} == {0.0}, "there is nothing to keep"
