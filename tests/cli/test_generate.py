"""`zoo generate`."""

import json
from typing import Any

import zoo


def test_what_is_written(writer: Any, says: Any) -> None:
    folder = writer()
    wanted = zoo.load(folder).generate("a bear", max_new_tokens=8)
    assert says("generate", folder, "a bear", "--max-new-tokens", "8") == f"{wanted}\n"
    found = json.loads(says("generate", folder, "a bear", "--max-new-tokens", "8", "--json"))
    assert found == {"prompt": "a bear", "text": wanted}
