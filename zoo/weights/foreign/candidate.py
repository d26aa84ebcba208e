"""A model and a layout in which a file may hold it: the file read by them, strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.registry.registry import Offer
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec
from zoo.weights.build import build, check_arguments, full_arguments
from zoo.weights.description import FORMAT_VERSION, WeightsDescription
from zoo.weights.foreign.config_files import (
    answers_of,
    arguments_by_stem,
    arguments_of,
    dtype_of,
    inputs_of,
    labels_of,
)
from zoo.weights.foreign.defaults import check_shapes, completed
from zoo.weights.foreign.foreign_weights import ForeignWeights, Stored
from zoo.weights.foreign.grouping import Group, axes_of, grouped, header_of, is_whole
from zoo.weights.foreign.renaming import matches
from zoo.weights.foreign.tasks import task_of
from zoo.weights.foreign.text_files import TextFiles
from zoo.weights.foreign.twins import copies, untied
from zoo.weights.header import TensorHeader
from zoo.weights.inputs import record_of

_COUNTER = ".num_batches_tracked"
"""Batch norms count their batches since torch 0.4.1; where older files do not, the count is 0."""

_IN_NETWORK = "backbone."
"""What the network of a task puts before the names of the model that it holds."""


@dataclass(frozen=True)
class Candidate:
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
        return ForeignWeights(block, layout, self.stored, headers, names, axes, backwards, left_out), shapes

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
