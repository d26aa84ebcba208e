"""Send every call of a module's public methods through its wrapper.

DDP and FSDP2 do their work around `forward` of the module that they wrap. A backbone is also entered by
`forward_features`, `embed`, `reconstruct` and whatever else its author made; none may pass the wrapper by.
"""

from collections.abc import Callable
from typing import Any

from torch import nn


class Entry(nn.Module):
    """A module whose forward calls any method of the one inside."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)


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
