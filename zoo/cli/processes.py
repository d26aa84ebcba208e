"""Which of several processes of a run this is, and whether somebody else speaks for them."""

import os


def first_process() -> bool:
    """Tell whether this process speaks for all: the only one, or torchrun's first."""
    return os.environ.get("RANK", "0") == "0"


def spoken_for() -> bool:
    """Tell whether `zoo --processes` has started this process, and says for all what came of it."""
    from zoo.engine.launch import RUN_ID

    return os.environ.get("TORCHELASTIC_RUN_ID") == RUN_ID
