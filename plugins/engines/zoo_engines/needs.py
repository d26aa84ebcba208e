"""What has to be installed for an engine."""

from importlib import import_module
from typing import Any

import zoo


def installed(engine: str, *modules: str) -> Any:
    """Return the first of the modules. Raise UsageError where one is missing."""
    try:
        return [import_module(module) for module in modules][0]
    except ImportError as error:
        raise zoo.UsageError(
            f"needs {error.name or modules[0]}, which is not here; pip install 'zoo-engines[{engine}]'"
        ) from None
