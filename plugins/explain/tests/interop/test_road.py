"""What ROAD fills in is what its authors' imputation fills in, as grad-cam ships it."""

import pytest
import torch
from zoo_explain.checking.imputing import imputed


def test_pixels_are_filled_in_as_its_authors_do() -> None:
    road = pytest.importorskip(
        "pytorch_grad_cam.metrics.road", reason="needs grad-cam and scipy: benchmarks/explain_oracle.sh"
    )
    random = torch.Generator().manual_seed(0)
    image = torch.rand(3, 24, 31, generator=random)
    gone = torch.rand(24, 31, generator=random) < 0.7
    gone[4:14, 5:20] = True  # a hole that no known pixel is near
    expected = road.NoisyLinearImputer(noise=0.0)(image.clone(), (~gone).float())
    found = imputed(image[None], gone[None], torch.zeros(1, *image.shape))[0]
    assert (found - expected).abs().max() < 1e-4
