"""`zoo tokenizer`."""

from typing import Any

import pytest


@pytest.fixture
def learnt(says: Any, tmp_path: Any, monkeypatch: Any) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bears.txt").write_text("abc\n" * 50)
    return str(says("tokenizer", "train", "bears.txt", "--kind", "characters", "--out", "bears.json"))


def test_train(learnt: str) -> None:
    assert learnt == "characters, 9 tokens  bears.json\n"


def test_show(learnt: str, says: Any) -> None:
    assert says("tokenizer", "show", "bears.json").splitlines() == [
        "kind     WordLevel",
        "tokens   9",
        "pad      <pad> (0)",
        "unknown  <unk> (1)",
        "begin    <s> (2)",
        "end      </s> (3)",
        "mask     <mask> (4)",
        "sha256   SHA256",
    ]


def test_show_the_tokens_of_a_text(learnt: str, says: Any) -> None:
    assert says("tokenizer", "show", "bears.json", "ab").splitlines() == [
        "ID  TOKEN  TEXT",
        "6   a      'a'",
        "7   b      'b'",
        "2 tokens",
    ]
