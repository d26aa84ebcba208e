"""The learning rate over time, as a factor of its peak."""

import math

from zoo.specs.settings import TrainingSettings


def rate(step: int, total_steps: int, settings: TrainingSettings) -> float:
    """Return the factor in (0, 1] for a step counted from 0: linear warm-up, then constant or half a cosine to 0."""
    warmup = math.ceil(settings.warmup * total_steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total_steps - warmup)))
