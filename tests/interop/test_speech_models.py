"""wav2vec 2.0, HuBERT and AST equal those of transformers, on random weights of the real configurations."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo

transformers = pytest.importorskip("transformers")
pytest.importorskip("zoo_speech")

LARGE = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}


@pytest.mark.parametrize(
    ("config", "model", "changed"),
    [
        ("Wav2Vec2Config", "Wav2Vec2Model", {}),
        ("Wav2Vec2Config", "Wav2Vec2Model", {**LARGE, "num_hidden_layers": 2, "hidden_size": 96}),
        ("HubertConfig", "HubertModel", {}),
    ],
)
def test_frames_are_equal(tmp_path: Path, config: str, model: str, changed: dict[str, Any]) -> None:
    torch.manual_seed(0)
    theirs = getattr(transformers, model)(getattr(transformers, config)(**changed)).eval()
    with torch.no_grad():  # norms and biases begin at values that hide mistakes
        for name, parameter in theirs.named_parameters():
            if parameter.ndim == 1 and name != "masked_spec_embed":
                parameter.add_(torch.randn_like(parameter) * 0.1)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = zoo.load(tmp_path / "theirs")
    waves = torch.randn(2, 9000)
    with torch.no_grad():
        expected = theirs(waves).last_hidden_state
        found = ours.forward_features(waves)  # type: ignore[operator]
    assert found.shape == expected.shape and float((found - expected).abs().max()) < 1e-4
    inputs = zoo.describe(tmp_path / "theirs").inputs
    assert inputs is not None and (inputs.values.rate, inputs.values.normalize) == (16_000, True)


def test_what_pretraining_adds_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = transformers.Wav2Vec2Config(
        num_hidden_layers=1, hidden_size=32, num_attention_heads=2, intermediate_size=32
    )
    transformers.Wav2Vec2ForPreTraining(config).save_pretrained(tmp_path / "theirs")
    assert sum(parameter.numel() for parameter in zoo.load(tmp_path / "theirs").parameters())
    assert "ignored 8 tensors that the model does not have" in caplog.text


def test_ast_logits_are_equal(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = transformers.ASTForAudioClassification(transformers.ASTConfig(num_labels=7)).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.ndim == 1 or parameter.shape[:2] == (1, 1):
                parameter.add_(torch.randn_like(parameter) * 0.1)
    theirs.save_pretrained(tmp_path / "theirs")
    ours, spectrograms = zoo.load(tmp_path / "theirs"), torch.randn(1, 1024, 128)
    with torch.no_grad():
        expected, found = theirs(spectrograms).logits, ours(spectrograms.transpose(1, 2))
    assert found.shape == (1, 7) and float((found - expected).abs().max()) < 1e-4
    inputs = zoo.describe(tmp_path / "theirs").inputs
    assert inputs is not None and inputs.values.log_mel.mels == 128
