"""Tokens of texts in one row: the same bytes however often it was killed, with a few pieces in memory."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zoo.data.text import streams
from zoo.data.text.dataset import TextSplit
from zoo.errors import DataError
from zoo.weights.tokenizer_training import make_tokenizer

SCRIPT = """
import os, signal, sys
from pathlib import Path
from zoo.data.text import documents, streams
from zoo.weights.tokenizer import Tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

documents._BYTES_AT_ONCE, streams._KEPT_EVERY, streams.processors = 500, 1, lambda: 2
asked, kept = 0, 0
encode, write_file = Tokenizer.encode, streams.write_file

def counting(self, texts, *rest, **options):
    global asked
    asked += len(texts)
    return encode(self, texts, *rest, **options)

def dying(path, content):
    global kept
    kept += path.suffix == ".progress"
    if kept == int(sys.argv[3]):  # tokens are written that no progress tells of
        os.kill(os.getpid(), signal.SIGKILL)
    write_file(path, content)

Tokenizer.encode, streams.write_file = counting, dying
texts = documents.open_documents(Path(sys.argv[1]))
streams.write_streams(texts.splits, make_tokenizer("bytes", []), Path(sys.argv[2]), "here")
print(asked)
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    lines = [" ".join(map(str, random.integers(0, 10**6, 8))) for _ in range(180)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    return tmp_path / "text.txt"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_killed_and_gone_on_with_the_same_bytes(text: Path, tmp_path: Path) -> None:
    def run(out: Path, dies_at: int) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", SCRIPT, str(text), str(out), str(dies_at)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    whole = run(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    killed = 0
    while (last := run(tmp_path / "killed", 5)).returncode == -9:
        killed += 1
        assert not (tmp_path / "killed").exists(), "nothing half-written has the final name"
    assert last.returncode == 0 and killed == 2, last.stderr
    assert int(last.stdout) < int(whole.stdout) / 2, "what was done is not done again"
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert sorted(contents(tmp_path / "whole")) == ["test.bin", "test.bytes", "train.bin", "train.bytes"]
    assert not (tmp_path / "killed.partial").exists()


class Counted(str):
    """A piece of text; `most` are alive at once."""

    alive = most = 0

    def __new__(cls, text: str) -> "Counted":
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)
        return super().__new__(cls, text)

    def __del__(self) -> None:
        Counted.alive -= 1


class Pieces:
    def __len__(self) -> int:
        return 1

    def pieces(self) -> Iterator[tuple[str, bool]]:
        for place in range(200):
            yield Counted(f"{place} "), place == 199


def test_a_few_pieces_are_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "processors", lambda: 2)
    streams.write_streams({"train": TextSplit(Pieces())}, make_tokenizer("bytes", []), tmp_path / "out", "here")
    tokens = np.fromfile(tmp_path / "out" / "train.bin", np.uint16)
    assert len(tokens) == sum(len(f"{place} ") for place in range(200))
    assert 2 < Counted.most <= 2 * 6


class NoPieces(Pieces):
    def pieces(self) -> Iterator[tuple[str, bool]]:
        yield "", True


def test_a_split_without_tokens_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the train split of here is empty"):
        streams.write_streams({"train": TextSplit(NoPieces())}, make_tokenizer("bytes", []), tmp_path / "out", "here")
    assert list(tmp_path.iterdir()) == []
