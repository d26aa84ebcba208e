"""`zoo info`."""

import json
from typing import Any


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
        "licence": "MIT",
        "plugin": "zoo-tiny 1.0",
        "use": "zoo pretrain tiny --data DATA --out RUN",
    }


def test_weights(pushed: str, says: Any) -> None:
    says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub")
    shown = says("info", "tiny.demo").splitlines()
    head, listed, rest = shown[:4], shown[4], shown[5:]
    assert head == ["name        tiny.demo", "kind        weights", "repo        me/tiny", "revision    COMMIT"]
    assert listed.count("'sha256': 'SHA256'") == 7
    assert rest == [
        "plugin      zoo-tiny",
        "task        image-classification",
        "license     mit",
        "data        fashion_mnist",
        "parameters  50 (0 k)",
        "scores      accuracy=87.5",
        "listed in   TMP/config/zoo/registry.json",
        'load        zoo.load("tiny.demo")',
    ]
