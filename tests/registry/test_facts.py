"""What licences allow, and numbers as people write them."""

import pytest

from zoo.errors import UsageError
from zoo.publishing.licence_ids import HUB, SPDX
from zoo.registry.facts import COMMERCIAL, allows_commercial, parse_count


@pytest.mark.parametrize(
    ("license", "allowed"),
    [
        ("MIT", True), ("agpl-3.0", True), ("cc-by-sa-4.0", True), ("cc-by-nc-sa-4.0", False), ("apple-amlr", False),
        ("openrail", None), ("other", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_commercial_use(license: str | None, allowed: bool | None) -> None:
    assert allows_commercial(license) is allowed


def test_every_licence_that_allows_it_is_one_that_there_is() -> None:
    assert COMMERCIAL - (SPDX | HUB) == set()


@pytest.mark.parametrize(("text", "count"), [("500k", 500_000), ("1.5B", 1_500_000_000), ("7", 7)])
def test_counts(text: str, count: int) -> None:
    assert parse_count(text, "--max-parameters") == count


@pytest.mark.parametrize("text", ["", "M", "-1M", "1e9", "10 M", "9" * 30])
def test_other_counts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-parameters"):
        parse_count(text, "--max-parameters")
