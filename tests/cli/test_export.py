"""`zoo export`."""

from typing import Any


def test_a_graph(tiny: None, says: Any) -> None:
    assert says("export", "weights", "--to", "torch-export", "--out", "graph.pt2").splitlines() == [
        "exported: graph.pt2, 0.0 MB",
        'open it:  torch.export.load("graph.pt2").module()',
    ]


def test_what_is_there_already(tiny: None, says: Any, tmp_path: Any) -> None:
    (tmp_path / "graph.pt2").touch()
    assert "graph.pt2" in says("export", "weights", "--to", "torch-export", "--out", "graph.pt2", code=2)
