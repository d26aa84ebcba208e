"""The blocks of a page: what runs, in what order, and what is marked as not to be run.

A comment directly above a block says what to do with it:

    <!-- not run: REASON -->     it is marked, and listed with its reason
    <!-- file: PATH -->          it is the content of a file, which later blocks use

and a comment of its own prepares for what follows, unseen by readers:

    <!-- run
    shell commands, or with `<!-- python` Python
    -->

Indented blocks are shell commands, as fences of sh and bash are. Fences of toml and json are parsed; those of text are
output.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

TOP = Path(__file__).parents[2]
GENERATED = {"docs/reference.md", "docs/equal.md", "docs/models.md"}
_KINDS = {
    "": "shell",
    "sh": "shell",
    "bash": "shell",
    "python": "python",
    "toml": "toml",
    "json": "json",
    "text": "text",
}
_COMMENT = re.compile(r"<!--\s*(not run|file|run|python)\b:?\s*(.*?)\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block: `kind` is shell, python, toml, json, text, file or not run, `note` a path or the reason."""

    page: str
    line: int
    kind: str
    content: str
    note: str = ""
    language: str = ""
    hidden: bool = False

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Return every page with blocks that are written by hand."""
    found = [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md")), *sorted((TOP / "plugins").glob("*/README.md"))]
    return [name for path in found if (name := path.relative_to(TOP).as_posix()) not in GENERATED]


def blocks(page: str, text: str) -> Iterator[Block]:
    """Yield the blocks of a page in their order."""
    mark: tuple[str, str] | None = None
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block" and (match := _COMMENT.fullmatch(token.content.strip())):
            assert token.map is not None, "blocks have lines"
            what, rest = match.groups()
            if what in ("run", "python"):
                yield Block(page, token.map[0] + 2, "shell" if what == "run" else what, rest + "\n", hidden=True)
            else:
                mark = what, rest
            continue
        if token.type in ("fence", "code_block"):
            assert token.map is not None, "blocks have lines"
            language = token.info.strip() if token.type == "fence" else ""
            if language not in _KINDS and not language.startswith("{"):
                raise SystemExit(
                    f"{page}:{token.map[0] + 1}: a block of {language}; use {', '.join(filter(None, _KINDS))}"
                )
            kind, note = mark or (_KINDS.get(language, "text"), "")
            if kind == "not run" and not note:
                raise SystemExit(f"{page}:{token.map[0] + 1}: a block is marked without a reason; give it")
            line = token.map[0] + (2 if token.type == "fence" else 1)
            yield Block(page, line, kind, token.content, note, language)
        mark = None
