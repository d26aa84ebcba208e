"""The recipes are good citizens."""

from typing import Any

import torch

from zoo.testing import RecipeTests

RANDOM = torch.Generator().manual_seed(0)
WAVES = {
    "waves": torch.randint(-9000, 9000, (6, 3000), generator=RANDOM, dtype=torch.int16),
    "waves_lengths": torch.tensor([3000, 2000, 2500, 3000, 2900, 2700]),
}
SPECTROGRAMS = {"log_mel": torch.randn(6, 40, 32, generator=RANDOM)}


class TestSupervised(RecipeTests):
    name, model, classes = "sound_supervised", "bc_resnet_1", ("a", "b", "c")

    def batch(self) -> dict[str, torch.Tensor]:
        return {**SPECTROGRAMS, "labels": torch.arange(6) % 3}


class TestContrastive(RecipeTests):
    name, model = "sound_contrastive", "tc_resnet_8"

    def settings(self) -> dict[str, Any]:
        return {"optimizer": "sgd", "learning_rate": 5e-3, "frequency_mask": 0.0, "time_mask": 0.0}

    def batch(self) -> dict[str, torch.Tensor]:
        return SPECTROGRAMS


class TestMaskedPatches(RecipeTests):
    name, model = "sound_masked_patches", "ast_nano"

    def arguments(self) -> dict[str, Any]:
        return {"frames": 32, "width": 24, "depth": 2, "mlp_width": 48}

    def batch(self) -> dict[str, torch.Tensor]:
        return SPECTROGRAMS


class TestHiddenFrames(RecipeTests):
    name, model = "sound_hidden_frames", "wav2vec2_base"

    def arguments(self) -> dict[str, Any]:
        return {
            **{"conv_width": 16, "width": 24, "depth": 1, "num_heads": 2, "mlp_width": 32},
            **{"positions_kernel": 8, "positions_groups": 2},
        }

    def settings(self) -> dict[str, Any]:
        codes = {"code_groups": 2, "codes": 4, "code_width": 8, "projection": 8, "span": 3, "negatives": 5}
        return {**codes, "shift": 0.0, "noise": 0.0, "optimizer": "sgd", "learning_rate": 1e-2}

    def batch(self) -> dict[str, torch.Tensor]:
        return WAVES


class TestClassification(RecipeTests):
    name, model, classes = "audio_classification", "bc_resnet_1", ("a", "b", "c")

    def settings(self) -> dict[str, Any]:
        return {"learning_rate": 2e-2, "tilt": 0.0, "frequency_mask": 0.0, "time_mask": 0.0}

    def batch(self) -> dict[str, torch.Tensor]:
        return {**SPECTROGRAMS, "labels": torch.arange(6) % 3}


class TestRecognition(RecipeTests):
    name, model, classes = "speech_recognition", "tc_resnet_8", ("a", "b")

    def settings(self) -> dict[str, Any]:
        return {"hidden": 16, "optimizer": "sgd", "learning_rate": 2e-3}

    def batch(self) -> dict[str, torch.Tensor]:
        texts = torch.tensor([[1, 2, 0], [2, 1, 2], [1, 0, 0], [1, 1, 0], [2, 2, 1], [2, 0, 0]])
        return {**SPECTROGRAMS, "transcripts": texts, "transcripts_lengths": (texts > 0).sum(1)}
