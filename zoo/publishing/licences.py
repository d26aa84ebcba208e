"""Under which licence weights are published: that of base and data where these agree, else what their owner says."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import UsageError
from zoo.printable import printable
from zoo.publishing.licence_ids import HUB, SPDX
from zoo.publishing.model_card import record_of_run
from zoo.publishing.readme_merge import metadata_of, parse_readme
from zoo.weights.description import read_json
from zoo.weights.find import WeightsQuery, registry_for

UNKNOWN = "unknown"
_UNSAID = ("", UNKNOWN, "none")
_FREE = frozenset(
    "0bsd afl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsl-1.0 cc-by-3.0 cc-by-4.0 cc0-1.0 "
    "cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0 isc mit mit-0 ncsa pddl-1.0 postgresql unlicense wtfpl "
    "zlib".split()
)
"""What may be published again under other terms; licences are not ordered, and every other is passed on as it is."""


def is_known(license: str | None) -> bool:
    """Tell whether a card, or a data set, names a licence that there is."""
    return (license or "").lower() in SPDX | HUB


def checked_licence(text: str, where: str) -> str:
    """Return a licence as cards have it, in lower case. Raise UsageError for what is none, with the nearest."""
    if is_known(text):
        return text.lower()
    said = repr(printable(text if len(text) <= 60 else f"{text[:60]}…"))
    raise UsageError(f"{where} {said} is no identifier of a licence; type the nearest: --license {_nearest(text)}")


def licence_of(folder: Path, source: str, query: WeightsQuery) -> str:
    """Return the licence of weights that are here, as their card says it, or the catalogue of the name they have."""
    if (said := _of_card(folder)) is not None:
        return said
    listed = registry_for(query).catalogue.entries.get(source)
    return listed.license.lower() if listed is not None and is_known(listed.license) else UNKNOWN


def licence_to_say(folder: Path) -> str | None:
    """Return a licence that has to be said where weights are pushed; None where their card says one."""
    if _of_card(folder) is not None:
        return None
    data = read_json(folder).get("zoo", {}).get("data") or {}
    return _proposed(record_of_run(folder).get("base_licence"), data.get("license"))


def _of_card(folder: Path) -> str | None:
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    said = str(metadata_of(parse_readme(readme.read_text(encoding="utf-8", errors="replace"))).get("license"))
    return said.lower() if is_known(said) else None


def _proposed(*licences: str | None) -> str:
    return next((license.lower() for license in licences if license and is_known(license)), "other")


def derived_licence(base: str | None, data: str | None) -> str | None:
    """Return the licence that base and data both name, None where they do not; None is a base that there is not."""
    named = {(data or UNKNOWN).lower(), (base or data or UNKNOWN).lower()}
    found = named.pop()
    return found if not named and is_known(found) else None


def chosen_licence(requested: str | None, card: str | None, data: str | None, record: Mapping[str, Any]) -> str:
    """Return the licence to publish under: the one that was asked for, or the card's.

    Raise UsageError where there is none, and where the base has terms that its derivatives keep. `record` is that of
    the run.
    """
    said = str(record.get("base_licence", UNKNOWN)).lower()
    base = said if is_known(said) else None
    found = requested or (None if (card or "").lower() in _UNSAID else card)
    if found is None:
        parts = {"base": base} if "base_licence" in record else {}
        origins = ", ".join(
            f"that of the {part} is {printable(license or UNKNOWN)}"
            for part, license in {**parts, "data": data}.items()
        )
        raise UsageError(
            f"these weights have no licence, and none is assumed: {origins}; choose one, for example "
            f"--license {_proposed(base, data)}"
        )
    license = checked_licence(found, "--license" if requested else "the licence in README.md,")
    if base is not None and base not in (_FREE | {license}):
        source = printable(str(record.get("weights")))
        raise UsageError(
            f"these weights come from {source}, whose licence {base} stays with what is made of it: they cannot be "
            f"published as {license}; type --license {base}"
        )
    return license


def _nearest(text: str) -> str:
    ids = {_squeezed(item): item for items in (SPDX, HUB) for item in sorted(items)}
    found = difflib.get_close_matches(_squeezed(text), ids, n=1, cutoff=0.75)
    return ids[found[0]] if found else "other"


def _squeezed(text: str) -> str:
    words = re.sub(r"\b(the|licen[sc]e|licen[sc]ed|under|version|v)\b", "", text.lower()[:100])
    return re.sub(r"[^a-z0-9+]", "", words)
