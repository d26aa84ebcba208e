"""Records compare, hash and print as dataclasses do, which compile that for each class."""

from dataclasses import dataclass, field, make_dataclass

import pytest

import zoo
from zoo.specs.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Ours(Record):
    name: str
    size: int = 3
    hidden: int = field(default=1, repr=False)
    ignored: int = field(default=1, compare=False)


THEIRS = make_dataclass(
    "Ours",
    [
        ("name", str),
        ("size", int, 3),
        ("hidden", int, field(default=1, repr=False)),
        ("ignored", int, field(default=1, compare=False)),
    ],
    frozen=True,
    kw_only=True,
)
CASES = [{"name": "a"}, {"name": "a", "size": 4}, {"name": "a", "hidden": 2}, {"name": "a", "ignored": 2}]


@pytest.mark.parametrize("left", CASES)
@pytest.mark.parametrize("right", CASES)
def test_as_a_dataclass_compares_hashes_and_prints(left: dict[str, object], right: dict[str, object]) -> None:
    assert (Ours(**left) == Ours(**right)) == (THEIRS(**left) == THEIRS(**right))  # type: ignore[arg-type]
    assert hash(Ours(**left)) == hash(THEIRS(**left))  # type: ignore[arg-type]
    assert repr(Ours(**left)) == repr(THEIRS(**left)).replace("types.", "")  # type: ignore[arg-type]


def test_another_class_of_the_same_values_is_another_record() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Extended(Ours):
        more: int = 0

    assert Ours(name="a") != Extended(name="a") and Ours(name="a") != "a"
    assert Extended(name="a", more=1) != Extended(name="a")


def test_specs_are_records() -> None:
    spec = zoo.CommandSpec(name="a", summary="A.", target="a.b:c")
    assert spec == zoo.CommandSpec(name="a", summary="A.", target="a.b:c") and hash(spec) == hash(spec)
    assert repr(spec) == "CommandSpec(name='a', summary='A.', target='a.b:c')"
