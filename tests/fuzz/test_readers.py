"""A second of the fuzzing that `make test-fuzz` does for half an hour."""

import logging
from pathlib import Path

import pytest

from tests.fuzz.readers import fuzz


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads its own memory as Linux shows it")
def test_no_input_gets_past_the_readers() -> None:
    logger = logging.getLogger("zoo")
    level = logger.level
    try:
        assert "no crash, no hang" in fuzz(1.0, seed=7)
    finally:
        logger.setLevel(level)
