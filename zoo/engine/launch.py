"""Start this command on several processes of this machine, by torchrun's own launcher."""

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.engine.interruption import Interrupted
from zoo.errors import TrainingError, UsageError

RUN_ID = "zoo"
"""By this the started processes know that somebody speaks for them."""


LOST = 10
"""With this a process ends that has lost another one, and leaves it to the launcher to say which."""


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run `zoo` with these arguments on that many processes and return the exit code that they agree on.

    Raise TrainingError, naming the process, when one was killed or died of something else than a message it printed.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    import torch
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in [*logging.root.manager.loggerDict, "torch.distributed.elastic"]:
        if name.startswith(("torch.distributed.elastic", "torch.distributed.launcher")):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of its words is said below, once
    if "WORLD_SIZE" in os.environ:
        raise UsageError("torchrun started this process already; omit --processes")
    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise UsageError(f"--processes {processes} on {torch.cuda.device_count()} GPUs; start one process for each GPU")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=RUN_ID,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        max_restarts=0,
        start_method="spawn",
    )
    try:
        elastic_launch(config, sys.executable)("-m", "zoo", *arguments)
    except SignalException as error:
        raise Interrupted(int(error.sigval)) from None
    except ChildFailedError as error:
        rank, failure = _cause(error.failures)
        code = failure.exitcode
        if code in _SAID or code - 128 in (signal.SIGINT, signal.SIGTERM):
            return int(code)
        how = "lost another one" if code == LOST else f"ended with exit code {code}"
        if code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        raise TrainingError(
            f"rank {rank} (process {failure.pid}) {how}, and the others were stopped; continue with --resume"
        ) from None
    return 0


_SAID = range(2, 10)
"""Exit codes of a zoo that has printed its own message."""


def _cause(failures: Mapping[int, Any]) -> tuple[int, Any]:
    """Return the rank and failure that the others followed.

    A process that was killed comes before those that lost it. The launcher ends whom the first failure leaves, with
    SIGTERM and after 30 s with SIGKILL, and lists them too.
    """
    first = min(failure.timestamp for failure in failures.values())

    def order(item: tuple[int, Any]) -> tuple[bool, float]:
        _, failure = item
        killed = failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM and failure.timestamp < first + 10
        return not killed, failure.timestamp

    return min(failures.items(), key=order)
