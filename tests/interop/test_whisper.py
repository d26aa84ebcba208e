"""Whisper equals that of transformers: logits of the real configuration, and greedy texts token for token."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("zoo_speech")

TEXT = 256
SPECIAL = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|fr|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
]
TIMES = 1501
PLACE = {token: TEXT + place for place, token in enumerate(SPECIAL)}
VOCABULARY = TEXT + len(SPECIAL) + TIMES
SMALL = {
    **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48},
    **{"encoder_attention_heads": 2, "decoder_attention_heads": 2, "vocab_size": VOCABULARY},
    **{"decoder_start_token_id": PLACE["<|startoftranscript|>"], "max_target_positions": 60},
    **{name: PLACE["<|endoftext|>"] for name in ("pad_token_id", "eos_token_id", "bos_token_id")},
}


def perturbed(model: Any) -> Any:
    """Return a model whose norms and biases are not those that hide mistakes."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def stored(folder: Path, seed: int, *, spread: float = 6.0, **rules: Any) -> Any:
    """Write a small model with a tokenizer of bytes, and return it."""
    torch.manual_seed(seed)
    model = perturbed(transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**SMALL)))
    with torch.no_grad():  # so that what is written depends on what is heard, and ends
        model.model.decoder.embed_tokens.weight.mul_(spread)
        for layer in model.model.decoder.layers:
            layer.encoder_attn.out_proj.weight.mul_(40)
            layer.encoder_attn.v_proj.weight.mul_(10)
    model.generation_config = transformers.GenerationConfig(
        **{name: PLACE["<|endoftext|>"] for name in ("pad_token_id", "eos_token_id", "bos_token_id")},
        decoder_start_token_id=PLACE["<|startoftranscript|>"],
        is_multilingual=True,
        lang_to_id={name: PLACE[name] for name in ("<|en|>", "<|de|>", "<|fr|>")},
        task_to_id={"transcribe": PLACE["<|transcribe|>"], "translate": PLACE["<|translate|>"]},
        no_timestamps_token_id=PLACE["<|notimestamps|>"],
        suppress_tokens=[7, 8, 9, *range(PLACE["<|startoftranscript|>"], PLACE["<|notimestamps|>"])],
        begin_suppress_tokens=[32, PLACE["<|endoftext|>"]],
        max_initial_timestamp_index=50,
        max_length=SMALL["max_target_positions"],
        **rules,
    )
    model.save_pretrained(folder)
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(tokenizers.models.BPE({letter: n for n, letter in enumerate(letters)}, []))
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens([tokenizers.AddedToken(token, special=True) for token in SPECIAL])
    made.save(str(folder / "tokenizer.json"))
    return model


def sound(seconds: float, seed: int) -> np.ndarray:
    """Return tones that change all the time, in noise."""
    random = np.random.default_rng(seed)
    time = np.arange(int(16_000 * seconds)) / 16_000
    pitch = np.repeat(random.uniform(100, 3000, int(seconds) + 1), 16_000)[: len(time)]
    return (0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / 16_000) + random.normal(0, 0.02, len(time))).astype(np.float32)


def test_features_and_logits_of_the_real_configuration_are_equal(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = perturbed(transformers.WhisperForConditionalGeneration(transformers.WhisperConfig()))
    theirs.save_pretrained(tmp_path / "theirs")
    ours: Any = zoo.load(tmp_path / "theirs")
    spectrogram, tokens = torch.randn(1, 80, 3000), torch.randint(0, 51_865, (1, 9))
    with torch.no_grad():
        expected = theirs(spectrogram, decoder_input_ids=tokens)
        memory = ours.forward_features(spectrogram)
        whole, _ = ours.write(tokens, memory)
        first, kept = ours.write(tokens[:, :8], memory)
        last, _ = ours.write(tokens[:, 8:], memory, kept)
    assert float((memory - expected.encoder_last_hidden_state).abs().max()) < 1e-4
    assert float((whole - expected.logits).abs().max()) < 1e-4
    assert float((torch.cat([first, last], 1) - expected.logits).abs().max()) < 1e-4
    inputs = zoo.describe(tmp_path / "theirs").inputs
    assert inputs is not None and (inputs.values.samples, inputs.values.log_mel.mels) == (480_000, 80)


@pytest.mark.parametrize(
    ("seed", "seconds", "options"),
    [
        *((seed, 2.5, {"language": "de"}) for seed in range(2)),
        (3, 4.0, {}),
        *((seed, 7.0, {"language": "fr", "timestamps": True}) for seed in (4, 5)),
        *((seed, 75.0, {"language": "en"}) for seed in (6, 7)),
    ],
)
def test_what_is_written_is_equal_token_for_token(
    seed: int, seconds: float, options: dict[str, Any], tmp_path: Path
) -> None:
    theirs = stored(tmp_path / "theirs", seed)
    extractor = transformers.WhisperFeatureExtractor()
    wave, long = sound(seconds, seed), seconds > 30
    features = extractor(
        wave,
        sampling_rate=16_000,
        return_tensors="pt",
        truncation=not long,
        padding="longest" if long else "max_length",
    ).input_features
    timed = long or options.get("timestamps", False)
    done = theirs.generate(
        features, language=options.get("language"), task="transcribe", return_timestamps=timed, return_segments=True
    )
    (heard,) = zoo.load(tmp_path / "theirs").predict(wave, rate=16_000, **options)  # type: ignore[operator]
    assert heard["tokens"] == [token for part in done["segments"][0] for token in part["tokens"].tolist()]
    assert len(heard["tokens"]) > 3
    if timed:
        assert [part["start"] for part in heard["segments"]] == [
            round(min(float(p["start"]), seconds), 3) for p in done["segments"][0]
        ]
    if long:
        assert len(heard["segments"]) > 2
    letters = json.loads((tmp_path / "theirs" / "tokenizer.json").read_text())["model"]["vocab"]
    assert len(letters) == TEXT and isinstance(heard["text"], str)
