"""KerasHub's vocabularies as a tokenizer.json; `make test-keras` compares the tokens with KerasHub's own."""

import json
from pathlib import Path
from typing import Any

import pytest
from zoo_keras.tokenizer import tokenizer_files

import zoo

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "qu", "##ick", "fox", "a\x85b"]
PAIRS = {"<|endoftext|>": 0, "t": 1, "h": 2, "e": 3, "th": 4, "the": 5, "Ġ": 6, "Ġthe": 7}
MERGES = ["t h", "th e", "Ġ the"]


def write(folder: Path, kind: str, assets: dict[str, str], **config: Any) -> Path:
    (folder / "assets" / "tokenizer").mkdir(parents=True)
    for name, text in assets.items():
        (folder / "assets" / "tokenizer" / name).write_text(text, encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps({"class_name": kind, "config": config}))
    return folder


def tokens(folder: Path, text: str) -> list[int]:
    found = zoo.Tokenizer.of(tokenizer_files(folder)["tokenizer.json"], str(folder))
    return list(found.encode([text])[0].ids)


def test_words_are_cut_into_pieces(tmp_path: Path) -> None:
    folder = write(tmp_path, "BertTokenizer", {"vocabulary.txt": "\n".join(WORDS)}, lowercase=True)
    assert tokens(folder, "The quick dog") == [2, 5, 6, 7, 1, 3]
    said = json.loads(tokenizer_files(folder)["tokenizer_config.json"])
    assert (said["pad_token"], said["unk_token"], said["bos_token"], said["eos_token"]) == (
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
    )


@pytest.mark.parametrize("begins", [True, False])
def test_bytes_are_joined_in_pairs(tmp_path: Path, begins: bool) -> None:
    assets = {"vocabulary.json": json.dumps(PAIRS), "merges.txt": "#version: 0.2\n" + "\n".join(MERGES) + "\n"}
    folder = write(tmp_path, "GPT2Tokenizer", assets)
    (folder / "preprocessor.json").write_text(json.dumps({"config": {"add_start_token": begins}}))
    assert tokens(folder, "the the<|endoftext|>") == [*([0] if begins else []), 5, 7, 0]


@pytest.mark.parametrize(
    ("kind", "assets", "why"),
    [
        ("BertTokenizer", {}, "no .*vocabulary.txt, which the preset's tokenizer has"),
        ("BertTokenizer", {"vocabulary.txt": "a\na"}, "vocabulary.txt has no tokens, or one twice"),
        ("GPT2Tokenizer", {"vocabulary.json": '{"a": "b"}', "merges.txt": ""}, "one whose place is no number"),
        ("GPT2Tokenizer", {"vocabulary.json": '{"a": 1, "b": 1}', "merges.txt": ""}, "two tokens in one place"),
    ],
)
def test_a_broken_vocabulary_is_refused(tmp_path: Path, kind: str, assets: dict[str, str], why: str) -> None:
    with pytest.raises(zoo.IntegrityError, match=why):
        tokenizer_files(write(tmp_path, kind, assets))


def test_another_tokenizer_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert tokenizer_files(write(tmp_path, "LlamaTokenizer", {})) == {}
    assert "('LlamaTokenizer') is not read" in caplog.text
