"""`zoo embed`: what is printed, drawn and refused, of images and of texts."""

import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.inference.embedding.seer import install, make_weights
from tests.inference.text import tiny_writers
from zoo.cli import run
from zoo.inference.embedding.files import read_embeddings


@pytest.fixture
def seer(site: Any, tmp_path: Path) -> Callable[..., str]:
    install(site)
    return lambda name="seer": str(make_weights(tmp_path / name, name))


@pytest.fixture
def writer(site: Any, tmp_path: Path) -> str:
    tiny_writers.install(site)
    return str(tiny_writers.make_weights(tmp_path / "continuing", "continuing", kind="characters"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return four images, of which 0 and 2 are the same, and so are 1 and 3."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (2, 30, 40), np.uint8)
    for place in range(4):
        Image.fromarray(pixels[place % 2]).save(folder / f"{place}.png")
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["embed", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["embed", *arguments])
    found = capsys.readouterr()
    assert found.out == ""
    return code, found.err.splitlines()[-1]


def test_images_are_printed_as_json(
    seer: Any, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    weights, paths = seer(), sorted(photos.iterdir())
    wanted = zoo.load(weights).embed(paths, normalize=True)
    found = json.loads(said(capsys, weights, str(photos), "--normalize"))
    assert found == [{"image": str(path), "embedding": row} for path, row in zip(paths, wanted.tolist(), strict=True)]
    piped = "".join(f"{path}\n" for path in paths).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(piped)))
    assert json.loads(said(capsys, weights, "-", "--normalize")) == found


def test_an_autoencoder_gives_its_codes(seer: Any, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = json.loads(said(capsys, seer("coder"), str(photos / "0.png")))
    assert len(found["embedding"]) == 5


def test_files_of_texts_are_read_by_lines(writer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "a.txt").write_text("a bear\n\na bowl\n", encoding="utf-8")
    (tmp_path / "mail" / "b.md").write_text("naïve", encoding="utf-8")
    texts = ["two bears", "a bear", "a bowl", "naïve"]
    out = tmp_path / "v.parquet"
    said(capsys, writer, "two bears", str(tmp_path / "mail"), "--out", str(out))
    (read,) = read_embeddings(out)
    assert read.names == ["two bears", *(f"{tmp_path}/mail/{end}" for end in ("a.txt:1", "a.txt:3", "b.md:1"))]
    assert read.vectors.tolist() == zoo.load(writer).embed(texts).float().tolist()


def test_a_table_of_texts(writer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text(f"said,n\n{split} bear,1\n{split} bowl,2\n")
    asked = (writer, "--data", str(tmp_path), "--text", "said")
    found = json.loads(said(capsys, *asked))
    assert [item["text"] for item in found] == ["test bear", "test bowl", "train bear", "train bowl"]
    out = tmp_path / "v.safetensors"
    assert said(capsys, *asked, "--split", "train", "--out", str(out)) == f"2 texts, 16 numbers each  {out}\n"
    assert next(iter(read_embeddings(out))).names == ["train/0", "train/1"]
    (tmp_path / "notes.txt").write_text("a bear\na bowl\n" * 20)
    lines = json.loads(said(capsys, writer, "--data", str(tmp_path / "notes.txt")))
    assert [item["text"] for item in lines] == ["a bear", "a bowl"] * 20


def test_neighbours_are_printed_and_drawn(
    seer: Any, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = seer()
    table = said(capsys, weights, str(photos), "--neighbours", "1")
    wanted = [[f"{photos}/{row}.png", "1.000", f"{photos}/{(row + 2) % 4}.png"] for row in range(4)]
    assert [line.split() for line in table.splitlines()] == [["IMAGE", "COSINE", "NEAREST"], *wanted]
    for out, drawn in (("v", "v/neighbours.png"), ("v.safetensors", "v.neighbours.png")):
        for done in ("", "  (done before)"):
            shown = said(capsys, weights, str(photos), "--neighbours", "1", "--out", str(tmp_path / out))
            assert shown == f"4 img, 6 numbers each  {tmp_path / out}{done}\n{table}drawn: {tmp_path / drawn}\n"
        with Image.open(tmp_path / drawn) as image:
            assert image.size == (2 * 102 + 12, 4 * 126 + 6)


def test_neighbours_of_texts_are_texts(writer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("a bear", "a bowl", "a bear", "--neighbours", "1", "--out", str(tmp_path / "v"))
    lines = said(capsys, writer, *asked).splitlines()
    assert lines[1:3] == ["TEXT    COSINE  NEAREST", "a bear  1.000   a bear"]
    assert not (tmp_path / "v" / "neighbours.png").exists()


def test_a_broken_image_is_named(seer: Any, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = seer()
    for row in (6, 7, 8):  # no copies of each other, so that some are tested on
        Image.linear_gradient("L").rotate(30 * row).save(photos / f"{row}.png")
    (photos / "5.png").write_bytes((photos / "0.png").read_bytes()[:200])
    code, line = refused(capsys, weights, str(photos), "--out", str(tmp_path / "v"))
    assert (code, "photos/5.png is a broken picture" in line) == (9, True)
    assert list((tmp_path / "v").iterdir()) == []
    code, line = refused(capsys, weights, "--data", str(photos))
    assert (code, "photos/5.png is a broken picture" in line) == (9, True)
    assert "left out" in _noted(capsys, weights, "--data", str(photos), "--data-set", "skip_bad=1", count=7)
    code, line = refused(capsys, weights, str(photos / "none.png"))
    assert (code, "none.png; check the path" in line) == (3, True)


def _noted(capsys: pytest.CaptureFixture[str], *arguments: str, count: int = 4) -> str:
    assert run(["embed", *arguments]) == 0
    found = capsys.readouterr()
    assert len(json.loads(found.out)) == count
    return found.err


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ((), "Missing argument '[ITEM]…', or --data"),
        (("a.png", "--data", "fashion_mnist_sample"), "both items and --data say"),
        (("a.png", "--split", "test"), "--split says something of --data; give that too"),
        (("a.png", "--part-size", "3"), "--part-size says something of --out"),
        (("a.png", "--out", "v.npy"), "neither .safetensors nor .parquet"),
        (("--data", "fashion_mnist_sample", "--split", "dev"), "has no split 'dev'; it has test, train"),
        (("--data", "fashion_mnist_sample", "--text", "said"), "'text' is not an option of image data"),
    ],
)
def test_what_says_nothing_is_refused(
    seer: Any, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], why: str
) -> None:
    code, line = refused(capsys, seer(), *asked)
    assert code == 2 and why in line


def test_a_model_without_features_makes_none(site: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests import tiny

    tiny.install(site)
    tiny.make_weights(tmp_path / "tiny")
    code, line = refused(capsys, str(tmp_path / "tiny"), "a.png")
    assert code == 2 and "tiny: 'tiny' makes no vectors of images: it is no zoo.Backbone; use `zoo predict`" in line


def test_weights_that_came_without_a_tokenizer_say_so(writer: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As an Opus-MT of Marian's layout does, whose two SentencePiece models are no tokenizer.json."""
    (Path(writer) / "tokenizer.json").rename(Path(writer) / "source.spm")
    code, said = refused(capsys, writer, "two bears")
    assert code == 3
    assert said == (
        f"zoo: no tokenizer.json in {writer}; text needs one: put the model's tokenizer beside its weights, or name one"
    )
