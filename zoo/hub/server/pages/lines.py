"""The lines of a card that changed, for the process that renders: to compare two texts may take long."""

import difflib
from html import escape

_KINDS = {"+": "added", "-": "removed", "@": "changed"}


def render_lines(before: str, after: str) -> str:
    """Return a unified diff as HTML; nothing where both are alike."""
    found = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2)
    lines = [line for number, line in enumerate(found) if number > 1]  # past the names of the two
    return "\n".join(f'<span class="{_KINDS.get(line[:1], "alike")}">{escape(line)}</span>' for line in lines)
