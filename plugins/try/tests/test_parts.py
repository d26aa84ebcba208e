"""A result is shown by its shape, whatever its task."""

from pathlib import Path
from typing import Any

import pytest
from zoo_try.parts import matrix, parts_of, text


def shown(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = []
    for part in parts_of(result, ["a row"], ()):
        rows = part["text"] if part["kind"] == "text" else part["rows"]
        found.append((part["kind"], part["title"], *([part["columns"]] if part["kind"] == "table" else []), rows))
    return found


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        ({"predictions": [{"label": "a", "score": 0.7}]}, [("bars", "", [["a", 0.7, ""]])]),
        ({"predictions": [{"token": "a", "score": 1, "text": "a b"}]}, [("bars", "", [["a", 1.0, "a b"]])]),
        ({"predictions": []}, [("text", "", "none")]),
        ({"predictions": [{"label": "a", "score": 3.5}]}, [("table", "", ["label", "score"], [["a", "3.5"]])]),
        ({"predictions": [{"label": "a", "score": float("nan")}]}, [("table", "", ["label", "score"], [["a", "nan"]])]),
        ({"items": [{"item": "a", "score": 0.5}]}, [("table", "items", ["item", "score"], [["a", "0.5"]])]),
        ({"shares": {"a": 0.75, "b": 0.25}}, [("bars", "shares", [["a", 0.75, ""], ["b", 0.25, ""]])]),
        ({"sizes": {"a": 0.5, "b": 0.1}}, [("table", "sizes", [], [["a", "0.5"], ["b", "0.1"]])]),
        ({"text": "said", "start_time": 1.25}, [("text", "text", "said"), ("table", "", [], [["start time", "1.25"]])]),
        (
            {"spans": [{"start": 0.1, "end": 2.0}, {"word": "a"}]},
            [("table", "spans", ["start", "end", "word"], [["0.1", "2", ""], ["", "", "a"]])],
        ),
        ({"numbers": [1, 2.5, [3, 4]]}, [("table", "numbers", [], [["1"], ["2.5"], ["3, 4"]])]),
        ({"other": None}, []),
    ],
)
def test_a_result(result: dict[str, Any], wanted: list[tuple[Any, ...]]) -> None:
    assert shown(result) == wanted


def test_drawings_are_shown_and_other_files_can_be_saved(tmp_path: Path) -> None:
    for name in ("a.mask.png", "a.png", "a.txt"):
        (tmp_path / name).write_bytes(name.encode())
    found = list(parts_of({}, ["ant", "", "0.9"], sorted(tmp_path.iterdir())))
    assert [(part["kind"], part.get("name"), part.get("says")) for part in found] == [
        ("picture", None, "ant; 0.9"),
        ("file", "a.mask.png", None),
        ("file", "a.txt", None),
    ]


def test_numbers_that_are_none_cannot_break_the_page() -> None:
    assert matrix(["a"], [[float("nan")]])["values"] == [[0.0]]
    assert text("\x1b[2J")["text"] == "\x1b[2J"  # the page shows it as text
