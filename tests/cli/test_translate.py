"""`zoo translate`."""

import json
from typing import Any

import zoo


def test_a_line_a_text(writer: Any, says: Any) -> None:
    folder = writer("reading", task="translation")
    wanted = zoo.load(folder).generate(["a bear", "a bowl"], beams=4)
    assert says("translate", folder, "a bear", "a bowl") == "".join(f"{line}\n" for line in wanted)
    assert json.loads(says("translate", folder, "a bear", "a bowl", "--json")) == [
        {"text": "a bear", "translation": wanted[0]},
        {"text": "a bowl", "translation": wanted[1]},
    ]
