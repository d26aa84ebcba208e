"""How much is tried: a sample in `make test`, everything in `make test-attacks`, which sets ZOO_ATTACKS."""

import os

import pytest

CASES = int(os.environ.get("ZOO_ATTACKS", "0"))
LONG = CASES >= 2000

long_form = pytest.mark.skipif(not LONG, reason="the long form, `make test-attacks`: it measures time and memory")


def sample(short: int) -> int:
    """Return how many cases to draw: `short` of them, or the share of ZOO_ATTACKS that belongs to them."""
    return max(short, CASES * short // 100)
