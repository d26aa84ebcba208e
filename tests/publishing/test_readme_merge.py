"""A card that somebody wrote to keeps every word of theirs."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.publishing.readme_merge import BEGIN, END, choose_base, metadata_of, parse_readme, update_readme, without_key

META = {"library_name": "zoo", "license": "mit", "tags": ["zoo", "tiny"]}
WRITTEN = (
    "---\n# a comment\nlicense:   cc-by-4.0   # mine\nauthor: \"me\"\ntags:\n- mine\n---\n\n# My words\n\ttabs  \n"
    f"{BEGIN}\nold\n{END}\n\nMore\u2028words\n"
)  # fmt: skip


def test_a_fresh_card_has_metadata_and_block() -> None:
    text = update_readme(parse_readme(""), "# Tiny", META)
    assert text == f"---\nlibrary_name: zoo\nlicense: mit\ntags:\n- zoo\n- tiny\n---\n\n{BEGIN}\n# Tiny\n{END}\n"
    assert update_readme(parse_readme(text), "# Tiny", META) == text


def test_written_words_and_keys_stay() -> None:
    text = update_readme(parse_readme(WRITTEN), "new", META)
    assert text.endswith(f"---\n\n# My words\n\ttabs  \n{BEGIN}\nnew\n{END}\n\nMore\u2028words\n")
    head = text.split("\n---\n")[0]
    assert '# a comment\nlicense:   cc-by-4.0   # mine\nauthor: "me"\n' in head
    assert yaml.safe_load(head.removeprefix("---\n"))["tags"] == ["mine", "zoo", "tiny"]


def test_a_card_without_a_block_gets_it_at_its_end() -> None:
    assert update_readme(parse_readme("# Mine"), "new", {}) == f"---\n---\n# Mine\n\n{BEGIN}\nnew\n{END}\n"


def test_a_block_without_an_end_is_said() -> None:
    with pytest.raises(UsageError, match="none '<!-- zoo:end -->' after it"):
        parse_readme(f"words\n{BEGIN}\nmore words\n")


@given(before=st.text(max_size=60), after=st.text(max_size=60), block=st.text("ab #\n", max_size=30))
def test_every_byte_outside_survives_three_times(before: str, after: str, block: str) -> None:
    base = f"---\nlicense: mit\n---\n{before}\n{BEGIN}\nold\n{END}\n{after}"
    if "zoo:" in before + after or before.startswith("---"):
        return
    text = base
    for place in range(3):
        text = update_readme(parse_readme(text), f"{block}{place}", META)
    outside = text.partition("\n---\n")[2]
    assert outside.startswith(f"{before}\n{BEGIN}\n") and outside.endswith(f"{END}\n{after}")


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        readme = parse_readme(text)
    except UsageError:
        return
    metadata_of(readme)
    update_readme(readme, "block", META)


def test_021_strings_made_to_be_slow_take_no_time() -> None:
    text = "---\n" + "a: " + "(" * 200_000 + "\n" + "<!--" * 100_000 + "\n" + "tags" * 100_000
    assert parse_readme(text).metadata == ()


@pytest.mark.parametrize(
    ("here", "there", "kept"),
    [("", None, ""), ("mine", None, "mine"), ("", "theirs", "theirs"), ("mine", "", "mine"), ("same", "same", "same")],
)
def test_whose_words_are_kept(here: str, there: str | None, kept: str) -> None:
    block = f"{BEGIN}\nx\n{END}\n"
    base = choose_base(here + "\n" + block, None if there is None else there + "\n" + block)
    assert base.written.strip() == kept


def test_words_here_and_there_are_for_people_to_choose() -> None:
    with pytest.raises(UsageError, match="--readme here or --readme hub"):
        choose_base("mine", "theirs")
    assert choose_base("mine", "theirs", "here").written == "mine"
    assert choose_base("mine", "theirs", "hub").written == "theirs"


def test_a_key_can_be_taken_out() -> None:
    assert "license" not in metadata_of(without_key(parse_readme(WRITTEN), "license"))
