"""wav2vec 2.0's loss equals that of transformers, with the same hidden frames and the same others to tell them from."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo

transformers = pytest.importorskip("transformers")
pretraining = pytest.importorskip("zoo_speech.wav2vec2_pretraining")


@pytest.mark.parametrize("changed", [{}, {"feat_extract_norm": "layer", "do_stable_layer_norm": True}])
def test_losses_are_equal(changed: dict[str, Any], tmp_path: Path) -> None:
    from zoo_speech.settings import Wav2Vec2Settings

    small = {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 64}
    codes = {"num_codevectors_per_group": 6, "codevector_dim": 16, "proj_codevector_dim": 12}
    torch.manual_seed(0)
    theirs = transformers.Wav2Vec2ForPreTraining(transformers.Wav2Vec2Config(**small, **codes, **changed)).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    ours: Any = zoo.load(tmp_path / "theirs")
    settings = Wav2Vec2Settings(codes=6, code_width=16, projection=12)
    heads = pretraining.Heads(ours, settings).eval()
    heads.load_state_dict(
        {
            **{name: value for name, value in theirs.state_dict().items() if not name.startswith("wav2vec2.")},
            "masked_spec_embed": theirs.wav2vec2.masked_spec_embed,
        }
    )
    waves = torch.randn(3, 12_000)
    count = ours.forward_features(waves).shape[1]
    masked = pretraining.spans(torch.rand(3, count), torch.full((3,), count), 0.1, 5)
    negatives = pretraining.others(torch.rand(3, count, 20), masked)
    with torch.no_grad():
        expected = theirs(
            waves,
            mask_time_indices=masked,
            sampled_negative_indices=negatives + torch.arange(3)[:, None, None] * count,
        )
        found = pretraining.losses(ours, heads, waves, masked, negatives, noise=None, settings=settings)
    hidden = int(masked.sum())
    assert float(found.contrast) == pytest.approx(float(expected.contrastive_loss) / hidden, abs=1e-4)
    assert float(found.diversity) == pytest.approx(float(expected.diversity_loss) / hidden, abs=1e-4)
    total = found.contrast + settings.diversity * found.diversity
    assert float(total) == pytest.approx(float(expected.loss) / hidden, abs=1e-4)
