"""The networks are good citizens."""

from typing import Any

import torch

from zoo.testing import ModelTests

SPECTROGRAMS = torch.randn(4, 40, 32, generator=torch.Generator().manual_seed(0))


class TestBCResNet(ModelTests):
    name = "bc_resnet_1"

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


class TestBCResNetOfSegments(ModelTests):
    name = "bc_resnet_2"

    def arguments(self) -> dict[str, Any]:
        return {"segments": 4}

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


class TestTCResNet(ModelTests):
    name = "tc_resnet_14"

    def arguments(self) -> dict[str, Any]:
        return {"segments": 2}

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


class TestWav2Vec2(ModelTests):
    name = "wav2vec2_base"

    def arguments(self) -> dict[str, Any]:
        return {
            **{"conv_width": 16, "width": 24, "depth": 2, "num_heads": 2, "mlp_width": 32},
            **{"positions_kernel": 8, "positions_groups": 2},
        }

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"waves": torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))}


class TestLargeWav2Vec2(TestWav2Vec2):
    name = "hubert_base"

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "norm": "layer", "norm_first": True, "conv_bias": True, "positions_kernel": 7}


SMALL = {"mels": 40, "frames": 32, "patch": 8, "frequency_stride": 8, "time_stride": 8, "width": 24, "depth": 2}


class TestAST(ModelTests):
    name = "ast"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL, "num_heads": 2, "mlp_width": 48}

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


class TestASTOfPatches(ModelTests):
    name = "ast_nano"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL, "num_heads": 2, "mlp_width": 48, "segments": 2}

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


def test_segments_tell_a_sound_from_its_reverse() -> None:
    import zoo

    one, four = (zoo.create("bc_resnet_1", segments=count).eval() for count in (1, 4))
    assert one.num_features == 32 and four.num_features == 128
    four.load_state_dict(one.state_dict())
    with torch.no_grad():
        features = one.forward_features(SPECTROGRAMS)
        mean, parts = (model.forward_head(features, pre_logits=True) for model in (one, four))
    assert torch.allclose(parts.view(4, 4, 32).mean(1), mean, atol=1e-6)


def test_bc_resnet_has_the_parameters_of_the_paper() -> None:
    import zoo

    # Table 1: 9.2k and 321k with a classifier of 12 words
    assert 9_000 < sum(p.numel() for p in zoo.create("bc_resnet_1", num_classes=12).parameters()) < 9_500
    assert 319_000 < sum(p.numel() for p in zoo.create("bc_resnet_8", num_classes=12).parameters()) < 323_000


class TestWhisper(ModelTests):
    name = "whisper_tiny"

    def arguments(self) -> dict[str, Any]:
        return {
            **{"mels": 40, "context": 16, "width": 24, "depth": 2, "num_heads": 2},
            "mlp_width": 32,
        }

    def inputs(self) -> torch.Tensor:
        return SPECTROGRAMS


class TestTCResNetOfManyFrames(TestTCResNet):
    def arguments(self) -> dict[str, Any]:
        return {"reduction": 2}
