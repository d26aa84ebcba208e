"""Ask before an environment is changed."""

import sys

from zoo.commands.output import ask
from zoo.errors import UsageError


def agreed(what: str) -> bool:
    """Ask whether to go on. Raise UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to say yes to {what}; add --yes")
    return ask(f"{what}?", ["yes", "no"]) == "yes"
