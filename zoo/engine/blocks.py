"""The blocks of a module: the parts that repeat, which are compiled, recomputed and sharded one by one."""

from typing import Any, cast

from torch import nn


def blocks(module: nn.Module) -> list[nn.Module]:
    """Return the module's blocks, none inside another.

    These are the elements of its `ModuleList`s, wherever they lie; without any, the stages that `feature_info` names;
    and without those, its children that hold parameters.
    """
    found = [item for part in _outermost(module, nn.ModuleList) for item in part.children()]
    if not found:
        named = dict(module.named_modules())
        info = cast(Any, module).feature_info if hasattr(module, "feature_info") else ()
        found = [named[stage.module] for stage in info if stage.module in named]
    if not found:
        found = list(module.children())
    return [item for item in found if next(item.parameters(), None) is not None]


def _outermost(module: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    if isinstance(module, kind):
        return [module]
    return [found for child in module.children() for found in _outermost(child, kind)]
