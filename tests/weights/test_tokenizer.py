"""Tokenizers: every kind that can be made, what travels beside weights, and files that are broken."""

import json
from pathlib import Path

import pytest

from zoo.errors import DataError, IntegrityError, NotFoundError, UsageError
from zoo.weights.description import WeightsDescription
from zoo.weights.inputs import Tokenization, record_of
from zoo.weights.tokenizer import ROLES_FILE, TEMPLATE_FILE, TOKENIZER_FILE, Tokenizer, read_text_inputs, read_tokenizer
from zoo.weights.tokenizer_training import KINDS, REPRODUCIBLE, fitting_size, make_tokenizer

TEXTS = [f"Once upon a time there were {number} little bears, and {number + 1} bowls.\n" for number in range(60)]


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest) -> tuple[str, Tokenizer]:
    return request.param, make_tokenizer(request.param, TEXTS, size=320)


def block(tokenizer: str | None = None, **arguments: int) -> WeightsDescription:
    return WeightsDescription(
        format_version=1,
        plugin="zoo-test",
        plugin_version="1",
        architecture="none",
        arguments=dict(arguments),
        task="text-generation",
        inputs=record_of("text", None if tokenizer is None else Tokenization(tokenizer=tokenizer, max_tokens=64)),
    )


@pytest.mark.parametrize("kind", REPRODUCIBLE)
def test_a_tokenizer_made_twice_is_the_same(kind: str) -> None:
    tokenizer = make_tokenizer(kind, TEXTS, size=320)
    assert make_tokenizer(kind, TEXTS, size=320).identity == tokenizer.identity


def test_a_text_comes_back(made: tuple[str, Tokenizer]) -> None:
    kind, tokenizer = made
    ids = tokenizer.encode([TEXTS[3]], special=False)[0].ids
    if kind == "wordpiece":
        assert tokenizer.decode(ids) == "once upon a time there were 3 little bears, and 4 bowls."
    else:
        assert tokenizer.decode(ids).strip() == TEXTS[3].strip()
    assert max(ids) < tokenizer.num_tokens


def test_every_kind_has_tokens_for_all_roles(made: tuple[str, Tokenizer]) -> None:
    _, tokenizer = made
    ids = [tokenizer.needed(role) for role in ("pad", "unknown", "begin", "end", "mask")]
    assert ids == [0, 1, 2, 3, 4]
    assert set(ids) <= tokenizer.special


def test_special_tokens_are_written_to_nobody(made: tuple[str, Tokenizer]) -> None:
    _, tokenizer = made
    ids = tokenizer.encode(["two bears"], special=False)[0].ids
    around = [tokenizer.needed("begin"), *ids, tokenizer.needed("end"), tokenizer.needed("pad")]
    assert tokenizer.decode(around) == tokenizer.decode(ids)


def test_bytes_know_every_text() -> None:
    tokenizer = make_tokenizer("bytes", [])
    text = "naïve 猫 \x00\n"
    ids = tokenizer.encode([text], special=False)[0].ids
    assert len(ids) == len(text.encode()) and tokenizer.decode(ids) == text


def test_characters_never_seen_are_unknown() -> None:
    tokenizer = make_tokenizer("characters", ["abc"])
    assert tokenizer.encode(["a!c"])[0].ids == [5, tokenizer.needed("unknown"), 7]


def test_wordpiece_puts_special_tokens_around_pairs_and_numbers_them() -> None:
    tokenizer = make_tokenizer("wordpiece", TEXTS, size=320)
    found = tokenizer.encode(["two bears"], ["bowls"])[0]
    begin, end = tokenizer.needed("begin"), tokenizer.needed("end")
    assert found.ids[0] == begin and found.ids.count(end) == 2
    assert found.type_ids == sorted(found.type_ids) and found.type_ids[-1] == 1


def test_a_folder_gives_back_what_was_written(tmp_path: Path, made: tuple[str, Tokenizer]) -> None:
    _, tokenizer = made
    tokenizer.write(tmp_path)
    assert read_tokenizer(tmp_path) == tokenizer
    assert read_tokenizer(tmp_path / TOKENIZER_FILE).identity == tokenizer.identity
    assert json.loads((tmp_path / ROLES_FILE).read_text())["pad_token"] == tokenizer.roles["pad"]


def test_roles_are_those_that_the_writer_named(tmp_path: Path) -> None:
    tokenizer = make_tokenizer("characters", ["abc"]).with_special(["<|stop|>"])
    tokenizer.write(tmp_path)
    (tmp_path / ROLES_FILE).write_text('{"eos_token": {"content": "<|stop|>"}, "pad_token": "nowhere"}')
    found = read_tokenizer(tmp_path)
    assert found.needed("end") == found.num_tokens - 1 == 8
    assert found.needed("pad") == 0


@pytest.mark.parametrize("form", ["text", "list", "file"])
def test_the_template_of_chats_travels_with_the_tokenizer(tmp_path: Path, form: str) -> None:
    make_tokenizer("bytes", ()).write(tmp_path)
    path = tmp_path / ROLES_FILE
    said = "the older place" if form == "file" else "mine"
    several = [{"name": "tool_use", "template": "other"}, {"name": "default", "template": "mine"}]
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": several if form == "list" else said}))
    if form == "file":
        (tmp_path / TEMPLATE_FILE).write_text("mine")
    found = read_tokenizer(tmp_path)
    assert found.chat_template == found.with_special(["<a>"]).chat_template == "mine"
    (tmp_path / "again").mkdir()
    found.write(tmp_path / "again")
    assert read_tokenizer(tmp_path / "again") == found


def test_more_special_tokens_are_numbered_behind() -> None:
    tokenizer = make_tokenizer("bytes", [])
    more = tokenizer.with_special(["<extra_0>", "<extra_1>"])
    assert more.num_tokens == tokenizer.num_tokens + 2 and more.identity != tokenizer.identity
    assert more.encode(["<extra_1>"])[0].ids == [tokenizer.num_tokens + 1]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": "1.0"', b"[1]", b'{"model": {"type": "Magic"}}'])
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TOKENIZER_FILE).write_bytes(content)
    with pytest.raises(IntegrityError, match=TOKENIZER_FILE):
        read_tokenizer(tmp_path)


def test_a_file_that_is_no_utf8_says_where(tmp_path: Path) -> None:
    (tmp_path / TOKENIZER_FILE).write_bytes(b'{"a": "\xff"}')
    with pytest.raises(IntegrityError, match="not UTF-8 at byte 7"):
        read_tokenizer(tmp_path)


def test_no_file_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no tokenizer.json"):
        read_tokenizer(tmp_path)


def test_another_tokenizer_than_the_weights_had_is_refused(tmp_path: Path) -> None:
    tokenizer = make_tokenizer("bytes", [])
    tokenizer.write(tmp_path)
    assert read_text_inputs(tmp_path, block(tokenizer.identity, context=32)).max_tokens == 32
    assert read_text_inputs(tmp_path, block(None, context=100)).max_tokens == 100
    with pytest.raises(IntegrityError, match="fresh copy"):
        read_text_inputs(tmp_path, block("0" * 64))


def test_more_tokens_than_the_model_has_rows_are_refused(tmp_path: Path) -> None:
    make_tokenizer("bytes", []).write(tmp_path)
    with pytest.raises(IntegrityError, match="261 tokens and the model 256"):
        read_text_inputs(tmp_path, block(vocab_size=256))


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(DataError, match="no text"):
        make_tokenizer("unigram", ["", ""], size=400)


def test_a_kind_that_is_none_names_those_that_are() -> None:
    with pytest.raises(UsageError, match="wordpiece"):
        make_tokenizer("words", TEXTS)


def test_too_few_tokens_to_learn_are_refused() -> None:
    with pytest.raises(UsageError, match="too small"):
        make_tokenizer("bpe", TEXTS, size=10)


def test_a_role_that_is_missing_says_what_to_do() -> None:
    tokenizer = make_tokenizer("characters", ["abc"])
    with pytest.raises(UsageError, match="tokenizer train"):
        Tokenizer(tokenizer.json, {}).needed("mask")


@pytest.mark.parametrize(("characters", "size"), [(100, 1000), (281_000, 2700), (1_900_000, 6900), (10**9, 32_000)])
def test_a_fitting_size_grows_with_the_root_of_the_text(characters: int, size: int) -> None:
    assert fitting_size("x" * part for part in (characters // 2, characters - characters // 2)) == size
