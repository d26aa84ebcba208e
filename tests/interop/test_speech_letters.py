"""Wav2Vec2ForCTC and HubertForCTC write the same letters here as in transformers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo

transformers = pytest.importorskip("transformers")
pytest.importorskip("zoo_speech")

SMALL = {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 64}
TOKENS = ["<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ"]


def stored(kind: str, folder: Path, *, pad: int) -> Any:
    """Write a small model with random weights and its vocabulary, and return it with its tokenizer."""
    tokens = [*TOKENS[:pad], "<pad>", *TOKENS[pad:]]
    (folder / "vocab.json").parent.mkdir()
    (folder / "vocab.json").write_text(json.dumps({token: place for place, token in enumerate(tokens)}))
    torch.manual_seed(1)
    config = getattr(transformers, f"{kind}Config")(
        **SMALL, vocab_size=len(tokens), pad_token_id=pad, mask_time_prob=0.0
    )
    model = getattr(transformers, f"{kind}ForCTC")(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(8)  # so that letters follow one another
    model.save_pretrained(folder)
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


@pytest.mark.parametrize(("kind", "pad"), [("Wav2Vec2", 0), ("Hubert", 14), ("Wav2Vec2", 3)])
def test_letters_are_equal(kind: str, pad: int, tmp_path: Path) -> None:
    theirs, tokenizer = stored(kind, tmp_path / "theirs", pad=pad)
    ours: Any = zoo.load(tmp_path / "theirs")
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    waves = [torch.randn(16_000).numpy() / 8, torch.randn(9_000).numpy() / 8]
    expected = []
    for wave in waves:
        values = extractor(wave, sampling_rate=16_000, return_tensors="pt").input_values
        with torch.no_grad():
            logits = theirs(values).logits
            assert float((ours(values) - logits).abs().max()) < 1e-4
        expected.append(tokenizer.decode(logits[0].argmax(1)))
    heard = ours.predict(waves, rate=16_000)
    assert [row["text"] for row in heard] == expected and len(expected[0]) > 10
    assert zoo.describe(tmp_path / "theirs").task == "automatic-speech-recognition"


def test_what_is_exported_is_read_by_transformers(tmp_path: Path) -> None:
    theirs, _ = stored("Wav2Vec2", tmp_path / "theirs", pad=0)
    zoo.export(tmp_path / "theirs", to="transformers", out=tmp_path / "again")
    again = transformers.AutoModelForCTC.from_pretrained(tmp_path / "again").eval()
    waves = torch.randn(1, 9000)
    with torch.no_grad():
        assert torch.allclose(again(waves).logits, theirs(waves).logits, atol=1e-5)
    assert (tmp_path / "again" / "vocab.json").read_bytes() == (tmp_path / "theirs" / "vocab.json").read_bytes()
