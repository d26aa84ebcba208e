"""Send every call of a module's public methods through its wrapper.

DDP and FSDP2 do their work around `forward` of the module that they wrap. A backbone is also entered by
`forward_features`, `embed`, `reconstruct` and whatever else its author made; none may pass the wrapper by.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_map_only


class Entry(nn.Module):
    """A module whose forward calls any method of the one inside.

    With `own_outputs` what it returns is no view: FSDP2 hangs its hooks on outputs, and on a view they may get lost.
    """

    def __init__(self, module: nn.Module, *, own_outputs: bool) -> None:
        super().__init__()
        self.module = module
        self.own_outputs = own_outputs

    def forward(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        return tree_map_only(Tensor, _owned, result) if self.own_outputs else result


def _owned(tensor: Tensor) -> Tensor:
    return tensor.clone() if tensor.requires_grad and tensor._base is not None else tensor


def route_calls(module: nn.Module, wrapper: nn.Module) -> None:
    """Let each public method of the module that takes part in computing go through `wrapper(method, ...)`.

    A call from inside another one goes straight on: the wrapper has been entered already.
    """
    inside = False

    def route(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return method(*args, **kwargs)
            inside = True
            try:
                return wrapper(method, *args, **kwargs)
            finally:
                inside = False

        return call

    for name in _computing_methods(type(module)):
        setattr(module, name, route(getattr(module, name)))


_ABOUT_THE_MODULE = {
    "get_classifier",
    "reset_classifier",
    "no_weight_decay",
    "group_matcher",
    "set_grad_checkpointing",
}


def _computing_methods(kind: type[nn.Module]) -> list[str]:
    """Return the public methods that the class and its bases define themselves, `forward` among them."""
    names = {
        name
        for base in kind.__mro__
        if base.__module__.partition(".")[0] != "torch" and base is not object
        for name, value in vars(base).items()
        if callable(value) and not name.startswith("_") and not isinstance(value, type)
    }
    return sorted((names | {"forward"}) - _ABOUT_THE_MODULE)
