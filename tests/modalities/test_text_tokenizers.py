"""Pretraining on text learns a tokenizer of the size that is asked for, or one that fits the text."""

from collections.abc import Iterable
from pathlib import Path

import pytest

import zoo
from zoo.data.text.columns import Columns
from zoo.modalities import text
from zoo.modalities.text import texts_to_pretrain
from zoo.specs.modality import DataSource
from zoo.weights.tokenizer import Tokenizer


def test_a_tokenizer_is_as_large_as_the_text_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    make = text.make_tokenizer

    def sized(kind: str, texts: Iterable[str], *, size: int) -> Tokenizer:
        asked.append(size)
        return make(kind, texts, size=size)

    monkeypatch.setattr(text, "make_tokenizer", sized)
    (tmp_path / "words.txt").write_text("some words " * 400)
    source = DataSource(name=str(tmp_path / "words.txt"), options=Columns())
    for name in ("bpe:auto", "bpe:400", "bpe"):
        texts_to_pretrain(source, zoo.LanguageSettings(tokenizer=name, max_tokens=8), "tokens")
    assert asked == [1000, 400, 8000]


def test_a_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("some words " * 400)
    source = DataSource(name=str(tmp_path / "words.txt"), options=Columns())
    with pytest.raises(zoo.UsageError, match="'many' is not a vocabulary size; for example bpe:8000, bpe:auto"):
        texts_to_pretrain(source, zoo.LanguageSettings(tokenizer="bpe:many"), "tokens")
