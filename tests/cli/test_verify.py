"""`zoo verify`."""

from typing import Any


def test_what_was_pulled(pushed: str, says: Any) -> None:
    assert says("verify", "hf://me/tiny", "--hub", "hub").splitlines() == [
        "files      7 hashed again, all as they should be",
        "tensors    4, all finite, all where the model wants them",
        "self-test  off by 0.0e+00, allowed 1e-04",
        "scores     1 declared in the Hub's format",
        "signature  not asked for",
        "hf://me/tiny is verified  TMP/cache/models--me--tiny/snapshots/COMMIT",
    ]


def test_a_folder(tiny: None, says: Any) -> None:
    assert says("verify", "weights").splitlines() == [
        "files      a folder: no hashes known",
        "tensors    4, all finite, all where the model wants them",
        "self-test  off by 0.0e+00, allowed 1e-04",
        "scores     0 declared in the Hub's format",
        "signature  not asked for",
        "weights is verified  weights",
    ]
