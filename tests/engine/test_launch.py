"""Which of several processes that ended is named as the cause."""

import signal
from types import SimpleNamespace

import pytest

from zoo.engine.launch import LOST, _cause


@pytest.mark.parametrize(
    ("ends", "cause"),
    [
        ({0: (-signal.SIGKILL, 1.0), 1: (9, 1.0)}, 0),
        ({0: (9, 1.0), 1: (-signal.SIGSEGV, 1.1)}, 1),
        ({0: (-signal.SIGTERM, 2.0), 1: (LOST, 1.0)}, 1),
        ({0: (-signal.SIGKILL, 31.5), 1: (3, 1.0)}, 1),
        ({0: (-signal.SIGTERM, 1.0), 1: (-signal.SIGTERM, 1.2)}, 0),
        ({0: (5, 1.2), 1: (9, 1.0)}, 1),
    ],
)
def test_the_first_failure_is_the_cause_and_not_whom_it_left(ends: dict[int, tuple[int, float]], cause: int) -> None:
    failures = {rank: SimpleNamespace(exitcode=code, timestamp=when) for rank, (code, when) in ends.items()}
    assert _cause(failures)[0] == cause
