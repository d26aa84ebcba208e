"""An adapter and its base as one file of weights, in which the one is merged into the other. Keeps zoo.Container."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import zoo
from zoo_peft.placing import Base
from zoo_peft.settings import TASKS
from zoo_peft.tensors import AdapterFile, Pair, flat, read_adapter

_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "preprocessor_config.json")
_OF_CLASSES = ("id2label", "label2id", "num_labels", "_num_labels", "label_names")


@dataclass(frozen=True)
class MergedAdapter:
    """The tensors of a base by its library's names, corrected by an adapter."""

    adapter: AdapterFile
    base: Base

    @property
    def path(self) -> Path:
        """The file of the adapter's tensors."""
        return self.adapter.path

    @property
    def library(self) -> str | None:
        """The library that stored the base; None where it has our names."""
        return None if self.base.layout is None else self.base.layout.library

    @cached_property
    def saved(self) -> dict[str, str]:
        """The tensors that the adapter holds whole: their names in the file by those that they have in the base."""
        found = {}
        for name, key in self.adapter.saved.items():
            place = self.base.place_of(name)
            shape = tuple(self.adapter.stored.headers[key].shape)
            there = self.base.places.get(place)
            free = self.base.in_classifier(place) or self.adapter.known.zoo is not None  # which says what must be there
            if there is None and not free and self.base.layout is None:
                raise self._misfit(f"{ascii(name)[1:-1][:80]} whole, which its base {self.base.folder} does not have")
            if there is not None and shape != there.shape and not free:
                sizes = f"of {list(shape)}, and its base {self.base.folder} has {list(there.shape)}"
                raise self._misfit(f"{ascii(name)[1:-1][:80]} {sizes}")
            found[name if there is None else there.name] = key
        return found

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The config.json of the base, with the class and the classes that the adapter is for."""
        config = dict(self._said)
        if self.base.layout is None:
            return config if self.adapter.known.zoo is None else {"zoo": self.adapter.known.zoo}
        named = self._class
        if named is not None:
            config["architectures"] = [named]
        rows = [shape[0] for (name, _), shape in self._placed.items() if name == self.base.layout.classifier]
        if rows and (named is not None or len(config.get("id2label") or config.get("label_names") or ()) != rows[0]):
            config = {key: value for key, value in config.items() if key not in _OF_CLASSES}
            if "num_classes" in config:
                config["num_classes"] = rows[0]
        if rows and len(self.adapter.known.labels) == rows[0]:
            labels = {str(place): label for place, label in enumerate(self.adapter.known.labels)}
            config |= (
                {"label_names": list(self.adapter.known.labels)} if self.library == "timm" else {"id2label": labels}
            )
        return config

    @cached_property
    def headers(self) -> dict[str, Any]:
        """Every tensor by its name in the base, without those of the base's own head where the task is another."""
        other_head = self._class is not None
        found = self.base.headers.items()
        kept = {name: header for name, header in found if not other_head or self.base.in_model(name)}
        for pair in self.adapter.pairs:
            self.base.corrected(self.adapter, pair)
        return kept | {name: self.adapter.stored.headers[key] for name, key in self.saved.items()}

    @cached_property
    def files(self) -> dict[str, str]:
        """The tokenizer and the processor of the base, where none lie beside the adapter."""
        found = {}
        folder = self.base.folder if self.base.folder.is_dir() else self.base.folder.parent
        for name in _FILES:
            if (path := folder / name).is_file() and not self.path.with_name(name).is_file():
                found[name] = path.read_text(encoding="utf-8", errors="surrogateescape")
        return found

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map the base, and merge what the adapter corrects."""
        tensors = zoo.stored_tensors(self.base.folder).load(device)
        own = self.adapter.stored.load(device)
        for pair in self.adapter.pairs:
            _, place = self.base.corrected(self.adapter, pair)
            weight = tensors[place.name] if place.axes is None else tensors[place.name].permute(place.axes)
            changed = merged(weight, pair, own)
            back = None if place.axes is None else sorted(range(len(place.axes)), key=place.axes.__getitem__)
            tensors[place.name] = changed if back is None else changed.permute(back).contiguous()
        tensors |= {name: own[key] for name, key in self.saved.items()}
        return {name: tensors[name] for name in self.headers}

    @property
    def _placed(self) -> dict[Any, tuple[int, ...]]:
        """The shapes of tensors by what they are of ours, those that the adapter holds before those of the base."""
        theirs = {place: stored.shape for place, stored in self.base.places.items()}
        return theirs | {
            self.base.place_of(name): self.adapter.stored.headers[key].shape for name, key in self.saved.items()
        }

    @cached_property
    def _said(self) -> dict[str, Any]:
        path = self.base.folder / "config.json"
        return zoo.parse_json(path.read_bytes(), str(path)) if path.is_file() else {}

    @cached_property
    def _class(self) -> str | None:
        """Return the class of the library that the adapter is for, where that of the base's files is another."""
        layout, settings = self.base.layout, self.adapter.settings
        if layout is None or not layout.architectures:
            return None
        said: str | None = next(iter(self._said.get("architectures") or ()), None)
        if (task := TASKS.get(settings.task or "")) is not None:
            named, what = layout.architectures.get(task), f"the task {settings.task}"
        else:
            named = settings.model_class or said
            what = f"the class {named}"
        known = layout.architectures.values()
        if named is None or (named != said and named not in known):
            raise zoo.IntegrityError(
                f"{settings.path} is for {what}, and Zoo reads {', '.join(known)} of such a base; load it with peft"
            )
        return None if named == said else named

    def _misfit(self, what: str) -> zoo.IntegrityError:
        return zoo.IntegrityError(f"{self.path} holds {what}; get the base that it was trained on")


def open_merged(path: Path) -> MergedAdapter:
    """Open an adapter with its base, which whoever found the adapter has pulled."""
    adapter = read_adapter(path)
    folder = zoo.pinned_base(path, adapter.settings.base, offline=True)
    return MergedAdapter(adapter, Base.opened(folder))


def merged(weight: Tensor, pair: Pair, own: Mapping[str, Tensor]) -> Tensor:
    """Return a weight, its outputs first, with its correction added; by DoRA each row with the length learnt for it."""
    found = corrected(weight, pair, own)
    if pair.magnitude is not None:
        found = found * lengthened(found, own[pair.magnitude]).view(-1, *[1] * (found.ndim - 1))
    return found.to(weight.dtype)


def corrected(weight: Tensor, pair: Pair, own: Mapping[str, Tensor]) -> Tensor:
    """Return a weight, its outputs first, with the product of a pair added, in float32."""
    change = (flat(own[pair.up]) @ flat(own[pair.down])).view(weight.shape)
    return weight.float() + pair.scale * change


def lengthened(rows: Tensor, magnitude: Tensor) -> Tensor:
    """Return by what rows are multiplied to have the lengths of DoRA, which may be below zero."""
    factor: Tensor = magnitude.float().flatten() / rows.flatten(1).norm(dim=1)
    return factor
