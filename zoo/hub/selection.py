"""What a pull keeps of a repo: what was signed, and the usual files of a model; never what other programs would run."""

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.hub.file_names import clashing, fault_of, is_usual
from zoo.registry.registry import default_registry
from zoo.strict_json import parse_json

SIGNATURE_FILE = "model.sig"
MAX_SIGNATURE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Selection:
    """The names that are kept, those that are not `usual` for a model, and those that are never written."""

    kept: tuple[str, ...]
    unusual: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


def select(names: Iterable[str], signed: Collection[str], *, everything: bool) -> Selection:
    """Sort the names of a repo's files; `everything` keeps all that may be written."""
    names = list(names)
    allowed = [name for name in names if fault_of(name) is None]
    allowed_once = set(allowed) - clashing(allowed)
    read = tuple(suffix for offer in default_registry().offers("formats") for suffix in offer.spec.suffixes)
    kept = {name for name in allowed_once if everything or name in signed or is_usual(name) or name.endswith(read)}
    return Selection(
        tuple(name for name in names if name in kept),
        tuple(name for name in names if name in allowed_once and name not in kept),
        tuple(name for name in names if name not in allowed_once),
    )


def signed_in(path: Path) -> frozenset[str]:
    """Return the names that a model.sig lists, whoever made it; none where there is none, or no such list.

    It decides what is kept, and nothing is trusted for it.
    """
    try:
        with open(path, "rb") as file:
            envelope: Any = _parsed(file.read(MAX_SIGNATURE + 1))["dsseEnvelope"]
        statement: Any = _parsed(base64.b64decode(envelope["payload"]))
        return frozenset(str(item["name"]) for item in statement["predicate"]["resources"])
    except (FileNotFoundError, IntegrityError, KeyError, TypeError, ValueError):  # ValueError: no base64
        return frozenset()


def _parsed(content: bytes) -> dict[str, Any]:
    return parse_json(content, SIGNATURE_FILE, max_bytes=MAX_SIGNATURE)
