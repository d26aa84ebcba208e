"""Weights that another library wrote: recognized by config.json or by the tensors' names, read as ours, strictly."""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.errors import IntegrityError, NotFoundError, UsageError, ZooError
from zoo.printable import printable
from zoo.registry.registry import Offer, default_registry
from zoo.specs.containers import Container
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec
from zoo.strict_json import parse_json
from zoo.weights.build import build, check_arguments, full_arguments, load_layouts
from zoo.weights.description import FORMAT_VERSION, WeightsDescription, read_json
from zoo.weights.foreign.config_files import (
    IDENTITY,
    answers_of,
    arguments_by_stem,
    arguments_of,
    dtype_of,
    flattened,
    inputs_of,
    labels_of,
    library_of,
)
from zoo.weights.foreign.defaults import check_shapes, completed, described, differences
from zoo.weights.foreign.grouping import Group, axes_of, grouped, header_of, is_whole
from zoo.weights.foreign.renaming import matches
from zoo.weights.foreign.tasks import task_of
from zoo.weights.foreign.text_files import TextFiles, read_text_files
from zoo.weights.foreign.twins import copies, untied
from zoo.weights.formats import open_container
from zoo.weights.header import TensorHeader, read_header
from zoo.weights.inputs import record_of
from zoo.weights.kinds import told_of_folder
from zoo.weights.shards import INDEX_FILE
from zoo.weights.stored import WEIGHTS_FILE, JoinedTensors, StoredTensors, stored_tensors

_COUNTER = ".num_batches_tracked"
"""Batch norms count their batches since torch 0.4.1; where older files do not, the count is 0."""

_IN_NETWORK = "backbone."
"""What the network of a task puts before the names of the model that it holds."""
_MAX_UNNAMED = 20_000

_log = logging.getLogger("zoo")
Stored = StoredTensors | JoinedTensors | Container


@dataclass(frozen=True)
class ForeignWeights:
    """Weights of another library, described as Zoo would.

    `headers` go by our names, `names` from ours to theirs, of which several are joined, `axes` say of ours whose axes
    theirs have in another order which those are, `backwards` along which they count from the end, and `left_out` are
    theirs without a place here.
    """

    block: WeightsDescription
    stored: Stored
    headers: dict[str, TensorHeader]
    names: dict[str, list[str]]
    axes: dict[str, tuple[tuple[int, ...], ...]]
    backwards: dict[str, int]
    left_out: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Return the file that says where the tensors lie."""
        return self.stored.path

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map the files, and name and shape their tensors as ours; a note says what is left out."""
        if self.left_out:
            some = ", ".join(self.left_out[:3]) + (", …" if len(self.left_out) > 3 else "")
            _log.warning("ignored %d tensors that the model does not have (%s)", len(self.left_out), some)
        source = dict(self.stored.load(device))
        tensors = {}
        for target, (first, *others) in self.names.items():
            # what was converted is let go at once, so that a file is never in memory twice
            parts = [self._turned(target, source.pop(name)) for name in (first, *others)]
            tensor = torch.cat(parts) if others else parts[0]
            if target in self.backwards:
                tensor = tensor.flip(self.backwards[target])
            tensors[target] = tensor.reshape(self.headers[target].shape)
        counters = self.headers.keys() - self.names.keys()
        return tensors | {name: torch.zeros((), dtype=torch.int64, device=device) for name in counters}

    def _turned(self, target: str, tensor: Tensor) -> Tensor:
        """Return their tensor with its axes in the order of ours."""
        axes = self.axes.get(target)
        if axes is None:
            return tensor
        moved = tensor.permute([axis for joined in axes for axis in joined])
        return moved.reshape([math.prod(tensor.shape[axis] for axis in joined) for joined in axes]).contiguous()


def find_foreign(place: Path) -> ForeignWeights | None:
    """Return the weights of another library in a folder or a file; None where Zoo wrote them."""
    config = read_json(place)
    return None if "zoo" in config else recognize(place, config)


def recognize(place: Path, config: Mapping[str, Any]) -> ForeignWeights:
    """Find the model and the layout that weights of another library have.

    An architecture that config.json names is taken at its word, and loading checks every tensor. Without one, all
    tensors must fit a model that a plugin offers. Raise NotFoundError where none does, or where no weights are.
    """
    container = open_container(place)
    stored = container or _stored(place)
    found = stored.headers
    if container is not None:
        config = container.config
    library = container.library if container is not None else library_of(config)
    config = flattened(config)
    processor = _processor(place)
    files = read_text_files(place)
    nearest: tuple[int, str] | None = None
    for offer, layout in _candidates(found):
        candidate = _Candidate(offer, layout, stored)
        if library is None and len(found) <= _MAX_UNNAMED:
            if (foreign := candidate.fit(container.config if container is not None else {}, files)) is not None:
                return foreign
        elif library == layout.library and (key := IDENTITY.get(library)) in (None, *config):
            others = differences(completed(config, layout), layout, offer.spec.name)
            if not others:
                return candidate.read(config, processor, files)[0]
            if key not in others and (nearest is None or len(others) < nearest[0]):
                nearest = len(others), described(others, config, layout, offer.spec.name)
    if library is not None:
        named = f"{place} holds a {printable(str(config.get(IDENTITY.get(library, 'architecture'))))!r} of {library}"
        if nearest:
            raise NotFoundError(f"{named} with {nearest[1]}, which no plugin here reads; load it with {library}")
        raise NotFoundError(f"{named}, which no plugin here reads; `zoo list` shows the models")
    example = next(iter(found), None)
    names = "its config.json has no model_type, which names one" if config else "a config.json beside it would name one"
    raise NotFoundError(
        f"{stored.path} holds {len(found)} tensors (such as {example!r}) that match no model of the installed plugins; "
        f"{names}; `zoo list` shows the models"
    )


@dataclass(frozen=True)
class _Candidate:
    """A model and a layout in which a file may hold it."""

    offer: Offer[ModelSpec]
    layout: Layout
    stored: Stored

    def fit(self, config: Mapping[str, Any], files: TextFiles) -> ForeignWeights | None:
        """Return the weights where every tensor of the file fits, and None where one does not."""
        try:
            foreign, shapes = self.read(config, {}, files)
        except ZooError:
            return None
        return foreign if {name: header.shape for name, header in foreign.headers.items()} == shapes else None

    def read(
        self, config: Mapping[str, Any], processor: Mapping[str, Any], files: TextFiles
    ) -> tuple[ForeignWeights, dict[str, tuple[int, ...]]]:
        """Return the weights, their names and shapes as ours as far as they can be, and the model's own shapes.

        `config` is empty where the tensors are all that is known.
        """
        layout, spec, source, found = self.layout, self.offer.spec, str(self.stored.path), self.stored.headers
        groups = grouped(found, layout)
        stem = header_of(groups[layout.stem][:1], found, None).shape if layout.stem in groups else ()
        if len(stem) < 2 or not all(map(is_whole, groups.values())):
            raise IntegrityError(f"{source} is not in {layout.library}'s layout of {spec.name!r}; get a fresh copy")
        classifier = groups.get(layout.classifier)
        num_classes = header_of(classifier[:1], found, None).shape[0] if classifier else 0
        whole = completed(config, layout) if config else config
        arguments = self._arguments(whole, groups, num_classes, stem, files.pooling)
        task = task_of(spec, layout, config, num_classes, self._missing(groups, arguments))
        try:
            state = build(self.offer, arguments, device="meta").state_dict()
        except UsageError as error:
            keys = ", ".join(f"{theirs}={whole.get(theirs)!r}" for theirs in layout.options.values() if config)
            raise IntegrityError(f"{error}; the config.json beside {source} comes to {keys}") from None
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        homeless = [name for name in groups if name not in shapes]
        twins = copies(homeless, groups, layout, lambda name: self._read(groups[name]), source)
        ignored = [name for name in homeless if name not in twins and matches(name, layout.ignored)]
        left_out = tuple(theirs for name in ignored for _, theirs in groups[name])
        groups = {name: group for name, group in groups.items() if name not in (*twins, *ignored)}
        headers = {target: header_of(group, found, shapes.get(target)) for target, group in groups.items()}
        counters = [name for name in shapes if name.endswith(_COUNTER)]
        if not any(name in groups for name in counters):
            headers |= {name: TensorHeader("I64", ()) for name in counters}
        if config:
            check_shapes(headers, shapes, config, layout, source)
        answers = answers_of(config, num_classes, source) if classifier else "one"
        labels = labels_of(config, num_classes, source) or (layout.labels if len(layout.labels) == num_classes else ())
        inputs = inputs_of(spec.modality, layout, config, processor, files, arguments, source)
        block = WeightsDescription(
            format_version=FORMAT_VERSION,
            plugin=self.offer.plugin.distribution,
            plugin_version=self.offer.plugin.version,
            architecture=spec.name,
            arguments=arguments,
            task=task.replace("classification", "regression") if answers == "value" else task,
            labels=labels,
            inputs=record_of(spec.modality, inputs),
            head={} if answers == "several" else None,
            dtype=dtype_of(config, found, layout, source),
        )
        inside = _IN_NETWORK if answers == "several" else ""
        names = {inside + target: [theirs for _, theirs in group] for target, group in groups.items()}
        axes = {inside + target: axes for target, group in groups.items() if (axes := axes_of(group, found))}
        backwards = {
            inside + target: axis for target, group in groups.items() if (axis := group[0][0].reversed) is not None
        }
        headers = {inside + target: header for target, header in headers.items()}
        return ForeignWeights(block, self.stored, headers, names, axes, backwards, left_out), shapes

    def _arguments(
        self,
        config: Mapping[str, Any],
        groups: Mapping[str, Group],
        num_classes: int,
        stem: tuple[int, ...],
        pooling: str | None,
    ) -> dict[str, Any]:
        """Return the model's arguments as config.json and the tensors tell them."""
        layout, spec, source = self.layout, self.offer.spec, str(self.stored.path)
        defaults = full_arguments(self.offer, {})
        said = arguments_of(config, layout, defaults, source)
        for target, theirs in layout.options.items():
            if target in said:
                check_arguments(self.offer, {target: said[target]}, f"{theirs!r} in the config.json beside {source}")
        known = {**layout.arguments, **said}
        if "num_classes" in defaults or num_classes:
            known["num_classes"] = num_classes
        own = {"channels"} & layout.options.keys()  # of a stem that is no convolution, the shape does not tell them
        known |= {name: size for name, size in arguments_by_stem(spec.modality, stem).items() if name not in own}
        known |= {argument: tensor in groups for argument, tensor in {**layout.present, **layout.optional}.items()}
        known |= self._pooling(pooling, source)
        known |= untied(groups, layout, {**defaults, **known}, lambda name: self._read(groups[name]))
        check_arguments(self.offer, known, source)
        return full_arguments(self.offer, known)

    def _read(self, group: Group) -> Tensor:
        return self.stored.load()[group[0][1]]

    def _missing(self, groups: Mapping[str, Group], arguments: Mapping[str, Any]) -> list[str]:
        """Return the tensors without which the model gives features alone; a tied one needs none of its own."""
        tied = {twin.source for twin in self.layout.twins if twin.argument is not None and arguments[twin.argument]}
        return [name for name in self.layout.present.values() if name not in groups and not matches(name, tied)]

    def _pooling(self, mode: str | None, source: str) -> Mapping[str, Any]:
        """Return our arguments for how sentence-transformers pools."""
        if mode is not None and self.layout.pooling and mode not in self.layout.pooling:
            raise IntegrityError(
                f"the files beside {source} pool tokens by {mode!r}, which has no counterpart here; load it with "
                "sentence-transformers, or remove modules.json to load the model alone"
            )
        return self.layout.pooling.get(mode or "", {})


def _candidates(found: Mapping[str, Any]) -> Iterator[tuple[Offer[ModelSpec], Layout]]:
    """Yield models with their layouts, those first that are nearest in size: to try one takes building it."""
    size = 1 + sum(math.prod(header.shape) for header in found.values())
    offers = default_registry().models()
    for offer in sorted(offers, key=lambda offer: abs(math.log(size / (offer.spec.parameters or 1)))):
        yield from ((offer, layout) for layout in load_layouts(offer))


def _stored(place: Path) -> StoredTensors | JoinedTensors:
    """Return the tensors of a file, or of a folder: its model.safetensors, its shards, or the only file in it.

    An encoder and a decoder may lie in a file each, as `<name>_encoder.safetensors` and `<name>_decoder.safetensors`.
    """
    if place.is_file():
        return StoredTensors(place, (place,), read_header(place))
    if any((place / name).is_file() for name in (WEIGHTS_FILE, INDEX_FILE)):
        return stored_tensors(place)
    files = sorted(place.glob("*.safetensors"))
    parts = {file.stem.rpartition("_")[2]: file for file in files}
    if len(files) == 2 and parts.keys() == {"encoder", "decoder"}:
        return JoinedTensors(
            place, {part: StoredTensors(file, (file,), read_header(file)) for part, file in parts.items()}
        )
    if len(files) > 1:
        raise UsageError(
            f"{place} holds {len(files)} safetensors files and no config.json of zoo; give one of the files"
        )
    if files:
        return _stored(files[0])
    if what := told_of_folder(place):
        raise IntegrityError(f"{place} holds no safetensors, but {what}")
    raise NotFoundError(f"no config.json in {place}; give a run folder, a weights folder, a name or hf://org/name")


def _processor(place: Path) -> dict[str, Any]:
    path = place / "preprocessor_config.json"
    return parse_json(path.read_bytes(), str(path)) if path.is_file() else {}
