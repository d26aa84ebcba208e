"""`zoo info`."""

import json
from typing import Any

SETTABLE = [
    "",
    "ARGUMENT     TYPE  DEFAULT  MOST  MEANING",
    "width        int   4        -     -",
    "num_classes  int   2        -     -",
    "--arg NAME=VALUE sets one",
]


def test_a_model(tiny: None, says: Any) -> None:
    assert says("info", "tiny").splitlines() == [
        "name          tiny",
        "kind          model",
        "family        cnn",
        "summary       A tiny net",
        "target        zoo_tiny:Tiny",
        "modality      image",
        "task          image-classification",
        "capabilities  features",
        "license       MIT",
        "plugin        zoo-tiny 1.0",
        "use           zoo pretrain tiny --data DATA --out RUN",
        *SETTABLE,
    ]
    assert json.loads(says("info", "tiny", "--json")) == {
        "name": "tiny",
        "kind": "model",
        "family": "cnn",
        "summary": "A tiny net",
        "target": "zoo_tiny:Tiny",
        "modality": "image",
        "task": "image-classification",
        "capabilities": ["features"],
        "arguments": {},
        "limits": {},
        "parameters": None,
        "recipe": None,
        "settings": {},
        "layouts": None,
        "fallback": False,
        "license": "MIT",
        "plugin": "zoo-tiny 1.0",
        "use": "zoo pretrain tiny --data DATA --out RUN",
        "settable": [
            {"name": name, "type": "int", "default": default, "most": None, "meaning": None}
            for name, default in (("width", "4"), ("num_classes", "2"))
        ],
    }


def test_weights(pushed: str, says: Any) -> None:
    says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub")
    shown = says("info", "tiny.demo").splitlines()
    head, listed, rest = shown[:4], shown[4], shown[5:]
    assert head == [
        "name            tiny.demo", "kind            weights", "repo            me/tiny", "revision        COMMIT"
    ]  # fmt: skip
    assert listed.count("'sha256': 'SHA256'") == 7
    assert rest == [
        "plugin          zoo-tiny",
        "task            image-classification",
        "license         mit",
        "data            fashion_mnist",
        "parameters      50 (0 k)",
        "scores          accuracy=87.5",
        "scored          data=fashion_mnist, source=hf://me/tiny@COMMIT",
        "commercial use  allowed",
        "listed in       TMP/config/zoo/registry.json",
        'load            zoo.load("tiny.demo")',
    ]


def test_several_side_by_side(says: Any) -> None:
    lines = says("info", "resnet18.a1_in1k", "minilm_l6.all_v2").splitlines()
    rows = {line[:16].strip(): line[16:].split("  ") for line in lines}
    cells = {key: [cell.strip() for cell in row if cell.strip()] for key, row in rows.items()}
    assert cells[""] == ["resnet18.a1_in1k", "minilm_l6.all_v2"]
    assert cells["scored"] == ["imagenet-1k, 2025-10-30", "-"]
    assert cells["multiply_adds"] == ["1,814,073,344 (1.81 G)", "-"]
    assert "files" not in cells
    found = json.loads(says("info", "resnet18.a1_in1k", "resnet18", "--json"))
    assert [one["kind"] for one in found] == ["weights", "model"]


def test_a_weights_folder(tiny: None, says: Any) -> None:
    assert says("info", "weights").splitlines() == [
        "name          weights",
        "kind          weights folder",
        "architecture  tiny",
        "arguments     width=4, num_classes=2",
        "plugin        zoo-tiny 1.0",
        "task          image-classification",
        "labels        cat, dog",
        "inputs        image_size=(8, 8), channels=1, mean=(0.0,), std=(1.0,), crop=1.0, crop_mode=squash, "
        "crop_offset=rounded, interpolation=bilinear",
        "trained on    fashion_mnist",
        "tensors       4",
        "numbers       50 (0 k)",
        "dtypes        F32",
        'load          zoo.load("weights")',
    ]


def test_a_file_and_one_that_is_none(tiny: None, says: Any) -> None:
    import pathlib

    assert "kind          weights folder" not in says("info", "weights/model.safetensors")
    pathlib.Path("x.gguf").write_bytes(b"GGUF" + bytes(8))
    assert "x.gguf is a GGUF file" in says("info", "x.gguf", code=5)
    assert "no file y.gguf" in says("info", "y.gguf", code=3)
    assert "weights is a folder here" in says("info", "weights/tiny", code=3)
    assert "zoo pull me/tiny --to FOLDER" in says("info", "me/tiny", code=3)


def test_a_run(tiny: None, says: Any, make_run: Any, tmp_path: Any) -> None:
    make_run(tmp_path / "run")
    assert says("info", "run").splitlines() == [
        "name        run",
        "kind        run, unfinished at step 2",
        "stage       pretrain",
        "model       tiny",
        "recipe      reconstruction",
        "data        pictures",
        "validation  mse #",
        "all of it   zoo runs show run",
    ]
