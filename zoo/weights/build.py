"""Build a model from JSON-able arguments, within limits, on the meta device or for real."""

import inspect
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import msgspec
import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.overrides import TorchFunctionMode

from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.registry.loading import load_named, plugin_failed
from zoo.registry.registry import Offer, default_registry
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec

MAX_INTEGER = 1_000_000
MAX_LIST = 4096
MAX_PARAMETERS = 200_000_000_000
MAX_MODULES = 50_000


class _OverLimit(Exception):
    pass


def load_model_target(offer: Offer[ModelSpec]) -> Any:
    """Import the callable that builds the model. Raise PluginError where the plugin fails at that."""
    target = load_named(offer, "target")
    if not callable(target):
        raise plugin_failed(
            offer.plugin, f"target {offer.spec.target!r} of {offer.spec.name!r}", TypeError("not callable")
        )
    return target


def load_layouts(offer: Offer[ModelSpec]) -> list[Layout]:
    """Return how other libraries store a model: what its own plugin knows, then what others do."""
    own = load_named(offer, "layouts") if offer.spec.layouts else ()
    others = [layout for other in default_registry().offers("layouts") for layout in load_named(other, "target")]
    return [layout for layout in (*own, *others) if offer.spec.name in layout.models]


def full_arguments(offer: Offer[ModelSpec], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument of the model by name: its defaults, what the spec fixes, and these on top.

    Raise UsageError for unknown names.
    """
    signature = inspect.signature(load_model_target(offer))
    known = [name for name, item in signature.parameters.items() if item.kind is not inspect.Parameter.VAR_KEYWORD]
    if unknown := [name for name in arguments if name not in known]:
        raise UsageError(f"model {offer.spec.name!r} has no argument {unknown[0]!r}; it takes {', '.join(known)}")
    defaults = {
        name: item.default for name, item in signature.parameters.items() if item.default is not inspect.Parameter.empty
    }
    merged: dict[str, Any] = {**defaults, **offer.spec.arguments, **arguments}
    return cast(dict[str, Any], msgspec.to_builtins(merged))


def check_arguments(offer: Offer[ModelSpec], arguments: Mapping[str, Any], source: str) -> None:
    """Check the types and bounds of arguments that a stranger's config.json asks for. Raise IntegrityError."""
    check_call(load_model_target(offer), arguments, offer.spec.limits, repr(offer.spec.name), source)


def check_call(
    target: Any,
    arguments: Mapping[str, Any],
    limits: Mapping[str, int],
    what: str,
    source: str,
    *,
    given: tuple[str, ...] = (),
) -> None:
    """Check names, types and bounds of the arguments for a callable; those that are `given` may not be among them."""
    parameters = [name for name in inspect.signature(target).parameters if name not in given]
    if unknown := [name for name in arguments if name not in parameters]:
        allowed = ", ".join(parameters)
        raise IntegrityError(f"{source} passes {what} the unknown argument {unknown[0]!r}; allowed are {allowed}")
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for name, value in arguments.items():
        try:
            converted = msgspec.convert(value, hints.get(name, Any))
        except msgspec.ValidationError as error:
            raise IntegrityError(f"{source} has a wrong argument {name!r}: {error}; get a fresh copy") from None
        except TypeError:  # an annotation that is no JSON type: the model itself has to judge
            converted = value
        if type(value) is float and type(converted) is int:
            raise IntegrityError(f"{source} has a wrong argument {name!r}: {value} is not an integer; get a fresh copy")
        low, high = (1, limits[name]) if name in limits else (0, MAX_INTEGER)
        _check_bounds(value, low, high, f"argument {name!r} in {source}")


def _check_bounds(value: Any, low: int, high: int, what: str) -> None:
    if type(value) is int and not low <= value <= high:
        raise IntegrityError(f"{what} is {value}, beyond its limit of {low} to {high}; get a fresh copy")
    if isinstance(value, list):
        if len(value) > min(high, MAX_LIST):
            raise IntegrityError(
                f"{what} has {len(value)} items, beyond the limit of {min(high, MAX_LIST)}; get a fresh copy"
            )
        for item in value:
            _check_bounds(item, low, high, what)


def build(offer: Offer[ModelSpec], arguments: Mapping[str, Any], *, device: str = "cpu") -> nn.Module:
    """Build the model on a device; "meta" allocates nothing.

    Raise IntegrityError when it grows beyond the limits, UsageError when it refuses the arguments, and PluginError when
    it breaks.
    """
    target = load_model_target(offer)
    what = f"model {offer.spec.name!r}"
    try:
        with _limits(), torch.device(device), NoInitialisation() if device == "meta" else nullcontext():
            model = target(**arguments)
    except _OverLimit as error:
        raise IntegrityError(f"{what} with these arguments {error}; use smaller ones") from None
    except ZooError:
        raise
    except (ValueError, TypeError) as error:
        reason = _mistyped(target, arguments) or error
        raise UsageError(f"{what} refuses its arguments: {reason}; `zoo info {offer.spec.name}` shows them") from error
    except Exception as error:
        raise plugin_failed(offer.plugin, what, error) from error
    if not isinstance(model, nn.Module):
        raise plugin_failed(offer.plugin, what, TypeError(f"made a {type(model).__name__}, not an nn.Module"))
    return model


def _mistyped(target: Any, arguments: Mapping[str, Any]) -> str | None:
    """Say which argument is of another type than the model's signature has."""
    try:
        hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except Exception:  # of annotations that cannot be resolved
        return None
    for name, value in arguments.items():
        try:
            msgspec.convert(value, hints.get(name, Any))
        except msgspec.ValidationError as error:
            return f"{name}={value!r}: {str(error)[0].lower()}{str(error)[1:]}"
        except TypeError:  # an annotation that is no JSON type
            continue
    return None


class NoInitialisation(TorchFunctionMode):
    """Pass over what fills tensors: on the meta device there is nothing to fill, and torch takes long to do it.

    Elsewhere, with `parameters_alone`, buffers are filled all the same.
    """

    def __init__(self, *, parameters_alone: bool = False) -> None:
        super().__init__()
        self.parameters_alone = parameters_alone

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _FILLING:
            filled = args[0] if args else kwargs["tensor"]
            if not self.parameters_alone or isinstance(filled, nn.Parameter):
                return filled
        return func(*args, **(kwargs or {}))


_FILLING = {
    *(function for name, function in vars(nn.init).items() if name.endswith("_") and callable(function)),
    *(getattr(Tensor, name) for name in ("uniform_", "normal_", "fill_", "zero_")),
    # by which truncated normals are made of uniform numbers, in place
    *(getattr(Tensor, name) for name in ("erfinv_", "clamp_", "mul_", "add_", "sub_", "div_")),
}


@contextmanager
def _limits() -> Iterator[None]:
    """Stop a build that asks for absurdly much while it happens, not after."""
    parameters = modules = 0

    def count_parameter(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal parameters
        parameters += parameter.numel() if parameter is not None else 0
        if parameters > MAX_PARAMETERS:
            raise _OverLimit(f"has more than {MAX_PARAMETERS:,} parameters, the limit")

    def count_module(module: nn.Module, name: str, child: nn.Module) -> None:
        nonlocal modules
        modules += 1
        if modules > MAX_MODULES:
            raise _OverLimit(f"has more than {MAX_MODULES:,} modules, the limit")

    handles = (
        register_module_parameter_registration_hook(count_parameter),
        register_module_module_registration_hook(count_module),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def parameters_on_meta() -> Iterator[None]:
    """Build models with real buffers, but parameters on the meta device.

    Each parameter is dropped as it is registered, before its initialisation runs, so that almost nothing is computed.
    """

    def to_meta(module: nn.Module, name: str, parameter: nn.Parameter) -> nn.Parameter:
        return nn.Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)

    # torch takes what the hook returns, though its annotation says None
    handle = register_module_parameter_registration_hook(cast(Any, to_meta))
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        handle.remove()
