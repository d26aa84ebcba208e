"""Start this command on several processes of this machine, by torchrun's own launcher."""

import logging
import os
import signal
import sys
from collections.abc import Sequence

from zoo.engine.interruption import Interrupted
from zoo.errors import TrainingError, UsageError

RUN_ID = "zoo"
"""By this the started processes know that somebody speaks for them."""


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
        # a process that was killed comes before those that lost it
        rank, failure = min(error.failures.items(), key=lambda item: (item[1].exitcode > 0, item[1].timestamp))
        code = failure.exitcode
        if code in _SAID or code - 128 in (signal.SIGINT, signal.SIGTERM):
            return int(code)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise TrainingError(
            f"rank {rank} (process {failure.pid}) {how}, and the others were stopped; continue with --resume"
        ) from None
    return 0


_SAID = range(2, 10)
"""Exit codes of a zoo that has printed its own message."""
