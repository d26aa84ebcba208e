"""Weights of every task behind a page that answers on loopback, from a thread."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import module_site as module_site
from tests.conftest import own_folders as own_folders
from tests.hub.server.pages.conftest import browser as browser

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes weights for a task, once."""
    from try_weights import weights_for

    made: dict[str, Path] = {}

    def make(task: str) -> Path:
        if task not in made:
            made[task] = weights_for(task, tmp_path_factory.mktemp(task) / "w")
        return made[task]

    return make


@pytest.fixture
def page(weights: Callable[[str], Path]) -> Iterator[Callable[[str], Any]]:
    """Return a function that serves weights for a task."""
    from try_pages import page_of

    with ExitStack() as opened:
        yield lambda task: opened.enter_context(page_of(weights(task)))
