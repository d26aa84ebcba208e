"""Give a loaded model another head, and say so."""

import logging
from typing import Any, cast

from torch import nn

from zoo.errors import UsageError

_log = logging.getLogger("zoo")


def replace_head(model: nn.Module, num_classes: int) -> None:
    """Replace the head by a fresh one of `num_classes` unless it has that many already; note what was replaced."""
    backbone = cast(Any, model)
    if num_classes < 0:
        raise UsageError(
            f"num_classes={num_classes} is not a valid number of classes; give 0 for no head, or the number of classes"
        )
    if not callable(getattr(backbone, "reset_classifier", None)):
        raise UsageError(f"{type(model).__name__} has no head to replace; omit num_classes")
    old = backbone.num_classes
    if num_classes == old:
        return
    head = {id(parameter) for parameter in _head_parameters(backbone)}
    kept = sum(id(parameter) not in head for parameter in model.parameters())
    backbone.reset_classifier(num_classes)
    model.eval()
    what = f"head of {old} classes" if old else "missing head"
    fresh = f"replaced by a fresh one of {num_classes}" if num_classes else "removed"
    _log.info("%s %s; all other tensors loaded (%d of %d)", what, fresh, kept, kept)


def _head_parameters(backbone: Any) -> list[nn.Parameter]:
    head = backbone.get_classifier()
    return list(head.parameters()) if isinstance(head, nn.Module) else []
