"""Which names of files in a repo may be written: none that a program other than the reader takes as its own.

What runs or is read without being asked for is a matter of names alone: a dot in front, `conftest.py`, `*.pth`, on
Windows `NUL`. Names are compared as the most tolerant file systems do, which know neither case nor composed forms nor
characters without a shape.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from enum import Enum

GIT_ATTRIBUTES = ".gitattributes"
"""What every repo of a Hub has at its root, for git alone."""
HIDDEN_FOLDERS = (".eval_results",)
"""Names with a dot in front belong to other programs, but for these."""
MAX_BYTES = 1024
MAX_PART_BYTES = 255


class Fault(Enum):
    """What a name is not to be written for."""

    OUTSIDE = "could leave its folder"
    GIT = "git would take for its own"
    UNPORTABLE = "not every disk keeps as it stands"
    FOREIGN = "other programs run or read as their own"


_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_GIT = re.compile(r"\s*(\.git|git~\d)")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$|clock\$)\s*([.:].*)?")
_FOREIGN = re.compile(
    r"""\s*\..*                                     # every program's own settings, by their convention
    | (site|user)customize(\..*)? | conftest\.py | __pycache__ | .*\.py[co] | .*\.pth   # Python, at its start
    | .*\.(dist|egg)-info | .*\.egg-link            # plugins, of pytest and of Zoo among others
    | pyproject\.toml | setup\.cfg | (tox|pytest|mypy)\.ini | pylintrc | pip\.(conf|ini) | (jupyter|ipython)_.*config.*
    | node_modules | package\.json | deno\.jsonc? | (bunfig|uv|mise(\..*)?)\.toml | rust-toolchain(\.toml)?
    | ansible\.cfg | (gnu)?makefile                # a shell's completion of `make` runs the file
    | desktop\.ini | autorun\.inf | .*\.(lnk|scf|url|library-ms|desktop|code-workspace)   # file managers, on sight
    """,
    re.VERBOSE,
)
_USUAL = re.compile(
    r".*\.(safetensors|jsonl?|md|rst|txt|toml|ya?ml|csv|tsv|model|spm|vocab|bpe|tiktoken|jinja|sig|bib|cff"
    r"|png|jpe?g|gif|webp|svg)"
    r"|(licen[cs]e|notice|copying|authors|readme|citation|changelog)([-_.][^.]*)?"
)


def fault_of(path: str) -> Fault | None:
    """Return what a file's path in a repo is not to be written for; None where nothing speaks against it."""
    if "\\" in path or "\0" in path or re.match(r"[A-Za-z]:", path):
        return Fault.OUTSIDE
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return Fault.OUTSIDE
    folded = _folded(path).split("/")
    if any(_GIT.match(part) for part in folded):
        return Fault.GIT
    if not _is_portable(path) or any(part != part.rstrip(" .") or _DEVICE.fullmatch(part) for part in folded):
        return Fault.UNPORTABLE
    own = [part for part, raw in zip(folded, parts, strict=False) if raw not in HIDDEN_FOLDERS]
    return Fault.FOREIGN if len(folded) != len(parts) or any(map(_FOREIGN.fullmatch, own)) else None


def clashing(paths: Iterable[str]) -> set[str]:
    """Return the paths that would be one file, or a file and a folder, where case and form are not told apart."""
    folded = {path: _folded(path) for path in paths}
    files = Counter(folded.values())
    folders = {folder for name in files for folder in _folders_of(name)}
    return {
        path
        for path, name in folded.items()
        if files[name] > 1 or name in folders or any(folder in files for folder in _folders_of(name))
    }


def is_usual(path: str) -> bool:
    """Tell whether models come with files of this name: weights, settings, words, pictures; no programs, no pickles."""
    return _USUAL.fullmatch(path.rpartition("/")[2].lower()) is not None


def shown(name: str) -> str:
    """Return a name to be printed, in quotes, with everything escaped that is more than its own sign."""
    return repr(name) if len(name) <= 80 and name.isprintable() else ascii(name[:80])


def _folded(path: str) -> str:
    """Return a path as file systems see it that take different spellings for one."""
    plain = _IGNORABLE.sub("", unicodedata.normalize("NFKC", path))
    return unicodedata.normalize("NFKC", plain.upper().casefold())


def _folders_of(path: str) -> list[str]:
    return [path[: match.start()] for match in re.finditer("/", path)]


def _is_portable(path: str) -> bool:
    if ":" in path or any(unicodedata.category(character) in _UNSHOWN for character in path):
        return False
    return len(path.encode()) <= MAX_BYTES and all(len(part.encode()) <= MAX_PART_BYTES for part in path.split("/"))
