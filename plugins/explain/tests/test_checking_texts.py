"""What `--check` measures of weights of tokens, and what it says of good ones and of those of random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from words import inputs, model_of, texts
from zoo_explain.checking.check import sure
from zoo_explain.checking.texts import TextCheck, _verdict
from zoo_explain.command import command

import zoo

METHODS = ("token_gradients", "token_attention")


@pytest.fixture
def check(trigger: Path, request: pytest.FixtureRequest) -> TextCheck:
    """Check texts of which one word decides the class."""
    explainer: Any = zoo.load(trigger).explain.explainer("token_gradients")
    return TextCheck(explainer, texts(getattr(request, "param", 12), trigger=True, seed=9), batch_size=5)


def decisive(check: TextCheck) -> list[torch.Tensor]:
    zebra = check.explainer.tokenizer.encode(["zebra"], special=False)[0].ids[0]
    return [(part.ids == zebra).float() for part in check.texts]


def test_the_word_that_decides_is_lost_and_won_first(check: TextCheck) -> None:
    best, worst = check.gains(decisive(check)), check.gains([-part for part in decisive(check)])
    assert best[0].mean() < 0.2 < 0.8 < worst[0].mean()  # taken out first, and last
    assert best[1].mean() > 0.8 > 0.2 > worst[1].mean()


@pytest.mark.parametrize("check", [6], indirect=True)
@pytest.mark.parametrize("method", METHODS)
def test_weights_that_find_what_decides_are_trusted(method: str, check: TextCheck) -> None:
    explainer: Any = check.explainer.model.explain.explainer(method)
    found = check.checked(method, explainer, {method: check.weights(explainer), "best": decisive(check)})
    assert not found.flagged and found.over_random > 3 and found.gain > 0.6, found
    assert list(found.followed) == ["0.25", "0.50", "0.75", "1.00"] and found.followed["1.00"] < 0.7
    assert found.texts == 6 and list(found.agreement) == ["best"]
    assert (found.complete is None) == (method == "token_attention")


@pytest.mark.parametrize("check", [6], indirect=True)
def test_weights_of_chance_are_flagged(check: TextCheck) -> None:
    flagged = 0
    for seed in range(10):
        random = torch.Generator().manual_seed(seed)
        own = [torch.rand(part.ids.shape, generator=random) for part in check.texts]
        found = check.checked("token_gradients", check.explainer, {}, own=own)
        flagged += found.flagged
        assert found.complete is None and not found.followed
    assert flagged >= 8  # one in twenty is sure by chance


@pytest.mark.parametrize(("count", "quantile"), [(5, 2.132), (13, 1.782), (31, 1.697), (10**6, 1.645)])
def test_few_inputs_must_be_surer(count: int, quantile: float) -> None:
    assert sure(count) == pytest.approx(quantile, abs=0.02)  # of Student's distribution, from a table


def test_what_a_tokenizer_adds_and_padding_stay(check: TextCheck) -> None:
    for part, begun, free in zip(check.texts, check.begun, check.free, strict=True):
        assert torch.equal(part.ids[~free], begun[~free]) and not (free & part.special).any()
        assert (begun[free] == check.explainer.tokenizer.role("mask")).all()


def test_a_masked_word_is_checked(tmp_path: Path) -> None:
    zoo.save(model_of("bert"), tmp_path / "w", task="fill-mask", inputs=inputs())
    explainer: Any = zoo.load(tmp_path / "w").explain.explainer("token_attention")
    several = [f"word1 [MASK] word{place} word3" for place in range(4)]
    check = TextCheck(explainer, several, batch_size=3)
    mask = explainer.tokenizer.role("mask")
    assert all(
        (part.ids[~free] != 0).any() and (part.ids[free] != mask).all()
        for part, free in zip(check.texts, check.free, strict=True)
    )
    found = check.checked("token_attention", explainer, {})
    assert found.texts == 4 and found.gain == pytest.approx(0, abs=0.01)  # random weights know of no word that decides


@pytest.mark.parametrize(
    ("figures", "flagged", "said"),
    [
        ((0.9, {"1.00": 0.0}, None), True, "no better than the same ones on other tokens: do not trust"),
        (
            (9.0, {"0.25": 0.9, "1.00": 0.8}, None),
            True,
            "hardly change when those of the model are random: do not trust",
        ),
        ((9.0, {"0.25": 0.9, "1.00": 0.1}, 0.3), False, "lack 30% of what they should add up to"),
        ((9.0, {"1.00": 0.1}, 0.01), False, "find what decides, and follow those of the model"),
    ],
)
def test_a_verdict_is_in_words(figures: Any, flagged: bool, said: str) -> None:
    found, words = _verdict(*figures)
    assert found is flagged and said in words


def test_the_command_checks_the_lines_of_a_file(trigger: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(texts(5, trigger=True, seed=3)) + "\n")
    typed = [str(trigger), str(tmp_path / "texts.txt"), "--check"]
    found = json.loads(CliRunner().invoke(command, [*typed, "--json"], catch_exceptions=False).output)
    assert set(found) == set(METHODS) and all(one["texts"] == 5 and not one["flagged"] for one in found.values())
    table = CliRunner().invoke(command, [*typed, "--method", METHODS[1]], catch_exceptions=False).output.split("\n")
    assert table[0].split()[:4] == ["METHOD", "DELETION", "INSERTION", "OVER"]
    assert table[2] == "token_attention: these weights find what decides, and follow those of the model"
    for wrong, said in (
        (["word1 word2 word3", "--check"], "--check tells nothing of 1 inputs; give 4 or more"),
        (["word1", "word2", "word3", "word4", "--check"], "--check needs texts of 3 tokens or more; give longer ones"),
    ):
        with pytest.raises(zoo.UsageError, match=said):
            CliRunner().invoke(command, [str(trigger), *wrong], catch_exceptions=False)


def test_what_is_written_is_not_checked(tmp_path: Path) -> None:
    zoo.save(model_of("gpt2"), tmp_path / "w", task="text-generation", inputs=inputs(pairs=False))
    with pytest.raises(zoo.UsageError, match="weights of tokens that are classified, and written_attention makes none"):
        CliRunner().invoke(command, [str(tmp_path / "w"), "word1 word2", "--check"], catch_exceptions=False)
