"""`zoo translate`."""

from zoo.cli.decoding import lines
from zoo.cli.writing import writing_command

command = writing_command(
    "translate",
    "Translate each TEXT to one line; `-` reads lines from standard input. Uses 4 beams by default.",
    task="translation",
    answer="translation",
    metavar="TEXT…",
    read=lines,
)
