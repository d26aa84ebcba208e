"""Layer decay: a ViT's rates are timm's (recorded with timm 1.0.31), and what is unused lowers no other's rate."""

from itertools import groupby
from typing import Any

import pytest

import zoo
from plugins.transformer.tests.small import SMALL

SETTINGS = zoo.FinetuneSettings(learning_rate=1.0, weight_decay=0.05)


def rates(model: Any) -> dict[str, float]:
    groups = zoo.parameter_groups(model, SETTINGS, layer_decay=0.5)
    found = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    return {name: found[id(parameter)] for name, parameter in model.named_parameters()}


def test_a_vits_parameters_have_timms_rates() -> None:
    by_timm = "4x13 12x12 12x11 12x10 12x9 12x8 12x7 12x6 12x5 12x4 12x3 12x2 14x1 2x0"
    expected = [tuple(map(int, item.split("x"))) for item in by_timm.split()]
    found = rates(zoo.create("vit_tiny_patch16_224")).values()
    runs = [(len(list(run)), rate) for rate, run in groupby(found)]
    assert runs == [(count, 0.5**depth) for count, depth in expected]


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_the_last_block_is_one_factor_below_the_head_and_the_stem_below_all(
    name: str, arguments: dict[str, Any]
) -> None:
    deep = {"decoder_depth": 2} if name in ("t5", "marian") else {}
    found = rates(zoo.create(f"transformer/{name}", num_classes=3, **arguments, **deep))
    berts = dict.fromkeys(("bert", "roberta", "distilbert"), "encoder.layer.1.")
    last = {**berts, "gpt2": "h.1.", "llama": "layers.1.", "t5": "decoder.block.1."}
    block = {**last, "vit": "blocks.2.", "marian": "decoder.1."}[name]
    assert {rate for parameter, rate in found.items() if parameter.startswith(block)} == {0.5}
    blocks = {"vit": 3, "t5": 4, "marian": 4}.get(name, 2)
    assert min(found.values()) == 0.5 ** (blocks + 1)
    assert set(found.values()) == {0.5**depth for depth in range(blocks + 2)}


def test_an_unused_head_lowers_no_rate() -> None:
    small = dict(SMALL)["bert"]
    plain, with_head = (rates(zoo.create("transformer/bert", num_classes=3, lm_head=head, **small)) for head in (0, 1))
    assert plain.items() <= with_head.items()
    assert {with_head[name] for name in with_head.keys() - plain.keys()} == {1.0}
