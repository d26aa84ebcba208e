"""What a page asks of whoever tries weights: fields, and the values that come back, which are not trusted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zoo

LONGEST = 100_000
"""Characters of a text."""
MOST_FILES = 16


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field. With `more` it is folded away; `value` is what it holds at first, `hint` what it does when empty."""

    name: str
    label: str
    kind: Literal["files", "text", "word", "integer", "number", "flag", "choice"]
    required: bool = False
    more: bool = False
    value: Any = None
    hint: str = ""
    suffixes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    def read(self, given: Any, files: Sequence[Path]) -> Any:
        """Return the value that was given, None for none. Raise UsageError for one that the field cannot have."""
        if self.kind == "files":
            found = list(files) or None
        elif given is None or given == "":
            found = None
        else:
            found = self._converted(given)
        if found is None and self.required:
            raise zoo.UsageError(f"{self.label} is empty; give {'a file' if self.kind == 'files' else 'some'}")
        return found

    def check_file(self, name: str) -> None:
        """Raise UsageError for the name of a file that is not of this kind of data."""
        if not name.lower().endswith(self.suffixes):
            raise zoo.UsageError(f"{name} is none of {', '.join(self.suffixes)}; give a file that these weights take")

    def _converted(self, given: Any) -> Any:
        whole = isinstance(given, int) and not isinstance(given, bool)
        if self.kind == "flag" and isinstance(given, bool):
            return given or None
        if self.kind == "integer" and whole and abs(given) < 2**63:
            return given
        if self.kind == "number" and (whole or isinstance(given, float)) and math.isfinite(given):
            return float(given)
        if self.kind == "choice" and given in self.choices:
            return given
        if self.kind in ("text", "word") and isinstance(given, str):
            if len(given) > LONGEST:
                raise zoo.UsageError(f"{self.label} has {len(given):,} characters; give at most {LONGEST:,}")
            return given if given.strip() else None
        wanted = {"integer": "a whole number", "number": "a number", "choice": "one of the list", "flag": "yes or no"}
        raise zoo.UsageError(f"{self.label} is {str(given)[:40]!r}; give {wanted.get(self.kind, 'a text')}")


def read_values(fields: Sequence[Field], given: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    """Return the values of all fields that have one. Raise UsageError for one that is wrong, or no field."""
    names = {field.name for field in fields}
    if strange := next((name for name in given if name not in names), None):
        raise zoo.UsageError(f"{strange[:40]!r} is not asked here; reload the page")
    found = {field.name: field.read(given.get(field.name), files) for field in fields}
    return {name: value for name, value in found.items() if value is not None}


def option_fields(options: Sequence[zoo.OptionSpec], *, more: bool) -> tuple[Field, ...]:
    """Return fields for options of `zoo predict`; a page names no paths of the machine."""
    kinds: dict[str, Any] = {"text": "word", "integer": "integer", "number": "number", "flag": "flag"}
    return tuple(
        Field(name=option.name, label=option.name.replace("-", " "), kind=kinds[option.type], more=more, hint=said)
        for option in options
        if option.type in kinds
        for said in [option.summary.removesuffix("; may be repeated.").rstrip(".")]
    )


def options_given(options: Sequence[zoo.OptionSpec], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of such fields as `zoo.Predicts.items` takes them."""
    return {
        option.name.replace("-", "_"): (values[option.name],) if option.multiple else values[option.name]
        for option in options
        if option.name in values
    }
