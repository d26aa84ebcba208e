"""Say which weight is read past its own module, where FSDP2 has it in shards: torch's own message names none."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from zoo.errors import PluginError

_MIXED = "mixed torch.Tensor and DTensor"


class _Watch(TorchFunctionMode):
    """Note which parameters of modules took part in the call that failed, also as views of them."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.blamed: list[str] = []
        self._held: list[Tensor] = []  # or another tensor would get the id of one that is gone
        self._names = {
            id(parameter): name for module in modules.values() for name, parameter in module.named_parameters()
        }

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = [item for item in tree_leaves((args, kwargs)) if isinstance(item, Tensor)]
        names = [self._names[id(item)] for item in given if id(item) in self._names]
        try:
            result = function(*args, **(kwargs or {}))
        except RuntimeError as error:
            if _MIXED in str(error) and not self.blamed:
                self.blamed = names
            raise
        if names and len(given) == 1 and isinstance(result, Tensor):
            self._held.append(result)
            self._names[id(result)] = names[0]
        return result


@contextmanager
def sharded_use(modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Raise AssertionError, with the weight's name, where the block computes with one that is not gathered."""
    watch = _Watch(modules)
    try:
        with watch:
            yield
    except (RuntimeError, PluginError) as error:
        if _MIXED not in str(error):
            raise
        weight = watch.blamed[0] if watch.blamed else "a weight"
        owner = weight.rpartition(".")[0] or "its module"
        raise AssertionError(
            f"{weight} is used while {owner} is not being called: FSDP2 gathers the weights of a block for its own "
            f"forward alone. Call {owner} instead of reading its weight, or make the weight a parameter of the module "
            "that uses it"
        ) from error
