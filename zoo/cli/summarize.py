"""`zoo summarize`."""

import os.path
from collections.abc import Sequence
from pathlib import Path

from zoo.cli.decoding import one_text
from zoo.cli.writing import writing_command
from zoo.data.text_files import decoded


def _read(texts: Sequence[str]) -> list[str]:
    return [decoded(Path(text).read_bytes(), text) if os.path.isfile(text) else one_text(text) for text in texts]


command = writing_command(
    "summarize",
    "Summarize each TEXT, or text FILE, to one line; `-` is standard input. Uses 4 beams by default.",
    task="summarization",
    answer="summary",
    metavar="TEXT|FILE…",
    read=_read,
)
