"""Models of other plugins stay with their engine whatever comes: other numbers of items, other lengths, padding."""

import logging
from typing import Any

import pytest
import torch

import zoo
from zoo.inference.engines import compute_with, engine_named

SIZES = {"vocab_size": 50, "width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@torch.inference_mode()
def test_texts_of_any_number_and_length(name: str, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip(name)
    pytest.importorskip("zoo_transformer")
    model: Any = zoo.create("bert", **SIZES).eval()
    plain: Any = zoo.create("bert", **SIZES).eval()
    plain.load_state_dict(model.state_dict())
    compute_with(engine_named(name), model)
    with caplog.at_level(logging.WARNING, "zoo"):
        for count, length in ((3, 9), (5, 4), (1, 12)):
            ids = torch.arange(count * length).reshape(count, length) % 50
            mask = torch.ones_like(ids)
            mask[0, length // 2 :] = 0
            torch.testing.assert_close(
                model.forward_features(ids, mask)[mask > 0],
                plain.forward_features(ids, mask)[mask > 0],
                rtol=1e-3,
                atol=1e-3,
            )
    assert not [said for said in caplog.messages if said.startswith("engine")], "nothing fell back to eager mode"
