"""Texts in tokens: rows and streams, what batches hold, and that two numbers decide their order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.ragged import Ragged
from zoo.data.text.batches import IGNORED, RowBatches, WindowBatches
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.documents import open_documents
from zoo.data.text.tokenize import TokenLayout, tokenize
from zoo.data.text.tokens import TokenRows, TokenStream
from zoo.errors import DataError, UsageError
from zoo.weights.tokenizer import TextInputs
from zoo.weights.tokenizer_training import make_tokenizer

BYTES = make_tokenizer("bytes", [])
END, PAD, SPECIAL = BYTES.needed("end"), BYTES.needed("pad"), 5
FORM: dict[str, Any] = {"seed": 0, "shuffle": True, "drop_last": True, "device": torch.device("cpu")}
IN_ORDER: dict[str, Any] = {**FORM, "shuffle": False, "drop_last": False}


def dataset(**columns: Any) -> TextDataset:
    split = TextSplit(**columns)
    return TextDataset(
        name="few", splits={"train": split, "test": split}, classes=("a", "b"), source="here", fingerprint="f"
    )


def stream(count: int, length: int, end: int | None = None) -> TokenStream:
    return TokenStream(np.arange(count, dtype=np.uint16), length, end, count)


def test_rows_are_cut_and_padded() -> None:
    texts = ["abc", "", "x" * 100]
    rows = tokenize(
        dataset(texts=texts, labels=np.array([0, 1, 0])), TextInputs(BYTES, 5), TokenLayout("labels")
    ).splits["train"]
    (batch,) = RowBatches(rows, batch_size=3, **IN_ORDER).epoch(0)  # type: ignore[arg-type]
    assert batch["attention_mask"].sum(1).sort().values.tolist() == [1, 3, 5], "the empty text is one token of padding"
    longest = batch["index"].tolist().index(2)
    assert BYTES.decode(batch["input_ids"][longest].tolist()) == "xxxxx"
    assert batch["labels"].tolist() == [[0, 1, 0][place] for place in batch["index"].tolist()]


def test_pairs_have_segments() -> None:
    tokenizer = make_tokenizer("wordpiece", ["one two three four"] * 3, size=300)
    rows = tokenize(
        dataset(texts=["one two"], pairs=["three four"], labels=np.array([0])),
        TextInputs(tokenizer, 64),
        TokenLayout("labels"),
    ).splits["train"]
    (batch,) = RowBatches(rows, batch_size=1, **IN_ORDER).epoch(0)  # type: ignore[arg-type]
    assert batch["token_type_ids"].max() == 1 and batch["token_type_ids"].shape == batch["input_ids"].shape


def test_what_is_written_ends() -> None:
    inputs = TextInputs(BYTES, 4)
    data = dataset(texts=["ab", "cdefgh"], target_text=["wxyz", "é"])
    rows = tokenize(data, inputs, TokenLayout("target_text", max_target_tokens=3)).splits["train"]
    (batch,) = RowBatches(rows, batch_size=2, **IN_ORDER).epoch(0)  # type: ignore[arg-type]
    by_place = {int(place): row for row, place in enumerate(batch["index"])}
    first, second = by_place[0], by_place[1]
    assert batch["input_ids"][first].tolist()[:3] == [*BYTES.encode(["ab"])[0].ids, END]
    assert batch["input_ids"][second].tolist() == [*BYTES.encode(["cde"])[0].ids, END]
    assert batch["target_ids"][first].tolist() == [*BYTES.encode(["wx"])[0].ids, END]
    length = int(batch["reference_lengths"][second])
    assert batch["references"][second][:length].numpy().tobytes().decode() == "é"


def test_a_causal_model_reads_and_writes_in_one_row() -> None:
    rows = tokenize(
        dataset(texts=["ab"], target_text=["xyz"]),
        TextInputs(BYTES, 8),
        TokenLayout("target_text", joins=True, max_target_tokens=8),
    ).splits["train"]
    (batch,) = RowBatches(rows, batch_size=1, **IN_ORDER).epoch(0)  # type: ignore[arg-type]
    expected = [*BYTES.encode(["ab"])[0].ids, END, *BYTES.encode(["xyz"])[0].ids, END]
    assert batch["input_ids"][0].tolist() == expected and batch["prompt_lengths"].tolist() == [3]


@pytest.mark.parametrize(("learns_from", "message"), [("labels", "--label NAME"), ("target_text", "--target NAME")])
def test_what_a_task_learns_from_must_be_there(learns_from: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tokenize(dataset(texts=["a"]), TextInputs(BYTES, 8), TokenLayout(learns_from, max_target_tokens=8))


def test_plain_text_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words")
    texts = open_documents(tmp_path / "a.txt")
    with pytest.raises(DataError, match="no labels"):
        tokenize(texts, TextInputs(BYTES, 8), TokenLayout("labels"))


def test_a_stream_ends_each_of_several_texts_and_is_told_once(tmp_path: Path) -> None:
    data = dataset(texts=["abcdef", "ghijkl"])
    first = tokenize(data, TextInputs(BYTES, 4), TokenLayout("tokens")).splits["train"]
    assert isinstance(first, TokenStream) and isinstance(first.tokens, np.memmap)
    assert first.tokens.tolist() == [*BYTES.encode(["abcdef"])[0].ids, END, *BYTES.encode(["ghijkl"])[0].ids, END]
    assert (first.end, first.num_bytes) == (END, 10), "the first byte of each is never foretold"
    (folder,) = (entry for entry in (tmp_path / "zoo-cache" / "tokens").iterdir() if entry.is_dir())
    stamp = folder.stat().st_mtime_ns
    tokenize(data, TextInputs(BYTES, 3), TokenLayout("tokens"))
    assert folder.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("kind", "texts", "foretold"),
    [
        ("bytes", ["éab", "cd"], 3 + 1),
        ("characters", ["éab", "cd"], 2 + 1),
        ("bpe", ["aaaa aaaa aaaa", "aaaa aaaa"], 10 + 5),
        ("wordpiece", ["one two three", "four one"], 13 + 8),
    ],
)
def test_bytes_of_tokens_that_are_never_foretold_do_not_count(kind: str, texts: list[str], foretold: int) -> None:
    """A wordpiece tokenizer puts a token before each text, from which its first one is foretold."""
    learnt = ["one two three four"] * 3 if kind == "wordpiece" else ["aaaa aaaa aaaa"] * 9 + ["éabcd"]
    tokenizer = make_tokenizer(kind, learnt, size=300)
    found = tokenize(dataset(texts=texts), TextInputs(tokenizer, 2), TokenLayout("tokens")).splits["train"]
    assert isinstance(found, TokenStream) and found.num_bytes == foretold


def test_a_template_of_the_tokenizer_is_around_each_text_of_a_stream() -> None:
    tokenizer = make_tokenizer("wordpiece", ["one two three four"] * 3, size=300)
    found = tokenize(dataset(texts=["one two", "three"]), TextInputs(tokenizer, 3), TokenLayout("tokens")).splits[
        "train"
    ]
    assert isinstance(found, TokenStream)
    begin, end = tokenizer.needed("begin"), tokenizer.needed("end")
    ids = found.tokens.tolist()
    assert ids[0] == begin and ids.count(begin) == ids.count(end) == 2 and ids[-1] == end


def test_an_empty_text_has_no_stream(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        tokenize(open_documents(tmp_path / "a.txt"), TextInputs(BYTES, 8), TokenLayout("tokens"))
    assert not [entry for entry in (tmp_path / "zoo-cache").rglob("tokens/*") if entry.is_dir()]


def test_too_few_tokens_make_no_window() -> None:
    with pytest.raises(DataError, match="too few for a window of 16"):
        stream(16, 16)


def test_texts_do_not_foretell_each_other() -> None:
    tokens = np.array([9, 8, END, 7, 6, END, 5, 4, 3], np.uint16)
    (batch,) = WindowBatches(TokenStream(tokens, 8, END, 9), batch_size=1, **IN_ORDER).epoch(0)
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 2, 2, 2, 3, 3]]
    assert batch["targets"].tolist() == [[8, END, IGNORED, 6, END, IGNORED, 4, 3]]


@settings(max_examples=50, deadline=None)
@given(count=st.integers(2, 90), length=st.integers(1, 12), size=st.integers(1, 6), data=st.data())
def test_every_token_is_an_input_once_with_the_next_as_its_target(
    count: int, length: int, size: int, data: st.DataObject
) -> None:
    if count <= length:
        return
    batches = WindowBatches(stream(count, length), batch_size=size, **IN_ORDER)
    epoch = list(batches.epoch(3))
    assert len(epoch) == len(batches)
    inputs = torch.cat([batch["input_ids"] for batch in epoch])
    assert torch.equal(torch.cat([batch["targets"] for batch in epoch]), inputs + 1)
    assert inputs.flatten().tolist() == list(range((count - 1) // length * length))
    start = data.draw(st.integers(0, len(batches)))
    rest = list(batches.epoch(3, start))
    assert all(torch.equal(a["input_ids"], b["input_ids"]) for a, b in zip(epoch[start:], rest, strict=True))


def test_windows_of_another_epoch_begin_elsewhere() -> None:
    batches = WindowBatches(stream(1000, 16), batch_size=4, **FORM)
    begins = [{int(batch["input_ids"][0, 0]) % 16 for batch in batches.epoch(epoch)} for epoch in range(4)]
    assert all(len(found) == 1 for found in begins) and len(set.union(*begins)) > 1


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=70), size=st.integers(1, 9), epoch=st.integers(0, 3))
def test_every_text_is_in_one_batch_of_an_epoch(lengths: list[int], size: int, epoch: int) -> None:
    rows = TokenRows(Ragged.of([[place + 1] * length for place, length in enumerate(lengths)], np.uint16), pad=0)
    batches = RowBatches(rows, batch_size=size, **IN_ORDER | {"shuffle": True})
    seen = [
        (int(i), row[mask != 0].tolist())
        for batch in batches.epoch(epoch)
        for i, row, mask in zip(batch["index"], batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    assert sorted(place for place, _ in seen) == list(range(len(lengths)))
    assert all(row == [place + 1] * lengths[place] for place, row in seen)
    again = [batch["index"].tolist() for batch in batches.epoch(epoch)]
    assert [place for batch in again for place in batch] == [place for place, _ in seen]


def test_texts_of_like_length_lie_together() -> None:
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 100, 640)
    rows = TokenRows(Ragged.of([[1] * int(length) for length in lengths], np.uint8), pad=0)
    epoch = list(RowBatches(rows, batch_size=20, **FORM).epoch(0))
    padded = sum(batch["input_ids"].numel() for batch in epoch)
    assert padded < 1.2 * lengths.sum()
    means = [float(batch["attention_mask"].sum(1).float().mean()) for batch in epoch]
    assert means != sorted(means), "batches come in any order"


@pytest.mark.parametrize("rows", [True, False])
def test_processes_share_each_batch(rows: bool) -> None:
    def batches(**more: Any) -> Any:
        if rows:
            values = Ragged.of([[place] * (place % 7 + 1) for place in range(40)], np.uint8)
            return RowBatches(TokenRows(values, pad=0), batch_size=4, **FORM, **more)
        return WindowBatches(stream(101, 5), batch_size=4, **FORM, **more)

    parts = [batches(rank=rank, world_size=2).epoch(0) for rank in (0, 1)]
    for whole, *shares in zip(batches().epoch(0), *parts, strict=True):
        assert torch.equal(whole["index"], torch.cat([share["index"] for share in shares]))


def test_a_subset_is_drawn_evenly_and_a_share_is_held_out() -> None:
    data = dataset(texts=[str(number) for number in range(40)], labels=np.arange(40) % 2)
    rows = tokenize(data, TextInputs(BYTES, 8), TokenLayout("labels"))
    few = rows.subset(10, seed=3)
    train = few.splits["train"]
    assert isinstance(train, TokenRows) and train.labels is not None and train.labels.sum() == 5
    assert few.fingerprint != rows.fingerprint
    held = rows.hold_out(0.25, seed=0)
    assert (len(held.splits["train"]), len(held.splits["validation"])) == (30, 10)
    with pytest.raises(UsageError, match="ask for 2 to 40"):
        rows.subset(41, seed=0)
    streamed = tokenize(data, TextInputs(BYTES, 4), TokenLayout("tokens")).hold_out(0.5, seed=0)
    assert isinstance(streamed.splits["validation"], TokenStream)
    with pytest.raises(UsageError, match="omit it"):
        streamed.subset(3, seed=0)
