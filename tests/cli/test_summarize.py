"""`zoo summarize`."""

import json
from typing import Any

import zoo


def test_a_line_a_text(writer: Any, says: Any) -> None:
    folder = writer("reading", task="summarization")
    (wanted,) = zoo.load(folder).generate(["a bear"], beams=4)
    assert says("summarize", folder, "a bear") == f"{wanted}\n"
    assert json.loads(says("summarize", folder, "a bear", "--json")) == [{"text": "a bear", "summary": wanted}]
