"""Count what a model takes: parameters, and multiply-adds and memory for one stated input. Nothing is computed."""

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from zoo.registry.registry import Offer
from zoo.specs.records import ModelSpec
from zoo.weights.build import build, full_arguments

TOKENS = 128
IMAGES = {
    "zoo_cnn.cifar_resnet:": (3, 32, 32),
    "zoo_cnn.": (3, 224, 224),
    "zoo_transformer.vit:": (3, 224, 224),
    "zoo_autoencoder.tiny:": None,
    "zoo_autoencoder.": (1, 28, 28),
}
"""What pictures the models of a module are for; None where they say nothing of it."""


class _Live(TorchDispatchMode):
    """Counts the bytes of tensors that are alive, and the most that were so at once."""

    def __init__(self, *held: Tensor) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: dict[int, int] = {}
        for tensor in held:
            self._note(tensor.untyped_storage())

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._note(tensor.untyped_storage())
        return result

    def _note(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known[key] = size
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._gone, key)

    def _gone(self, key: int) -> None:
        self.now -= self._known.pop(key, 0)


def facts_of(offer: Offer[ModelSpec]) -> dict[str, Any]:
    """Return what a model takes by default: parameters, and where its input can be stated what one forward pass takes.

    `memory` are the most bytes that weights and tensors take at once, in float32, without gradients.
    """
    model = build(offer, full_arguments(offer, {}), device="meta").eval()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    found = _example(offer.spec)
    if found is None:
        return {"parameters": parameters}
    said, given = found
    counter = FlopCounterMode(display=False)
    live = _Live(*model.parameters(), *model.buffers(), *given.values())
    with torch.device("meta"), torch.no_grad(), counter, live:
        model(*given.values()) if "x" in given else model(**given)
    return {
        "parameters": parameters,
        "multiply_adds": counter.get_total_flops() // 2,
        "memory": live.most,
        "input": said,
    }


def _example(spec: ModelSpec) -> tuple[str, Mapping[str, Tensor]] | None:
    if spec.modality == "text" and "encode-decode" not in spec.capabilities:
        tokens = torch.zeros(1, TOKENS, dtype=torch.long, device="meta")
        return f"{TOKENS} tokens", {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    shape = next((shape for start, shape in IMAGES.items() if spec.target.startswith(start)), None)
    if shape is None:
        return None
    return "x".join(map(str, shape)), {"x": torch.zeros(1, *shape, device="meta")}
