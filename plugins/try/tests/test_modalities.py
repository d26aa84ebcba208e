"""Kinds of data that nothing here knows are tried by their own seams."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from try_pages import page_of
from try_weights import sound

import zoo
from zoo.registry.registry import default_registry

MODALITIES = Path(__file__).parents[3] / "tests" / "modalities"


@pytest.fixture(scope="module", autouse=True)
def plugins(module_site: Any) -> Iterator[None]:
    for name in ("zoo_tones", "zoo_pairs"):
        module_site.install_package(MODALITIES / name)
    default_registry.cache_clear()
    yield


def test_sounds_are_told_apart_and_compared(tmp_path: Path) -> None:
    first = zoo.pretrain("tone_net", data="tones", out=tmp_path / "first", settings={"steps": 1})
    run = zoo.finetune(
        first.folder, task="tone-classification", data="tones", out=tmp_path / "run", settings={"steps": 1}
    )
    tone = sound(tmp_path / "a.wav").read_bytes()
    with page_of(run.weights) as page:
        (files,) = page.server.about["ways"][0]["fields"]
        assert (files["kind"], files["suffixes"]) == ("files", (".wav",))
        bars, done = page.ask("predict", {"a.wav": tone})
        assert {row[0] for row in bars["rows"]} == {"sawtooth", "sine", "square"} and done["kind"] == "done"
        matrix, counted, *_ = page.ask("compare", {"a.wav": tone, "b.wav": tone})
        assert matrix["values"] == [[1.0, 1.0], [1.0, 1.0]] and counted["text"] == "2 × 32 numbers"
        (refused,) = page.ask("predict", {"a.png": tone})
        assert refused["text"] == "a.png is none of .wav; give a file that these weights take"
        (failed,) = page.ask("predict", {"a.wav": b"none"})
        assert failed["text"].startswith("a.wav is no wave file")
    with page_of(first.weights) as page:
        assert [way["name"] for way in page.server.about["ways"]] == ["compare"]


def test_items_are_ranked_for_the_users_of_a_table(tmp_path: Path) -> None:
    table = "user,item\n" + "".join(f"u{user},i{(user + place) % 7}\n" for user in range(12) for place in range(4))
    (tmp_path / "met.csv").write_text(table)
    data = str(tmp_path / "met.csv")
    first = zoo.pretrain("item_net", data=data, out=tmp_path / "first", settings={"steps": 1})
    run = zoo.finetune(first.folder, task="item-ranking", data=data, out=tmp_path / "run", settings={"steps": 1})
    with page_of(run.weights) as page:
        fields = {field["name"]: field for field in page.server.about["ways"][0]["fields"]}
        assert list(fields) == ["files", "user", "top"] and fields["top"]["kind"] == "integer" and fields["top"]["more"]
        ranked, _ = page.ask("predict", {"met.csv": table.encode()}, user="u1", top=2)
        assert ranked["columns"] == ["item", "score"] and len(ranked["rows"]) == 2
        every, _ = page.ask("predict", {"met.csv": table.encode()})
        assert every["columns"] == ["preferences", "items", "score"] and len(every["rows"]) == 12
