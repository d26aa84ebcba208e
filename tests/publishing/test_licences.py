"""The licence of weights comes from base and data where these agree; anything else is asked for, and checked."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.tiny import install, make_weights
from zoo.errors import UsageError
from zoo.hub.server.serving import ServedHub
from zoo.publishing.licences import checked_licence, chosen_licence, derived_licence, licence_of
from zoo.weights.find import WeightsQuery

NC = {"base_licence": "cc-by-nc-4.0", "weights": "hf://some/base"}


@pytest.mark.parametrize(
    ("base", "data", "found"),
    [
        (None, "MIT", "mit"),
        ("mit", "MIT", "mit"),
        ("cc-by-nc-4.0", "mit", None),
        ("mit", "unknown", None),
        ("unknown", "mit", None),
        (None, "unknown", None),
        (None, "public domain", None),
        (None, None, None),
        ("unknown", "unknown", None),
    ],
)
def test_141_a_licence_is_derived_where_all_agree(base: str | None, data: str | None, found: str | None) -> None:
    assert derived_licence(base, data) == found


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("apache2", "apache-2.0"),
        ("Apache License 2.0", "apache-2.0"),
        ("MIT License", "mit"),
        ("GPLv3", "gpl-3.0"),
        ("cc by nc 4", "cc-by-nc-4.0"),
        ("llama-3", "llama3"),
        ("do what you like, but tell me", "other"),
    ],
)
def test_141_free_text_is_refused_with_the_nearest(typed: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"is no identifier of a licence; type the nearest: --license {nearest}$"):
        checked_licence(typed, "--license")
    assert checked_licence(nearest, "--license") == nearest


@pytest.mark.parametrize("card", [None, "", "unknown", "None"])
def test_141_an_unknown_licence_is_asked_for(card: str | None) -> None:
    asked = "that of the base is cc-by-nc-4.0, that of the data is MIT; choose one, for example --license cc-by-nc-4.0$"
    with pytest.raises(UsageError, match=asked):
        chosen_licence(None, card, "MIT", NC)
    with pytest.raises(UsageError, match="that of the data is unknown; choose one, for example --license other$"):
        chosen_licence(None, card, None, {})


def test_141_what_a_base_demands_stays() -> None:
    for asked, card in (("apache-2.0", None), (None, "mit"), ("cc-by-4.0", "cc-by-nc-4.0")):
        with pytest.raises(
            UsageError, match="from hf://some/base, whose licence cc-by-nc-4.0 stays .* type --license cc-"
        ):
            chosen_licence(asked, card, "mit", NC)
    assert chosen_licence("CC-BY-NC-4.0", None, "mit", NC) == "cc-by-nc-4.0"
    assert chosen_licence("gpl-3.0", None, None, {**NC, "base_licence": "mit"}) == "gpl-3.0"


def test_141_a_card_with_free_text(site: Any, tmp_path: Path, served_hub: ServedHub) -> None:
    install(site)
    make_weights(tmp_path / "weights")
    card = tmp_path / "weights" / "README.md"
    card.write_text(card.read_text().replace("license: mit", "license: apache2"))
    with pytest.raises(UsageError, match="the licence in README.md, 'apache2' is no .* --license apache-2.0$"):
        zoo.push(tmp_path / "weights", "me/tiny", hub=served_hub.url, private=False)
    (tmp_path / "weights" / "training.json").write_text(json.dumps(NC))
    with pytest.raises(UsageError, match="cannot be published as apache-2.0; type --license cc-by-nc-4.0"):
        zoo.push(tmp_path / "weights", "me/tiny", hub=served_hub.url, private=False, license="apache-2.0")
    zoo.push(tmp_path / "weights", "me/tiny", hub=served_hub.url, private=False, license="cc-by-nc-4.0")
    pulled = zoo.pull("hf://me/tiny", hub=served_hub.url).folder
    assert licence_of(pulled, "hf://me/tiny", WeightsQuery()) == "cc-by-nc-4.0"


def test_the_licence_of_what_says_none(tmp_path: Path) -> None:
    assert licence_of(tmp_path, "somewhere", WeightsQuery()) == "unknown"
    (tmp_path / "README.md").write_text("---\nlicense: my own\n---\n")
    assert licence_of(tmp_path, "somewhere", WeightsQuery()) == "unknown"
