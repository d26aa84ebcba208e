"""Weights that write by a head of their own, as others stored them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from zoo_speech.beside import WrittenSound
from zoo_speech.sound import Sound

import zoo

SMALL = {
    **{"conv_width": 16, "width": 24, "depth": 1, "num_heads": 2, "mlp_width": 32},
    **{"positions_kernel": 8, "positions_groups": 2, "ctc": True, "vocab_size": 6, "blank": 1},
}
TOKENS = ["<s>", "<pad>", "|", "A", "B", "C"]


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Return weights with a head of letters that say much, and their vocabulary."""
    torch.manual_seed(0)
    model: Any = zoo.create("wav2vec2_base", **SMALL)
    with torch.no_grad():
        model.letters.weight.mul_(20)
    files = {
        "vocab.json": json.dumps({token: place for place, token in enumerate(TOKENS)}).encode(),
        "tokenizer_config.json": b'{"do_lower_case": true, "word_delimiter_token": {"content": "|"}}',
    }
    inputs = WrittenSound(Sound(rate=16_000, normalize=True), files)
    zoo.save(model, tmp_path / "letters", inputs=inputs, task="automatic-speech-recognition")
    return tmp_path / "letters"


def test_letters_are_read_with_the_vocabulary_beside_them(letters: Path, tmp_path: Path) -> None:
    model: Any = zoo.load(letters)
    waves = [np.random.default_rng(seed).normal(0, 0.1, 9000 + 700 * seed).astype(np.float32) for seed in range(2)]
    heard = model.predict(waves, rate=16_000)
    values = torch.from_numpy(waves[1])
    with torch.no_grad():
        places = model(((values - values.mean()) / values.std(correction=0))[None])[0].argmax(1).tolist()
    kept = [place for n, place in enumerate(places) if place != 1 and places[n - 1 : n] != [place]]
    text = "".join(TOKENS[place].lower().replace("|", " ") for place in kept)
    assert heard[1]["text"] == text.strip() and len(text) > 3
    (alone,) = model.predict(waves[1], rate=16_000)
    assert torch.equal(alone["letters"], heard[1]["letters"])  # what is beside a sound changes nothing
    zoo.save(model, tmp_path / "again")
    again = zoo.load(tmp_path / "again").predict(waves, rate=16_000)
    assert [row["words"] for row in again] == [row["words"] for row in heard]


def test_a_vocabulary_that_lacks_letters_is_refused(letters: Path) -> None:
    (letters / "vocab.json").write_text('{"<s>": 0, "<pad>": 1}')
    with pytest.raises(zoo.IntegrityError, match="names no token 2, of 6"):
        zoo.load(letters).predict(np.zeros(4000, np.float32), rate=16_000)


def test_letters_of_others_are_not_scored_by_a_random_head(letters: Path, sentences: Path) -> None:
    with pytest.raises(zoo.UsageError, match="write by the tokens beside them"):
        zoo.evaluate(letters, data=str(sentences))


def test_letters_of_others_give_way_to_new_ones(letters: Path, sentences: Path, tmp_path: Path) -> None:
    settings = {"epochs": 1, "batch_size": 16, "hidden": 0}
    done = zoo.finetune(
        letters, task="automatic-speech-recognition", data=str(sentences), out=tmp_path / "run", settings=settings
    )
    assert set(zoo.describe(done.folder).labels) == set(" fr")
    assert not (done.folder / "weights" / "vocab.json").exists()
    assert set(zoo.load(done.folder).predict(sentences / "1.flac")[0]["text"]) <= set(" fr")
