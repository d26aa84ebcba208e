"""What is known of weights and models beside where they lie: scores and their source, cost, what licences allow."""

import re
from typing import Annotated

from msgspec import Meta, Struct

from zoo.errors import UsageError

COMMERCIAL = frozenset(
    "0bsd afl-3.0 agpl-3.0 agpl-3.0-only agpl-3.0-or-later apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause "
    "bsl-1.0 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 "
    "cdla-sharing-1.0 ecl-2.0 epl-2.0 eupl-1.2 gpl-2.0 gpl-2.0-only gpl-2.0-or-later gpl-3.0 gpl-3.0-only "
    "gpl-3.0-or-later isc lgpl-2.1 lgpl-2.1-only lgpl-3.0 lgpl-3.0-only mit mit-0 mpl-2.0 ncsa odc-by odbl-1.0 "
    "pddl-1.0 postgresql unlicense wtfpl zlib".split()
)
_RESEARCH = frozenset("apple-amlr fair-noncommercial-research-license intel-research".split())
_COUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kmgb]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}

Amount = Annotated[int, Meta(ge=0)]


class Scored(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """On which data scores were taken, where that is written (a URL, or `hf://org/name@commit`), and on what day."""

    data: str
    source: Annotated[str, Meta(min_length=1, max_length=500)]
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")] | None = None


class ModelFacts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a model takes as it is made by default: numbers, and for one `input` multiply-adds and bytes at once."""

    parameters: Amount | None = None
    input: str | None = None
    multiply_adds: Amount | None = None
    memory: Amount | None = None


def allows_commercial(license: str | None) -> bool | None:
    """Tell whether a licence allows commercial use; None where that is not known."""
    said = (license or "").lower()
    if said in COMMERCIAL:
        return True
    if said in _RESEARCH or re.search(r"(^|-)nc(-|$)", said):
        return False
    return None


def parse_count(text: str, option: str) -> int:
    """Return a number as people write it: 500k, 10M, 1.5B. Raise UsageError for anything else."""
    found = _COUNT.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text[:40]!r} is no number; write for example {option} 10M")
    return int(float(found[1]) * _UNITS[found[2].lower()])
