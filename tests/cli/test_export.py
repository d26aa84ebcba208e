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


def test_the_class_by_which_transformers_opens_it(says: Any, tmp_path: Any, monkeypatch: Any) -> None:
    import zoo

    monkeypatch.chdir(tmp_path)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3)
    zoo.save(zoo.create("resnet18", num_classes=2), "weights", inputs=inputs, labels=["cat", "dog"])
    said = says("export", "weights", "--to", "transformers", "--out", "out").splitlines()
    assert said[1] == 'open it:  transformers.ResNetForImageClassification.from_pretrained("out")'


def test_a_folder_where_a_file_is_written(tiny: None, says: Any, tmp_path: Any) -> None:
    (tmp_path / "out").mkdir()
    asked = ("export", "weights", "--to", "onnx", "--out", "out", "--force")
    assert says(*asked, code=2) == "zoo: out is a folder, and --to onnx writes a file; name it: --out out/model.onnx\n"


def test_a_file_where_a_folder_is_written(tiny: None, says: Any, tmp_path: Any) -> None:
    (tmp_path / "out").touch()
    assert "out is a file, and --to timm writes a folder" in says(
        "export", "weights", "--to", "timm", "--out", "out", "--force", code=2
    )
    assert (tmp_path / "out").is_file()
