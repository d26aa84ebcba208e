"""What all tests have in common, those of the core and those of the plugins."""

import os
import sys
from typing import Any

import hypothesis

# machines are slow at times: no test is timed, and none fails for drawing slowly
hypothesis.settings.register_profile("zoo", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("zoo")


def pytest_keyboard_interrupt(excinfo: Any) -> None:
    """Say where a worker of xdist was interrupted: the process that starts it says only that it was."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        print(excinfo.getrepr(style="short"), file=sys.__stderr__, flush=True)
