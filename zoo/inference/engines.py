"""Let an engine compute what a loaded model is asked, compared with eager mode on the first batch of each kind."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from zoo.registry.loading import load_named
from zoo.registry.registry import default_registry
from zoo.specs.engines import Engine
from zoo.specs.networks import Network

EAGER = "eager"
TOLERANCES = {torch.float32: 1e-3, torch.float64: 1e-3}
HALF_TOLERANCE = 3e-2
"""How far an engine may be from eager mode, as a share of the largest value; in half precision so far."""

_ENTRIES = ("forward", "forward_features", "embed")
"""What commands ask of a model, and what of that is worth an engine: pooling and heads behind it are not."""
_MOST_GRAPHS = 8
_log = logging.getLogger("zoo")


def eager(function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]) -> nn.Module:
    """Return the function itself. Keeps zoo.Engine."""
    return function


def engine_named(name: str | None) -> tuple[str, Engine] | None:
    """Return the engine of this name; None for eager mode, which needs none. Raise NotFoundError for an unknown one."""
    if name is None:
        return None
    offer = default_registry().engine(name)
    return None if name == EAGER else (name, load_named(offer, "target"))


def compute_with(engine: tuple[str, Engine] | None, *models: nn.Module) -> None:
    """Let an engine compute the models, of which some may be parts of others, from now on.

    It does so in eval mode without gradients; in training models compute as they did.
    """
    if engine is not None:
        _Engined(*engine, models)


def parts_of(model: Any) -> tuple[nn.Module, ...]:
    """Return a model and, of a task's network, the backbone too: vectors are made by that."""
    module: nn.Module = model
    return (module, model.backbone) if isinstance(model, Network) else (module,)


@dataclass
class _Graph:
    """What an engine made of a function for tensors of these sizes, which count along the axes that are not free."""

    compute: Callable[..., Sequence[Tensor]]
    sizes: list[torch.Size]
    free: list[tuple[int, ...]]
    outputs: TreeSpec

    def takes(self, tensors: Sequence[Tensor]) -> bool:
        return not any(_differing(self.sizes, tensors, self.free))


@dataclass(frozen=True)
class _Call:
    """One call: which method, its tensors, and whatever else it was given."""

    model: nn.Module
    method: str
    tensors: list[Tensor]
    others: tuple[Any, ...]
    tree: TreeSpec = field(compare=False)

    @property
    def key(self) -> tuple[Any, ...]:
        kinds = tuple((tensor.dtype, tensor.device, tensor.ndim) for tensor in self.tensors)
        return id(self.model), self.method, kinds, self.others, str(self.tree)

    def function(self) -> "_Function":
        return _Function(self.model, self.method, self.others, self.tree)


class _Function(nn.Module):
    """A method of a model with its arguments' form and all but the tensors given: from tensors to a tuple of them."""

    def __init__(self, model: nn.Module, method: str, others: tuple[Any, ...], tree: TreeSpec) -> None:
        super().__init__()
        self.model = model
        self.method = method
        self.others = others
        self.tree = tree
        self.train(model.training)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(tree_flatten(self.whole(*tensors))[0])

    def whole(self, *tensors: Tensor) -> Any:
        """Return what the method does, in its own form."""
        remaining = iter(tensors)
        leaves = [next(remaining) if other is Tensor else other for other in self.others]
        args, kwargs = tree_unflatten(leaves, self.tree)
        return getattr(self.model, self.method)(*args, **kwargs)


class _Engined:
    """Models whose methods an engine computes, until it fails."""

    def __init__(self, name: str, engine: Engine, models: Sequence[nn.Module]) -> None:
        self.name, self.engine = name, engine
        self.graphs: dict[tuple[Any, ...], _Graph] = {}
        self.routes: list[tuple[nn.Module, str, Any]] = []
        self.on = True
        for model in models:
            for method in _ENTRIES:
                if callable(getattr(type(model), method, None)):
                    self.routes.append((model, method, self._route(model, method)))
        self._swap()

    def _swap(self) -> None:
        """Put in place what calls go to instead: the engine, or what was there before."""
        for place, (model, method, route) in enumerate(self.routes):
            self.routes[place] = model, method, model.__dict__.pop(method, None)
            if route is not None:
                model.__dict__[method] = route

    @contextmanager
    def _direct(self) -> Iterator[None]:
        """Let calls go straight to the models, which compute or are traced."""
        self._swap()
        try:
            yield
        finally:
            if self.on:
                self._swap()

    def _route(self, model: nn.Module, method: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._direct():
                asked = None if model.training or torch.is_grad_enabled() else _call(model, method, args, kwargs)
                if asked is None:
                    return getattr(model, method)(*args, **kwargs)
                return self._compute(asked)

        return call

    def _compute(self, call: _Call) -> Any:
        function, graph = call.function(), self.graphs.get(call.key)
        made = None if graph is not None and graph.takes(call.tensors) else function.whole(*call.tensors)
        try:
            if graph is None or made is not None:
                graph = self.graphs[call.key] = self._graph(call, function, made, graph)
            return tree_unflatten(list(graph.compute(*call.tensors)), graph.outputs)
        except Exception as error:  # whatever an engine raises, eager mode computes
            _log.warning("engine %s: %s; eager computes instead", self.name, _reason(error))
            self.on = False
            return function.whole(*call.tensors) if made is None else made

    def _graph(self, call: _Call, function: "_Function", made: Any, before: _Graph | None) -> _Graph:
        """Let the engine make a graph, and compare it with what eager mode made.

        Free are the number of items, sizes that were seen to vary, and all those of whole numbers, such as tokens.
        """
        if before is None and len(self.graphs) == _MOST_GRAPHS:
            raise ValueError(f"calls are of more than {_MOST_GRAPHS} kinds")
        free = [
            tuple(range(tensor.ndim)) if not tensor.is_floating_point() else (0,) if tensor.ndim else ()
            for tensor in call.tensors
        ]
        if before is not None:
            also = _differing(before.sizes, call.tensors, before.free)
            free = [tuple(sorted({*axes, *more})) for axes, more in zip(before.free, also, strict=True)]
        leaves, outputs = tree_flatten(made)
        if not all(isinstance(leaf, Tensor) for leaf in leaves):
            raise ValueError(f"{call.method} of a {type(call.model).__name__} returns more than tensors")
        example = [_doubled(tensor, axes) for tensor, axes in zip(call.tensors, free, strict=True)]
        compute = self.engine(function, example, free)
        _compare(leaves, compute(*call.tensors))
        return _Graph(compute, [tensor.shape for tensor in call.tensors], free, outputs)


def _call(model: nn.Module, method: str, args: Any, kwargs: Any) -> _Call | None:
    """Return a call as an engine takes it; None for one with more than tensors and plain values, such as a cache."""
    leaves, tree = tree_flatten((args, kwargs))
    if not all(leaf is None or isinstance(leaf, Tensor | bool | int | float | str) for leaf in leaves):
        return None
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    others = tuple(Tensor if isinstance(leaf, Tensor) else leaf for leaf in leaves)
    return _Call(model, method, tensors, others, tree) if tensors else None


def _differing(
    sizes: Sequence[torch.Size], tensors: Sequence[Tensor], free: Sequence[tuple[int, ...]]
) -> list[list[int]]:
    """Return for each tensor the axes along which it is of another size, but for those that are free."""
    return [
        [axis for axis, was in enumerate(size) if axis not in axes and tensor.shape[axis] != was]
        for size, tensor, axes in zip(sizes, tensors, free, strict=True)
    ]


def _doubled(tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return a tensor of two or more along some axes: what is traced with one takes no other number."""
    for axis in axes:
        if tensor.shape[axis] == 1:
            tensor = torch.cat([tensor, tensor], axis)
    return tensor


def _compare(eager: Sequence[Tensor], found: Sequence[Tensor]) -> None:
    """Raise ValueError where outputs differ by more than the tolerance."""
    if [tensor.shape for tensor in eager] != [tensor.shape for tensor in found]:
        raise ValueError("outputs are of other shapes than those of eager mode")
    for wanted, tensor in zip(eager, found, strict=True):
        if not wanted.is_floating_point():
            if not torch.equal(wanted, tensor):
                raise ValueError("outputs of whole numbers are not those of eager mode")
        elif wanted.numel():
            tolerance = TOLERANCES.get(wanted.dtype, HALF_TOLERANCE)
            apart = float((wanted.float() - tensor.float()).abs().max())
            largest = float(wanted.float().abs().max())
            if not apart <= tolerance * largest:
                share = apart / largest if largest else apart
                raise ValueError(f"outputs differ from eager mode by {share:.1e} of the largest, above {tolerance:g}")


def _reason(error: Exception) -> str:
    said = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".;:")
    return said[:200] if isinstance(error, ValueError) else f"{type(error).__name__}: {said[:200]}"
