"""Whisper writes down sounds of any length, by the tokens and the rules that lie beside its weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from zoo_speech.beside import WrittenSound
from zoo_speech.sound import LogMel, Sound
from zoo_speech.whisper_writing import Rules, Writer, read_rules

import zoo
from zoo.cli import group

LETTERS = "abcdefgh"
SPECIAL = ["<end>", "<start>", "<|de|>", "<|en|>", "<write>", "<untimed>"]
END, START, DE, EN, WRITE, UNTIMED = range(8, 14)
TIMES = 51
SECOND = LogMel(style="whisper", mels=8, window=400, hop=160, fft=400, frames=100)
SMALL = {
    **{"mels": 8, "context": 50, "text_context": 14, "vocab_size": UNTIMED + 1 + TIMES, "width": 16, "depth": 1},
    **{"decoder_depth": 1, "num_heads": 2, "decoder_num_heads": 2, "mlp_width": 16, "decoder_mlp_width": 16},
}
RULES = {
    **{"decoder_start_token_id": START, "eos_token_id": END, "no_timestamps_token_id": UNTIMED},
    **{"suppress_tokens": [START, DE, EN, WRITE], "begin_suppress_tokens": [END], "max_length": 14},
    **{"lang_to_id": {"<|de|>": DE, "<|en|>": EN}, "task_to_id": {"transcribe": WRITE}},
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return small weights that write something, and what lies beside them."""
    vocabulary = {token: place for place, token in enumerate([*LETTERS, *SPECIAL])}
    tokenizer = {
        **{"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None},
        **{"pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Fuse"}},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "a"},
    }
    torch.manual_seed(0)
    model: Any = zoo.create("whisper_tiny", writes=True, **SMALL)
    with torch.no_grad():
        model.decoder.embed_tokens.weight.normal_()
    files = {"generation_config.json": json.dumps(RULES).encode(), "tokenizer.json": json.dumps(tokenizer).encode()}
    inputs = WrittenSound(Sound(rate=16_000, samples=16_000, log_mel=SECOND), files)
    zoo.save(model, tmp_path / "weights", inputs=inputs, task="automatic-speech-recognition")
    return tmp_path / "weights"


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(16_000 * seconds)).astype(np.float32)


def test_writes_texts_and_subtitles(weights: Path, tmp_path: Path) -> None:
    model: Any = zoo.load(weights)
    (heard,) = model.predict(noise(0.5), rate=16_000, language="de")
    assert heard["language"] == "de" and heard["text"] == "".join(LETTERS[t] for t in heard["tokens"] if t < END)
    assert model.predict(noise(0.5), rate=16_000)[0]["language"] in ("de", "en")
    (long,) = model.predict(noise(3.4), rate=16_000)
    assert len(long["segments"]) > 1 and {part["start"] <= part["end"] <= 3.4 for part in long["segments"]} == {True}
    soundfile.write(tmp_path / "a.wav", noise(2.2), 16_000)
    arguments = ["predict", str(weights), str(tmp_path / "a.wav"), "--language", "en", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(group, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".png", ".txt", ".srt", ".vtt"}


def test_what_is_saved_again_writes_the_same(weights: Path, tmp_path: Path) -> None:
    model: Any = zoo.load(weights)
    zoo.save(model, tmp_path / "again")
    again: Any = zoo.load(tmp_path / "again")
    assert again.predict(noise(1.5), rate=16_000) == model.predict(noise(1.5), rate=16_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "xx"}, "these weights know de, en"),
        ({"beams": 4}, "writes greedily here"),
    ],
)
def test_what_it_cannot_do_is_told(weights: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(zoo.UsageError, match=message):
        zoo.load(weights).predict(noise(0.3), rate=16_000, **options)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"eos_token_id": 999}, f"eos_token_id .* is no token of {SMALL['vocab_size']}"),
        ({"eos_token_id": None}, "eos_token_id .* is no token"),
        ({"suppress_tokens": 3}, "suppress_tokens .* is no list"),
        ({"suppress_tokens": [-1]}, "suppress_tokens .* is no token"),
        ({"lang_to_id": ["de"]}, "lang_to_id .* is no dict"),
    ],
)
def test_rules_that_are_wrong_are_told(weights: Path, changed: dict[str, Any], message: str) -> None:
    (weights / "generation_config.json").write_text(json.dumps({**RULES, **changed}))
    with pytest.raises(zoo.IntegrityError, match=message):
        read_rules(weights, SMALL["vocab_size"])


def test_files_that_are_missing_or_no_text_are_told(weights: Path) -> None:
    model: Any = zoo.load(weights)
    rules, tokenizer = weights / "generation_config.json", weights / "tokenizer.json"
    rules.rename(weights / "aside")
    with pytest.raises(zoo.NotFoundError, match=r"no generation_config.json beside"):
        model.predict(noise(0.3), rate=16_000)
    (weights / "aside").rename(rules)
    tokenizer.write_bytes(b"{\xff")
    with pytest.raises(zoo.IntegrityError, match="is not UTF-8 at byte 1"):
        model.predict(noise(0.3), rate=16_000)
    tokenizer.unlink()
    with pytest.raises(zoo.NotFoundError, match=r"no tokenizer.json beside"):
        model.predict(noise(0.3), rate=16_000)


def test_a_segment_that_ends_where_it_begins_is_passed_over() -> None:
    """Timestamps of zero twice would have the same window heard for ever."""
    model: Any = zoo.create("whisper_tiny", writes=True, **SMALL)
    rules = Rules(START, END, (), (), {}, None, UNTIMED, None, 14)
    writer = Writer(model, rules, None, timed=True)
    writer._tokens = lambda memory, prompt: [UNTIMED + 1, UNTIMED + 1, 3]  # type: ignore[method-assign]
    segments = writer.write(torch.zeros(1, 8, 250))
    assert len(segments) == 3 and [round(part.start, 2) for part in segments] == [0.0, 1.0, 2.0]


def test_a_decoder_gives_way_to_a_head(weights: Path, words: Path, tmp_path: Path) -> None:
    settings = {"epochs": 1, "batch_size": 16}
    done = zoo.finetune(weights, task="audio-classification", data=str(words), out=tmp_path / "run", settings=settings)
    model: Any = zoo.load(done.folder)
    assert model.decoder is None and not (done.folder / "weights" / "tokenizer.json").exists()
    assert len(model.predict(noise(0.3), rate=16_000)[0]["predictions"]) == 3
