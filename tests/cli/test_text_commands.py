"""The commands that write text, make vectors of it and train tokenizers: what they print, and what they refuse."""

import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors.torch import load_file

import zoo
from tests.inference.text.tiny_writers import install, make_weights
from zoo.cli import run
from zoo.weights.tokenizer import read_tokenizer

Weights = Callable[..., str]


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Weights:
    install(site)
    return lambda name="continuing", **asked: str(
        make_weights(tmp_path / name, name, **{"kind": "characters", **asked})
    )


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Return a function that puts bytes on standard input."""
    return lambda content: monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(content)))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(arguments)
    found = capsys.readouterr()
    (line,) = found.err.splitlines()
    assert found.out == ""
    return code, line


def test_generate_prints_what_is_written(weights: Weights, capsys: pytest.CaptureFixture[str], pipe: Any) -> None:
    folder = weights()
    asked = ("--max-new-tokens", "12", "--temperature", "0.9", "--seed", "2")
    wanted = zoo.load(folder).generate("a bear", max_new_tokens=12, temperature=0.9, seed=2)
    assert said(capsys, "generate", folder, "a bear", *asked) == wanted + "\n"
    assert json.loads(said(capsys, "generate", folder, "a bear", *asked, "--json")) == {
        "prompt": "a bear",
        "text": wanted,
    }
    pipe(b"a bear\n")
    assert said(capsys, "generate", folder, "-", *asked) == wanted + "\n"
    stopped = said(capsys, "generate", folder, "a bear", *asked, "--stop", wanted[3], "--stop", wanted[6])
    assert stopped.removesuffix("\n") == wanted[: min(wanted.index(wanted[3]), wanted.index(wanted[6]))]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--beams", "2", "--temperature", "1"), "2 beams and temperature=1 contradict each other"),
        (("--top-k", "3"), "temperature 0 is greedy"),
        (("--max-new-tokens", "0"), "max_new_tokens is 0; give 1 to"),
        (("--max-new-tokens", "64"), "leave no room for a prompt in this model's context of 64"),
        (("--beams", "many"), "not a valid integer"),
    ],
)
def test_generate_refuses(
    weights: Weights, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], why: str
) -> None:
    code, line = refused(capsys, "generate", weights(), "a", *asked)
    assert code == 2 and why in line


def test_input_that_is_not_utf8(
    weights: Weights, capsys: pytest.CaptureFixture[str], pipe: Any, tmp_path: Path
) -> None:
    for command, task in (("generate", "text-generation"), ("translate", "translation"), ("embed", "text-generation")):
        folder = weights(task=task)
        pipe(b"a b\xff")
        code, line = refused(capsys, command, folder, "-")
        assert (code, "standard input is not UTF-8 at byte 3; convert it" in line) == (9, True)
    (tmp_path / "mail.txt").write_bytes(b"\xc3(")
    code, line = refused(capsys, "summarize", weights(task="summarization"), str(tmp_path / "mail.txt"))
    assert (code, "mail.txt is not UTF-8 at byte 0" in line) == (9, True)


def test_translate_prints_a_line_a_text(weights: Weights, capsys: pytest.CaptureFixture[str], pipe: Any) -> None:
    folder = weights("reading", task="translation")
    texts = ["a bear", "a bowl", "bear"]
    wanted = zoo.load(folder).generate(texts, beams=4)
    assert said(capsys, "translate", folder, *texts).splitlines() == wanted
    pipe(b"a bowl\nbear\n")
    assert said(capsys, "translate", folder, "a bear", "-").splitlines() == wanted
    found = json.loads(said(capsys, "translate", folder, *texts, "--json", "--beams", "1"))
    greedy = zoo.load(folder).generate(texts)
    assert found == [{"text": text, "translation": line} for text, line in zip(texts, greedy, strict=True)]


def test_134_translate_gives_a_line_for_a_line(weights: Weights, capsys: pytest.CaptureFixture[str], pipe: Any) -> None:
    folder = weights("reading", task="translation")
    pipe("\ufeffa bowl\u2028bear\x0c\n\na\x85bear\r\nbear".encode())
    found = json.loads(said(capsys, "translate", folder, "-", "--json"))
    assert [item["text"] for item in found] == ["a bowl\u2028bear\x0c", "", "a\x85bear", "bear"]


def test_138_commands_that_take_texts_do_not_take_names(
    weights: Weights, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mail.txt").write_text("a bear", encoding="utf-8")
    there, gone = str(tmp_path / "mail.txt"), str(tmp_path / "male.txt")
    for command, name, task in (("translate", "reading", "translation"), ("generate", "continuing", "text-generation")):
        assert refused(capsys, command, weights(name, task=task), gone)[0] == 3
        code, line = refused(capsys, command, weights(name, task=task), there)
        assert (code, f"{there} is a file, and this takes a text; pass `-` and pipe it: < {there}" in line) == (2, True)
    code, line = refused(capsys, "summarize", weights("reading", task="summarization"), gone)
    assert (code, f"no file {gone}; check its name" in line) == (3, True)


def test_summarize_takes_texts_and_files(weights: Weights, zoo_command: Any, tmp_path: Path) -> None:
    folder = weights("reading", task="summarization")
    (tmp_path / "mail.txt").write_text("a bear\nand a bowl", encoding="utf-8")
    texts = ["another bear" * 400, "a bear\nand a bowl"]
    done = zoo_command("summarize", folder, texts[0], str(tmp_path / "mail.txt"))
    assert done.stdout.splitlines() == zoo.load(folder).generate(texts, beams=4)
    assert done.stderr == "note: 1 of 2 texts are truncated to the first 64 tokens\n"


@pytest.mark.parametrize(
    ("command", "name", "task", "use"),
    [
        (
            "translate",
            "reading",
            "summarization",
            "holds weights for summarization, not for translation; use `zoo summ",
        ),
        (
            "summarize",
            "reading",
            "translation",
            "holds weights for translation, not for summarization; use `zoo transl",
        ),
        ("translate", "continuing", "text-generation", "use `zoo generate`"),
        ("generate", "mute", "fill-mask", "holds 'mute' for fill-mask, which generates no text; use `zoo predict`"),
        ("generate", "continuing", "text-classification", "generates no text; use `zoo predict`"),
    ],
)
def test_weights_for_another_task(
    weights: Weights, capsys: pytest.CaptureFixture[str], command: str, name: str, task: str, use: str
) -> None:
    code, line = refused(capsys, command, weights(name, task=task), "a bear")
    assert code == 2 and use in line


def test_embed(weights: Weights, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = weights()
    wanted = zoo.load(folder).embed(["a", "bear"], normalize=True)
    found = json.loads(said(capsys, "embed", folder, "a", "bear", "--normalize"))
    assert [item["text"] for item in found] == ["a", "bear"]
    assert [item["embedding"] for item in found] == wanted.tolist()
    out = tmp_path / "new" / "vectors.safetensors"
    assert said(capsys, "embed", folder, "a", "bear", "--normalize", "--out", str(out)).startswith(
        "2 texts, 16 numbers"
    )
    assert load_file(out)["embeddings"].tolist() == wanted.float().tolist()
    code, line = refused(capsys, "embed", folder, "a", "--out", str(tmp_path / "vectors.txt"))
    assert code == 2 and "is neither .safetensors nor .parquet" in line


def test_a_tokenizer_is_trained_and_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "texts" / "inner").mkdir(parents=True)
    (tmp_path / "texts" / "a.txt").write_text("two bears and a bowl\n" * 50, encoding="utf-8")
    (tmp_path / "texts" / "inner" / "b.md").write_text("naïve bears\n" * 50, encoding="utf-8")
    (tmp_path / "texts" / "c.csv").write_bytes(b"\xff")
    out = tmp_path / "made" / "bears.json"
    asked = ("tokenizer", "train", str(tmp_path / "texts"), "--out", str(out))
    assert said(capsys, *asked, "--size", "300").startswith("bpe, ")
    tokenizer = read_tokenizer(out)
    assert tokenizer.decode(tokenizer.encode(["naïve bears"])[0].ids) == "naïve bears"
    shown = said(capsys, "tokenizer", "show", str(out))
    assert f"tokens   {tokenizer.num_tokens}" in shown and "end      </s> (3)" in shown
    table = said(capsys, "tokenizer", "show", str(out), "two bears")
    assert "'two'" in table and table.endswith("tokens\n")
    listed = json.loads(said(capsys, "tokenizer", "show", str(out), "two bears", "--json"))
    assert "".join(item["text"] for item in listed) == "two bears"
    code, line = refused(capsys, *asked)
    assert code == 2 and "replace it with --force" in line
    said(capsys, *asked, "--kind", "characters", "--force")
    assert read_tokenizer(out).identity != tokenizer.identity


def test_what_no_tokenizer_can_be_trained_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "t.json"))
    (tmp_path / "broken.txt").write_bytes(b"fine\n" * 300_000 + b"a\xff")
    (tmp_path / "empty").mkdir()
    for data, code, why in (
        ("broken.txt", 9, "broken.txt is not UTF-8 at byte 1,500,001; convert it, for example with iconv"),
        ("empty", 9, "no text in"),
        ("none.txt", 3, "no file"),
    ):
        assert refused(capsys, "tokenizer", "train", str(tmp_path / data), *out)[0] == code
        assert why in refused(capsys, "tokenizer", "train", str(tmp_path / data), *out)[1]
    code, line = refused(capsys, "tokenizer", "train", str(tmp_path / "broken.txt"), "--out", str(tmp_path / "t.txt"))
    assert code == 2 and "must end in .json" in line
    assert not (tmp_path / "t.json").exists()
    code, line = refused(capsys, "tokenizer", "show", str(tmp_path / "none.json"))
    assert code == 3
    (tmp_path / "bad.json").write_text("{}")
    assert refused(capsys, "tokenizer", "show", str(tmp_path / "bad.json"))[0] == 5


def test_the_tokenizer_of_weights_is_shown(weights: Weights, capsys: pytest.CaptureFixture[str]) -> None:
    assert "WordLevel" in said(capsys, "tokenizer", "show", weights())
