"""Times as the Hub's clients read them."""

import time
from datetime import UTC, datetime


def timestamp() -> str:
    """Return the time as the Hub's clients read it."""
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day(moment: float) -> str:
    """Return the day of a time in seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
