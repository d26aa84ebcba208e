"""`zoo embed`."""

import json
from typing import Any

import zoo


def test_vectors_as_json_and_in_a_file(writer: Any, says: Any) -> None:
    folder = writer()
    (wanted,) = zoo.load(folder).embed(["a bear"]).tolist()
    assert json.loads(says("embed", folder, "a bear")) == [{"text": "a bear", "embedding": wanted}]
    said = says("embed", folder, "a bear", "--out", "vectors.safetensors")
    assert said == "1 texts, 16 numbers each  vectors.safetensors\n"
