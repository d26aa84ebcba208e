"""Which of several processes of a run this is, and whether somebody else speaks for them."""

import os


def first_process() -> bool:
    """Tell whether this process speaks for all: the only one, or torchrun's first."""
    return os.environ.get("RANK", "0") == "0"


def share() -> tuple[int, int]:
    """Return which of how many processes this is, as torchrun says."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def own_device(device: str | None) -> str | None:
    """Return the device of this process: of several on a machine with "cuda" each has a GPU of its own."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" and "LOCAL_RANK" in os.environ else device


def spoken_for() -> bool:
    """Tell whether `zoo --processes` has started this process, and says for all what came of it."""
    from zoo.engine.launch import RUN_ID

    return os.environ.get("TORCHELASTIC_RUN_ID") == RUN_ID
