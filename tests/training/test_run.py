"""Training in a run folder."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from zoo.engine.options import RunOptions
from zoo.training.run import _opened


def test_the_other_processes_open_a_run_that_the_first_has_begun(tmp_path: Path) -> None:
    job: Any = SimpleNamespace(run=RunOptions(out=tmp_path / "run"), resolved={})
    with _opened(job, True), _opened(job, False) as run:
        assert not run.main
