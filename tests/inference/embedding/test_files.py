"""One file of vectors, made from parts: .safetensors and .parquet say the same to others."""

import json
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from safetensors import safe_open

import zoo
from tests.inference.embedding.test_parts import Counting, plan
from zoo.errors import DataError, IntegrityError, UsageError
from zoo.inference.embedding.files import read_embeddings, write_embeddings


def test_both_files_say_the_same(tmp_path: Path) -> None:
    wanted = [[float(row), float(row * row), 1.0] for row in range(10)]
    names = [f"n{row}" for row in range(10)]
    for name in ("deep/a.safetensors", "deep/a.parquet"):
        assert write_embeddings(plan(), tmp_path / name, lambda _: None)
        read = list(read_embeddings(tmp_path / name))
        assert [row for part in read for row in part.vectors.tolist()] == wanted
        assert [row for part in read for row in part.names] == names
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["a.parquet", "a.safetensors"]
    with safe_open(tmp_path / "deep/a.safetensors", "np") as file:
        assert json.loads(file.metadata()["names"]) == names
    table = pyarrow.parquet.read_table(tmp_path / "deep/a.parquet")
    assert table.to_pydict() == {"name": names, "embedding": wanted}


@pytest.mark.parametrize("name", ["a.safetensors", "a.parquet"])
def test_something_else_is_kept_unless_forced(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    write_embeddings(plan(), out, lambda _: None)
    embed = Counting()
    assert not write_embeddings(plan(embed=embed, part_size=3), out, lambda _: None) and embed.asked == []
    before = out.read_bytes()
    with pytest.raises(UsageError, match="holds something else; choose another --out, or replace it with --force"):
        write_embeddings(plan(weights="v"), out, lambda _: None)
    assert out.read_bytes() == before
    assert write_embeddings(plan(weights="v"), out, lambda _: None, force=True)
    out.write_bytes(b"broken")
    with pytest.raises(IntegrityError, match="is no file of vectors"):
        write_embeddings(plan(), out, lambda _: None)


def test_what_no_file_can_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="is neither .safetensors nor .parquet; name such a file, or a folder"):
        write_embeddings(plan(), tmp_path / "vectors.npy", lambda _: None)
    monkeypatch.setattr("zoo.inference.embedding.container._MOST_HEADER", 500)
    samples = zoo.Samples(items=range(10), names=["n" * 100] * 10, fingerprint="f")
    with pytest.raises(DataError, match="the names of 10 samples are too long for one .safetensors file"):
        write_embeddings(plan(samples=samples, part_size=1), tmp_path / "vectors.safetensors", lambda _: None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"file needs the data extra: pip install 'zoo-hub\[data\]'"):
        write_embeddings(plan(), tmp_path / "vectors.parquet", lambda _: None)


def test_names_of_any_letters(tmp_path: Path) -> None:
    samples = zoo.Samples(items=[1, 2], names=["é", "猫"], fingerprint="f")
    write_embeddings(plan(samples=samples), tmp_path / "a.safetensors", lambda _: None)
    (read,) = read_embeddings(tmp_path / "a.safetensors")
    assert read.names == ["é", "猫"]
