"""Text: tokenised once, packed into windows whose order two numbers decide."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import text
from zoo.data.packed import PackedBatches
from zoo.data.text import BYTE_TOKENIZER, Tokenizer, open_text
from zoo.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
VERSE = "Füllest wieder Busch und Tal\nStill mit Nebelglanz,\nLösest endlich auch einmal\nMeine Seele ganz;\n"
FORM: dict[str, Any] = {"seed": 0, "shuffle": True, "drop_last": False, "device": torch.device("cpu")}


def words(calls: list[str]) -> Tokenizer:
    def encode(line: str) -> list[int]:
        calls.append(line)
        return [len(word) for word in line.split()]

    return Tokenizer(encode=encode, identity="lengths of words", num_tokens=300, end=299)


def test_bytes_come_back(tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text(VERSE * 10, encoding="utf-8")
    dataset = open_text(tmp_path / "verse.txt", BYTE_TOKENIZER)
    assert (dataset.name, dataset.num_tokens) == ("verse", 256)
    train, test = (dataset.splits[name].tobytes().decode() for name in ("train", "test"))
    assert train + test == VERSE * 10
    assert abs(len(test.encode()) / len((VERSE * 10).encode()) - 0.1) < 0.005
    assert isinstance(dataset.splits["train"], np.memmap) and dataset.splits["train"].dtype == np.uint8


def test_text_is_tokenised_once_until_it_or_the_tokenizer_changes(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text(VERSE * 20, encoding="utf-8")
    calls: list[str] = []
    first = open_text(path, words(calls))
    assert first.splits["train"].dtype == np.uint16 and first.splits["train"][-1] == 299
    count = len(calls)
    assert open_text(path, words(calls)).fingerprint == first.fingerprint and len(calls) == count
    path.write_text(VERSE * 20 + "und", encoding="utf-8")
    assert open_text(path, words(calls)).fingerprint != first.fingerprint and len(calls) > count
    assert open_text(path, BYTE_TOKENIZER).fingerprint != first.fingerprint


def test_a_folder_has_its_own_splits_and_whole_lines_are_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_BYTES_AT_ONCE", 40)
    for name, content in (("train/b.txt", VERSE), ("train/a.txt", "ein Wort"), ("test.txt", "zwei kurze Worte")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "train" / "picture.png").write_bytes(b"\x89PNG")
    calls: list[str] = []
    splits = open_text(tmp_path, words(calls)).splits
    lengths = [[len(word) for word in content.split()] for content in ("ein Wort", VERSE, "zwei kurze Worte")]
    assert splits["train"].tolist() == [*lengths[0], 299, *lengths[1], 299]
    assert splits["test"].tolist() == [*lengths[2], 299]
    assert len(calls) == 4 and all(call.endswith("\n") for call in calls[1:3])


def test_091_text_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text in"):
        open_text(tmp_path, BYTE_TOKENIZER)
    path = tmp_path / "latin.txt"
    path.write_bytes(VERSE.encode("latin-1") * 3)
    with pytest.raises(DataError, match="latin.txt is not UTF-8 at byte 1"):
        open_text(path, BYTE_TOKENIZER)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        open_text(path, BYTE_TOKENIZER)
    path.write_text(VERSE, encoding="utf-8")
    with pytest.raises(DataError, match="gave the id 7 for"):
        open_text(path, Tokenizer(encode=lambda line: [7], identity="sevens", num_tokens=7))
    assert not [entry for entry in (tmp_path / "zoo-cache" / "tokens").iterdir() if entry.is_dir()]


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 90), length=st.integers(1, 12), size=st.integers(1, 6), data=st.data())
def test_every_token_is_an_input_once_with_the_next_as_its_target(
    count: int, length: int, size: int, data: st.DataObject
) -> None:
    tokens = np.arange(count, dtype=np.uint16)
    if count <= length:
        with pytest.raises(DataError, match="window"):
            PackedBatches(tokens, length=length, batch_size=size, **FORM)
        return
    batches = PackedBatches(tokens, length=length, batch_size=size, **FORM)
    epoch = list(batches.epoch(3))
    assert len(epoch) == len(batches)
    inputs = torch.cat([batch["input_ids"] for batch in epoch])
    assert torch.equal(torch.cat([batch["targets"] for batch in epoch]), inputs + 1)
    assert sorted(inputs.flatten().tolist()) == list(range((count - 1) // length * length))
    assert torch.equal(inputs[:, 0], torch.cat([batch["index"] for batch in epoch]) * length)
    start = data.draw(st.integers(0, len(batches)))
    rest = list(batches.epoch(3, start))
    assert all(torch.equal(a["input_ids"], b["input_ids"]) for a, b in zip(epoch[start:], rest, strict=True))


def test_processes_share_each_batch() -> None:
    tokens = np.arange(101, dtype=np.uint8)
    whole = PackedBatches(tokens, length=5, batch_size=4, **FORM).epoch(0)
    parts = [PackedBatches(tokens, length=5, batch_size=4, rank=rank, world_size=2, **FORM).epoch(0) for rank in (0, 1)]
    for batch, *shares in zip(whole, *parts, strict=True):
        assert torch.equal(batch["input_ids"], torch.cat([share["input_ids"] for share in shares]))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real data in ../shared/data")
def test_tinyshakespeare_has_its_usual_split() -> None:
    splits = open_text(SHARED / "tinyshakespeare" / "input.txt", BYTE_TOKENIZER).splits
    assert [len(tokens) for tokens in splits.values()] == [1_003_854, 111_540]
