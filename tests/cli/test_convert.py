"""`zoo convert`."""

from typing import Any


def test_a_checkpoint(tiny: None, says: Any) -> None:
    import torch

    import zoo

    saved = {"model": zoo.create("tiny").state_dict(), "optimizer": {"state": {}}, "epoch": 3}
    torch.save(saved, "w.pth")
    assert says("convert", "w.pth", "--out", "got").splitlines()[::2] == [
        "converted: got, 4 tensors, 0.0 MB, from model",
        "fits:      no model of the installed plugins by its tensors' names; `zoo list` shows the models",
    ]
    assert "got exists; choose another one, or replace it with --force" in says(
        "convert", "w.pth", "--out", "got", code=2
    )


def test_what_is_refused(tiny: None, says: Any) -> None:
    import argparse

    import torch

    torch.save({"args": argparse.Namespace()}, "w.pth")
    assert says("convert", "w.pth", "--out", "got", code=5) == (
        "zoo: w.pth needs argparse.Namespace, which could run code; get the weights as safetensors, or let whoever "
        "trusts it save its state_dict alone\n"
    )
