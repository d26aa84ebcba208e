"""README.md of a repo: Zoo's marked block and metadata are renewed, every other byte stays as somebody wrote it.

The text is taken apart by lines, in one pass: it may be a stranger's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.data.text_files import split_lines
from zoo.errors import UsageError

BEGIN = "<!-- zoo:begin · renewed by every `zoo push`; write above or below -->"
END = "<!-- zoo:end -->"
_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:")
_KEPT = ("license",)
"""Keys that are set where they are missing, and never changed: a licence is for its owner to choose."""
_JOINED = ("tags", "datasets", "metrics")
"""Lists to which items are added, and from which none is taken."""

Metadata = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Readme:
    """A README in parts: the lines of its metadata, and the text before, in and after Zoo's block."""

    metadata: tuple[str, ...]
    before: str
    block: str | None
    after: str

    @property
    def written(self) -> str:
        """Return what somebody wrote."""
        return self.before + self.after


def parse_readme(text: str) -> Readme:
    """Take a README apart. Raise UsageError for a block that does not end."""
    lines = split_lines(text.removeprefix("\ufeff"), keep_ends=True)
    metadata: list[str] = []
    if lines and lines[0].rstrip() == "---":
        end = next((place for place, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is not None:
            metadata, lines = lines[1:end], lines[end + 1 :]
    begin = next((place for place, line in enumerate(lines) if line.startswith("<!-- zoo:begin")), None)
    if begin is None:
        return Readme(tuple(metadata), "".join(lines), None, "")
    end = next((place for place, line in enumerate(lines[begin:], begin) if line.rstrip() == END), None)
    if end is None:
        raise UsageError(f"README.md has a line {lines[begin].rstrip()[:40]!r} and none {END!r} after it; put it back")
    block = "".join(lines[begin + 1 : end])
    return Readme(tuple(metadata), "".join(lines[:begin]), block, "".join(lines[end + 1 :]))


def update_readme(base: Readme, block: str, metadata: Metadata) -> str:
    """Return the README with a new block, at its place or at the end, and with the metadata brought up to date."""
    before = base.before
    if base.block is None and before.strip():
        before = _spaced(before)
    elif base.block is None:
        before = "\n"
    front = "---\n" + "".join(_renewed(base.metadata, metadata)) + "---\n"
    return f"{front}{before}{BEGIN}\n{block.rstrip()}\n{END}\n{base.after}"


def choose_base(here: str | None, there: str | None, prefer: str | None = None) -> Readme:
    """Return the README whose words are to be kept: somebody's here, or somebody's on the Hub.

    Raise UsageError where both were written to and differ, unless `prefer` says "here" or "hub".
    """
    mine, theirs = parse_readme(here or ""), parse_readme(there or "")
    if there is None or not theirs.written.strip() and mine.written.strip():
        return Readme(_merged(theirs.metadata, mine.metadata), mine.before, mine.block, mine.after)
    if prefer == "hub" or not mine.written.strip() or mine.written.strip() == theirs.written.strip():
        return theirs
    if prefer == "here":
        return mine
    raise UsageError(
        "README.md was edited both here and on the Hub; keep one version with --readme here or --readme hub"
    )


def without_key(readme: Readme, key: str) -> Readme:
    """Return the README without a key of its metadata."""
    lines = tuple(line for name, chunk in _chunks(readme.metadata) if name != key for line in chunk)
    return Readme(lines, readme.before, readme.block, readme.after)


def metadata_of(readme: Readme) -> dict[str, object]:
    """Return the metadata as YAML reads it; nothing where it is broken."""
    import yaml

    try:
        value = yaml.safe_load("".join(readme.metadata))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _spaced(text: str) -> str:
    """Return text that is followed by an empty line, adding what is missing for that and changing nothing."""
    return text + "\n" * (2 - min(2, len(text) - len(text.rstrip("\n"))))


def _merged(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    known = {key for key, _ in _chunks(first)}
    return first + tuple(line for key, lines in _chunks(second) if key not in known for line in lines)


def _renewed(lines: Sequence[str], metadata: Metadata) -> list[str]:
    import yaml

    parts = _chunks(lines)
    left = dict(metadata)
    renewed: list[str] = []
    for key, chunk in parts:
        value = left.pop(key, None)
        if value is None or key in _KEPT:
            renewed += chunk
            continue
        there = _value(chunk, key)
        if key in _JOINED:
            known = there if isinstance(there, list) else [there] if there else []
            value = [*known, *(item for item in value if item not in known)]
        renewed += chunk if there == value else [yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)]
    for key, value in left.items():
        plain = value if isinstance(value, str) else list(value)
        renewed.append(yaml.safe_dump({key: plain}, sort_keys=False, allow_unicode=True))
    return renewed


def _value(chunk: Sequence[str], key: str) -> object:
    import yaml

    try:
        return yaml.safe_load("".join(chunk))[key]
    except (yaml.YAMLError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _chunks(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the lines of each key of the top level; what stands before the first has the key ""."""
    chunks: list[tuple[str, list[str]]] = []
    for line in lines:
        match = _KEY.match(line)
        if match or not chunks:
            chunks.append((match[1] if match else "", []))
        chunks[-1][1].append(line)
    return chunks
