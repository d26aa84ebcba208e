"""What a config.json asks for while training acts at transformers' places and rates, and a pretrained pooler stays."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo.tasks.one_network import with_classes
from zoo.weights.config import read_config

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
from tests.interop.test_config_keys import ALL_HEADS, BASES, CONFIGS, logits  # noqa: E402  # behind what is skipped without
from tests.interop.test_text import assert_close  # noqa: E402  # behind what is skipped without

RATES: dict[str, dict[str, float]] = {
    "bert": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.4, "classifier_dropout": 0.5},
    "gpt2": {"resid_pdrop": 0.3, "embd_pdrop": 0.4, "attn_pdrop": 0.5},
    "llama": {"attention_dropout": 0.3},
    "t5": {"dropout_rate": 0.3},
    "marian": {"dropout": 0.3, "attention_dropout": 0.4, "activation_dropout": 0.5},
    "vit": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.4},
}


@pytest.fixture
def expected_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dropout scale by what it keeps, everywhere: a place or a rate that differs changes the outputs."""
    attention = F.scaled_dot_product_attention

    def dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        return x * (1 - p) if training else x

    def attend(*inputs: Any, dropout_p: float = 0.0, **more: Any) -> Tensor:
        given = (*inputs[:4], 0.0, *inputs[5:]) if len(inputs) > 4 else inputs
        rate = inputs[4] if len(inputs) > 4 else dropout_p
        return attention(*given, **more) * (1 - rate)

    monkeypatch.setattr(F, "dropout", dropout)
    monkeypatch.setattr(F, "scaled_dot_product_attention", attend)


def saved(kind: str, folder: Path, randomised: Any, head: str | None = None, **rates: Any) -> Any:
    """Return transformers' model with random weights, which lies in the folder too."""
    torch.manual_seed(0)
    config = getattr(transformers, CONFIGS[kind])(**{**BASES[kind], **rates})
    model = randomised(getattr(transformers, head or ALL_HEADS[kind])(config))
    model.save_pretrained(folder)
    return model


@pytest.mark.usefixtures("expected_dropout")
@pytest.mark.parametrize("kind", RATES)
def test_dropout_acts_in_training_at_their_places(kind: str, tmp_path: Path, randomised: Any) -> None:
    theirs = saved(kind, tmp_path, randomised, **RATES[kind])
    ours = zoo.load(tmp_path)
    still, said = logits(kind, ours, theirs)
    assert_close(still, said)
    moved, made = logits(kind, ours.train(), theirs.train())
    assert float((moved - still).abs().max()) > 1e-3
    assert_close(moved, made)


@pytest.mark.parametrize("kind", RATES)
def test_what_they_do_not_say_is_their_default(kind: str, tmp_path: Path, randomised: Any) -> None:
    theirs = saved(kind, tmp_path, randomised)
    config = json.loads((tmp_path / "config.json").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({key: config[key] for key in config if key not in RATES[kind]}))
    arguments = read_config(tmp_path).arguments
    written = theirs.config.to_dict()
    rates = {name: value for name, value in arguments.items() if name.endswith("dropout")}
    said = [written[key] for key in RATES[kind]]
    wanted = [value if value is not None else written["hidden_dropout_prob"] for value in said]
    assert sorted(rates.values()) == sorted([*wanted, *([0.0] if kind == "llama" else [])])


@pytest.mark.parametrize("kind", RATES)
def test_rates_go_back_to_them(kind: str, tmp_path: Path, randomised: Any) -> None:
    saved(kind, tmp_path / "theirs", randomised, **RATES[kind])
    out = zoo.export(tmp_path / "theirs", to="transformers", out=tmp_path / "back")
    back = json.loads((out / "config.json").read_bytes())
    assert {key: back[key] for key in RATES[kind]} == RATES[kind]


def test_stochastic_depth_of_a_convnext(tmp_path: Path, randomised: Any) -> None:
    theirs = saved("convnext", tmp_path, randomised, drop_path_rate=0.3)
    assert read_config(tmp_path).arguments["drop_path_rate"] == 0.3
    ours = zoo.load(tmp_path)
    rates = [module.drop_prob for module in theirs.modules() if type(module).__name__ == "ConvNextDropPath"]
    found = [module.rate for module in ours.modules() if type(module).__name__ == "DropPath"]
    assert found == pytest.approx([rate for rate in rates if rate])


@pytest.mark.usefixtures("expected_dropout")
def test_a_pretrained_pooler_is_a_part_of_the_classifier(tmp_path: Path, randomised: Any) -> None:
    saved("bert", tmp_path, randomised, "BertModel", **RATES["bert"])
    theirs = transformers.BertForSequenceClassification.from_pretrained(tmp_path, num_labels=3)
    ours: Any = with_classes(zoo.load(tmp_path), 3)
    ours.head.out.load_state_dict(theirs.classifier.state_dict())
    ids = torch.randint(3, 88, (2, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert_close(ours.eval()(ids), theirs.eval()(ids).logits)
        assert_close(ours.train()(ids), theirs.train()(ids).logits)
