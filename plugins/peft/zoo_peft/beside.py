"""Several adapters beside one base in memory, of which one is used: `model.adapters`, and `model.merge_adapter`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_peft.correction import Correction
from zoo_peft.placing import Base
from zoo_peft.settings import TENSORS_FILE
from zoo_peft.tensors import AdapterFile, read_adapter


@dataclass(frozen=True)
class _Held:
    """One adapter: its corrections by the names of layers, and the tensors that it has in the place of the base's."""

    corrections: Mapping[str, tuple[Correction, ...]]
    saved: Mapping[str, Tensor]


class Adapters:
    """Bound to loaded weights as `model.adapters`. Labels and inputs are those of the weights, whichever is used.

    `zoo.save` writes the weights without what lies beside them: merge first. What an `engine` computes knows none.
    """

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded
        self._held: dict[str, _Held] = {}
        self._hooks: dict[str, Any] = {}
        self._before: dict[str, Tensor] = {}
        self.active: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are held."""
        return tuple(self._held)

    def __repr__(self) -> str:
        return f"Adapters({', '.join(self._held) or 'none'}; in use: {self.active})"

    def load(self, source: str | Path, name: str = "default", *, hub: str | Path | None = None) -> None:
        """Hold an adapter of PEFT beside the weights, which must be those that it corrects; `use` lets it compute."""
        if name in self._held:
            raise zoo.UsageError(f"there is an adapter {name!r} already; unload it, or choose another name")
        path = zoo.find_weights(source, hub=hub)
        if path.name != TENSORS_FILE:
            raise zoo.UsageError(f"{source} holds no adapter of PEFT; that of a run: zoo export RUN --to peft")
        adapter = read_adapter(path)
        folder = zoo.pinned_base(path, adapter.settings.base, offline=True)
        mine = self._loaded.folder
        if mine.resolve() != folder.resolve() and (
            mine.name == TENSORS_FILE or zoo.tensors_sha256(mine) != zoo.tensors_sha256(folder)
        ):
            raise zoo.IntegrityError(
                f"{source} corrects {adapter.settings.base.source}, and the model was made of {mine}; begin with "
                f"zoo.load({str(source)!r}, adapter=None)"
            )
        base = Base.opened(folder)
        own = adapter.stored.load()
        self._held[name] = _Held(self._corrections(adapter, base, own), self._saved(adapter, base, own))
        for layer in self._held[name].corrections:
            if layer not in self._hooks:
                module = self._loaded.model.get_submodule(layer)
                self._hooks[layer] = module.register_forward_hook(partial(self._add, layer))

    def use(self, name: str | None) -> None:
        """Compute with the adapter of this name from now on; None is the base alone."""
        if name is not None and name not in self._held:
            raise zoo.UsageError(f"no adapter {name!r} is loaded; there are {', '.join(self._held) or 'none'}")
        tensors = dict(self._loaded.model.named_parameters(remove_duplicate=False))
        for key, tensor in self._before.items():
            tensors[key].data = tensor
        self._before = {}
        self.active = name
        for key, tensor in self._held[name].saved.items() if name is not None else ():
            self._before[key] = tensors[key].data
            tensors[key].data = tensor

    def unload(self, name: str) -> None:
        """Let an adapter go; where it is used the base alone computes afterwards."""
        if name not in self._held:
            raise zoo.UsageError(f"no adapter {name!r} is loaded; there are {', '.join(self._held) or 'none'}")
        if self.active == name:
            self.use(None)
        del self._held[name]
        for layer in [
            layer for layer in self._hooks if not any(layer in held.corrections for held in self._held.values())
        ]:
            self._hooks.pop(layer).remove()

    def merge(self) -> None:
        """Put the adapter that is used into the weights, which are then what it makes of them; let the others go."""
        if self.active is None:
            raise zoo.UsageError("no adapter is used; model.adapters.use(NAME) first. Those of zoo.load are merged")
        for layer, corrections in self._held[self.active].corrections.items():
            for correction in corrections:
                correction.merge(self._loaded.model.get_submodule(layer))
        self._before, self.active = {}, None
        for name in tuple(self._held):
            self.unload(name)

    def tensors(self) -> list[Tensor]:
        """Return what the adapters hold, beside the weights."""
        found = [tensor for held in self._held.values() for tensor in held.saved.values()]
        for held in self._held.values():
            for correction in (item for items in held.corrections.values() for item in items):
                found += [correction.down, correction.up, *([] if correction.factor is None else [correction.factor])]
        return found

    def _add(self, layer: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        held = None if self.active is None else self._held[self.active]
        for correction in held.corrections.get(layer, ()) if held else ():
            output = correction.added(module, inputs[0], output)
        return output

    @torch.no_grad()
    def _corrections(
        self, adapter: AdapterFile, base: Base, own: dict[str, Tensor]
    ) -> dict[str, tuple[Correction, ...]]:
        found: dict[str, tuple[Correction, ...]] = {}
        for pair in adapter.pairs:
            (ours, part), _ = base.corrected(adapter, pair)
            layer = self._named(ours).rpartition(".")[0]
            module = self._loaded.model.get_submodule(layer)
            correction = Correction.of(module, part, pair, own, str(adapter.path))
            found[layer] = (*found.get(layer, ()), correction)
        return found

    def _saved(self, adapter: AdapterFile, base: Base, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors by our names; of a joined one that is saved in parts the rest is the model's."""
        known = dict(self._loaded.model.named_parameters(remove_duplicate=False))
        found: dict[str, Tensor] = {}
        for name, key in adapter.saved.items():
            ours, (place, count) = base.place_of(name)
            ours = self._named(ours)
            there = known.get(ours)
            tensor = own[key] if there is None else own[key].to(there)
            stored = base.places.get((ours, (place, count)))
            if stored is not None and stored.axes is not None:
                tensor = tensor.permute(stored.axes)
            if there is None or there.numel() != tensor.numel() * count or len(there) != len(tensor) * count:
                has = "does not have" if there is None else f"has of {list(there.shape)}"
                raise zoo.UsageError(
                    f"{adapter.path} holds {ascii(name)[1:-1][:80]} of {list(own[key].shape)}, which the model {has}; "
                    "load it merged: zoo.load(ADAPTER)"
                )
            if count == 1:
                found[ours] = tensor.reshape(there.shape)
                continue
            whole = found.setdefault(ours, there.detach().clone())
            whole[place * len(tensor) : (place + 1) * len(tensor)] = tensor
        return found

    def _named(self, ours: str) -> str:
        """Return a name as the model has it: the network of a task has another model inside."""
        return f"backbone.{ours}" if isinstance(self._loaded.model, zoo.Network) else ours


def merge_adapter(loaded: zoo.Loaded) -> Callable[[], None]:
    """Return what merges the adapter that a model uses, bound to it as `model.merge_adapter`."""

    def merge() -> None:
        adapters: Adapters = loaded.model.adapters
        adapters.merge()

    return merge
