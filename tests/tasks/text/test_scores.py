"""Scores of written texts are those that the field publishes: recorded numbers, or counted by hand."""

import math

import pytest

from zoo.tasks.text.scores import rouge_scores, translation_scores, translation_signature

metrics = pytest.importorskip("sacrebleu.metrics", reason="needs sacrebleu: pip install 'zoo-hub[text]'")
pytest.importorskip("rouge_score", reason="needs rouge-score: pip install 'zoo-hub[text]'")


def by_hand(said: list[str], reference: list[str]) -> float:
    """Return BLEU of one text as Papineni et al. (2002) define it, where every order has a match."""
    logs = []
    for size in range(1, 5):
        grams = [[tuple(text[at : at + size]) for at in range(len(text) - size + 1)] for text in (said, reference)]
        right = sum(min(grams[0].count(gram), grams[1].count(gram)) for gram in set(grams[0]))
        logs.append(math.log(right / len(grams[0])))
    return 100 * math.exp(sum(logs) / 4) * math.exp(min(0.0, 1 - len(reference) / len(said)))


@pytest.mark.parametrize("said", ["the dog sat on the mat with it", "cat sat on the mat", "a cat sat on the mat , no"])
def test_bleu_of_one_text_is_counted_by_hand(said: str) -> None:
    reference = "the cat sat on the mat with it"
    assert translation_scores([said], [reference])["bleu"] == pytest.approx(by_hand(said.split(), reference.split()))


def test_bleu_of_a_corpus_is_the_published_one() -> None:
    said = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
    first = ["The dog bit the man.", "It was not unexpected.", "The man bit him first."]
    second = ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."]
    published = 48.530827009929865  # README.md of sacreBLEU 2.6.0, by both references
    assert metrics.BLEU().corpus_score(said, [first, second]).score == pytest.approx(published)
    found = translation_scores(said, first)
    assert found["bleu"] == pytest.approx(45.06750632106114) and found["chrf"] == pytest.approx(50.043063606582294)
    assert translation_signature().startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|")


def test_rouge_is_counted_by_hand() -> None:
    """Of 6 and 5 words 4 are shared, in one order, and of 5 and 4 pairs 1."""
    found = rouge_scores(["the brown fox jumps high today"], ["the fox jumps today again"])
    assert found["rouge_1"] == pytest.approx(100 * 2 * 4 / 11)
    assert found["rouge_2"] == pytest.approx(100 * 2 * 1 / 9)
    assert found["rouge_l"] == pytest.approx(100 * 2 * 4 / 11)


def test_rouge_stems_as_porter_does_and_is_a_mean_over_texts() -> None:
    found = rouge_scores(["the dogs ran", "none"], ["the dog ran", "all"])
    assert found["rouge_1"] == pytest.approx(50.0)
