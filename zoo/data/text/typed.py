"""Texts as they are typed at the shell, where the name of a file or folder stands for the texts in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from zoo.data.text.columns import Columns, read_columns, texts_of
from zoo.data.text.documents import SUFFIXES
from zoo.data.text.tables import SUFFIXES as TABLES
from zoo.data.text.tables import is_table
from zoo.data.text_files import Piped, decoded, split_lines
from zoo.errors import DataError, NotFoundError

_LONGEST_NAME = 255
_OTHER_FILES = (".gz", ".log", ".pdf", ".docx", ".xlsx")
_REMEDY = "fix it, or write its rows as JSON lines"


class Typed(NamedTuple):
    """What a text is called, the text, and a second one where they come in pairs."""

    name: str
    text: str
    pair: str | None = None


def named_texts(arguments: Sequence[str], columns: Columns | None = None) -> Iterator[Typed]:
    """Yield the texts that were typed, each named by itself, the lines of files, and the rows of tables.

    These are named by file and line. Raise DataError for files that are not UTF-8, and where there is no text at all,
    and NotFoundError for what can only be the name of a file, and is not there.
    """
    empty = True
    for argument in arguments:
        for found in _typed(argument, columns or Columns()):
            empty = False
            yield found
    if empty:
        raise DataError("no text was given; pass a text, or a file with one text per line")


def check_is_text(argument: str) -> None:
    """Raise NotFoundError for what can only be meant as the name of a file, and is not there."""
    if _names_a_file(argument):
        raise NotFoundError(f"no file {argument}; check its name, or if it is a text, pass `-` and pipe it")


def _typed(argument: str, columns: Columns) -> Iterator[Typed]:
    path = Path(argument)
    if isinstance(argument, Piped) or len(argument) > _LONGEST_NAME:
        yield Typed(argument, argument)
    elif path.is_dir():
        for file in _texts_in(path):
            yield from _of_file(file, columns)
    elif path.is_file():
        yield from _of_file(path, columns)
    else:
        check_is_text(argument)
        yield Typed(argument, argument)


def _of_file(path: Path, columns: Columns) -> Iterator[Typed]:
    if not is_table(path):
        lines = enumerate(split_lines(decoded(path.read_bytes(), path)), 1)
        yield from (Typed(f"{path}:{number}", line) for number, line in lines if line.strip())
        return
    table = read_columns(path, columns, remedy=_REMEDY)
    texts, pairs = texts_of(table, columns, str(path))
    for row, text in enumerate(texts):
        yield Typed(
            f"{path}:{row + 1 if table.lines is None else table.lines[row]}", text, pairs[row] if pairs else None
        )


def _texts_in(folder: Path) -> list[Path]:
    """Return the plain texts in a folder, or else its tables."""
    inside = [path.relative_to(folder) for path in sorted(folder.rglob("*"))]
    files = [folder / path for path in inside if not any(part.startswith(".") for part in path.parts)]
    found = [path for path in files if path.suffix in SUFFIXES] or [path for path in files if is_table(path)]
    if not found:
        raise DataError(f"no text in {folder}; give a file, or a folder of files named *{' or *'.join(SUFFIXES)}")
    return found


def _names_a_file(text: str) -> bool:
    """Tell whether a text can only be meant as a file's name: one word that ends like one, or a path in a folder."""
    path = Path(text)
    ends = path.suffix.lower() in (*SUFFIXES, *TABLES, *_OTHER_FILES)
    if not text.strip() or "\n" in text:
        return False
    one_word = len(text.split()) == 1
    in_folder = text.startswith(("./", "../", "~/", "/")) or (len(path.parts) > 1 and path.parent.is_dir())
    return (one_word and (ends or in_folder)) or (ends and in_folder)
