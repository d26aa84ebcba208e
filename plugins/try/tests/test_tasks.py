"""Each task is asked over HTTP, and answers as people expect."""

import base64
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from try_pages import Page
from try_weights import photo, sound
from zoo_try.ways import ways_of

import zoo

Serve = Callable[[str], Page]


def kinds(parts: list[dict[str, Any]]) -> list[str]:
    return [part["kind"] for part in parts]


def image(part: dict[str, Any]) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(part["data"])))


@pytest.fixture
def square(tmp_path: Path) -> bytes:
    return photo(tmp_path / "square.png").read_bytes()


def test_classes_come_with_bars(page: Serve, weights: Any, square: bytes, tmp_path: Path) -> None:
    parts = page("image-classification").ask("predict", {"square.png": square})
    assert kinds(parts) == ["bars", "picture", "done"]
    (wanted,) = zoo.load(weights("image-classification")).predict([tmp_path / "square.png"])
    assert [row[:2] for row in parts[0]["rows"]] == [[item["label"], item["score"]] for item in wanted["predictions"]]
    assert sum(row[1] for row in parts[0]["rows"]) == pytest.approx(1)


def test_boxes_are_drawn_and_listed(page: Serve, square: bytes) -> None:
    drawn, listed, _ = page("object-detection").ask("predict", {"square.png": square})
    assert drawn["kind"] == "picture" and image(drawn).width >= 48 and "square" in drawn["says"]
    assert listed["columns"] == ["label", "score", "box"] and listed["rows"][0][0] == "square"


def test_masks_are_drawn_with_their_shares(page: Serve, square: bytes) -> None:
    parts = page("image-segmentation").ask("predict", {"square.png": square})
    assert kinds(parts) == ["picture", "bars", "file", "done"]
    assert {row[0] for row in parts[1]["rows"]} <= {"ground", "square"} and parts[2]["name"] == "square.mask.png"
    assert image(parts[2]).size == (48, 48)


def test_classes_of_a_text_and_of_a_pair(page: Serve, weights: Any) -> None:
    served, model = page("text-classification"), zoo.load(weights("text-classification"))
    (bars, _), (paired, _) = (
        served.ask("predict", text="word1\nword2"),
        served.ask("predict", text="word1", pair="word2"),
    )
    for found, wanted in ((bars, model.predict("word1\nword2")), (paired, model.predict("word1", "word2"))):
        assert [row[:2] for row in found["rows"]] == [
            [item["label"], item["score"]] for item in wanted[0]["predictions"]
        ]


def test_a_text_that_names_a_file_is_a_text(page: Serve) -> None:
    bars, _ = page("text-classification").ask("predict", text="/etc/passwd")
    assert bars["kind"] == "bars"


def test_a_text_is_streamed_piece_by_piece(page: Serve, weights: Any) -> None:
    parts = page("text-generation").ask("write", text="word1 word2", max_new_tokens=6)
    assert kinds(parts) == ["text"] * (len(parts) - 1) + ["done"] and len(parts) > 3
    wanted = zoo.load(weights("text-generation")).generate("word1 word2", max_new_tokens=6)
    assert "".join(part["text"] for part in parts[:-1]) == wanted
    (refused,) = page("text-generation").ask("write", text="word1", temperature=-1.0)
    assert refused == {"kind": "error", "text": "temperature is -1.0; give 0 to 1,000"}


def test_masked_words_come_with_their_texts(page: Serve) -> None:
    bars, _ = page("fill-mask").ask("predict", text="word1 [MASK] word2")
    assert len(bars["rows"]) == 5 and all(note.split()[0] == "word1" for _, _, note in bars["rows"])
    first, second, _ = page("fill-mask").ask("predict", text="[MASK] word1 [MASK]")
    assert (first["title"], second["title"]) == ("1", "2")
    (refused,) = page("fill-mask").ask("predict", text="word1")
    assert "has no mask; write [MASK]" in refused["text"]


@pytest.mark.parametrize("task", ["translation", "summarization"])
def test_what_is_read_is_written_by_beams(task: str, page: Serve, weights: Any) -> None:
    served = page(task)
    fields = {field["name"]: field for field in served.server.about["ways"][0]["fields"]}
    assert fields["beams"]["value"] == 4
    *pieces, done = served.ask("write", text="word1 word2 word3", beams=4, max_new_tokens=5)
    wanted = zoo.load(weights(task)).generate("word1 word2 word3", beams=4, max_new_tokens=5)
    assert "".join(piece["text"] for piece in pieces) == wanted and done["kind"] == "done"


def test_samples_are_those_of_the_command(page: Serve, weights: Any, tmp_path: Path) -> None:
    served = page("unconditional-image-generation")
    shown, _ = served.ask("sample", n=4, seed=3, label="1")
    (wanted,) = zoo.sample(weights("unconditional-image-generation"), 4, out=tmp_path, seed=3, label=1)
    assert base64.b64decode(shown["data"]) == wanted.read_bytes()
    (refused,) = served.ask("sample", n=4, label="9")
    assert refused["text"] == "Class is '9'; give one of the list"


def test_reconstructions_stand_below_their_inputs(page: Serve, square: bytes) -> None:
    parts = page("reconstruction").ask("reconstruct", {"a.png": square, "b.png": square})
    assert kinds(parts) == ["text", "picture", "done"]


def test_texts_are_compared_by_their_vectors(page: Serve, weights: Any) -> None:
    matrix, counted, saved, _ = page("feature-extraction").ask("compare", text="word1 word2\n\n word3 \nword1 word2")
    assert matrix["names"] == ["word1 word2", "word3", "word1 word2"]
    assert (
        [row[place] for place, row in enumerate(matrix["values"])] == [1.0, 1.0, 1.0] == [matrix["values"][0][2], 1, 1]
    )
    assert counted["text"] == "3 × 16 numbers"
    vectors = [row["embedding"] for row in json.loads(base64.b64decode(saved["data"]))]
    assert vectors == zoo.load(weights("feature-extraction")).embed(["word1 word2", "word3", "word1 word2"]).tolist()


def test_files_are_compared_by_their_vectors(page: Serve, square: bytes) -> None:
    matrix, counted, saved, _ = page("image-classification").ask("compare", {"a.png": square, "b.png": square})
    assert (matrix["names"], matrix["values"]) == (["a.png", "b.png"], [[1.0, 1.0], [1.0, 1.0]])
    assert (counted["text"], saved["name"]) == ("2 × 16 numbers", "vectors.json")


def test_several_files_are_named_and_bad_ones_told_at_the_end(page: Serve, square: bytes) -> None:
    served = page("image-classification")
    parts = served.ask("predict", {"a.png": square, "b.png": b"no picture", "c.png": square})
    assert kinds(parts) == ["heading", "bars", "picture"] * 2 + ["error"]
    assert [part["text"] for part in parts if part["kind"] == "heading"] == ["a.png", "c.png"]
    assert "b.png" in parts[-1]["text"] and str(served.server.folder) not in parts[-1]["text"]


def test_spans_of_speech(page: Serve, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    parts = page("voice-activity-detection").ask("predict", {"a.wav": sound(tmp_path / "a.wav").read_bytes()})
    assert kinds(parts)[0] == "picture" and parts[-1]["kind"] == "done"
    facts = next(part for part in parts if part["kind"] == "table" and not part["columns"])
    assert ["seconds", "1"] in facts["rows"]


def test_items_for_a_user_are_asked_by_options(page: Serve) -> None:
    served = page("recommendation")
    assert "files" not in {field["name"] for field in served.server.about["ways"][0]["fields"]}
    listed, _ = served.ask("predict", history="i1,i2", k=3)
    assert listed["columns"] == ["interactions", "rank", "item", "title", "score", "note"] and len(listed["rows"]) == 3
    (refused,) = served.ask("predict")
    assert "nobody is named to recommend to" in refused["text"]


def test_weights_that_can_be_asked_nothing(weights: Any) -> None:
    folder = weights("voice-activity-detection")
    with pytest.raises(zoo.UsageError, match="'silero_vad' for voice-activity-detection, which a page can ask nothing"):
        ways_of(torch.nn.Identity(), folder, zoo.describe(folder))
