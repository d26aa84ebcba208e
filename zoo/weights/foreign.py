"""Weights that another library wrote: recognised by config.json or by the tensors' names, read as ours, strictly."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.errors import IntegrityError, NotFoundError, UsageError, ZooError
from zoo.jsonfile import parse_json
from zoo.layouts import Layout
from zoo.registry import Offer, default_registry
from zoo.specs import ModelSpec, load_target
from zoo.weights.build import build, check_arguments, full_arguments, plugin_failed
from zoo.weights.config import FORMAT_VERSION, ZooBlock, read_json
from zoo.weights.header import TensorHeader, read_header
from zoo.weights.libraries import IDENTITY, arguments_of, labels_of, library_of, preprocessing_of
from zoo.weights.renaming import Translated, to_ours
from zoo.weights.shards import INDEX_FILE
from zoo.weights.stored import WEIGHTS_FILE, JoinedTensors, StoredTensors, stored_tensors

_WRAPPERS = ("module.", "_orig_mod.", "timm_model.")
"""What DataParallel, torch.compile and transformers put before every name of the model that they hold."""

_COUNTER = ".num_batches_tracked"
"""Batch norms count their batches since torch 0.4.1; where older files do not, the count is 0."""

_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".tar", ".pkl"}
_MAX_UNNAMED = 20_000


@dataclass(frozen=True)
class Foreign:
    """Weights of another library, described as Zoo would: `headers` by our names, `names` from ours to theirs."""

    block: ZooBlock
    stored: StoredTensors | JoinedTensors
    headers: dict[str, TensorHeader]
    names: dict[str, str]

    @property
    def path(self) -> Path:
        """Return the file that says where the tensors lie."""
        return self.stored.path

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map the files, and name and shape their tensors as ours."""
        theirs = self.stored.load(device)
        tensors = {ours: theirs[name].reshape(self.headers[ours].shape) for ours, name in self.names.items()}
        counters = self.headers.keys() - self.names.keys()
        return tensors | {name: torch.zeros((), dtype=torch.int64, device=device) for name in counters}


def find_foreign(place: Path) -> Foreign | None:
    """Return the weights of another library in a folder or a file; None where Zoo wrote them."""
    config = read_json(place)
    return None if "zoo" in config else recognise(place, config)


def recognise(place: Path, config: Mapping[str, Any]) -> Foreign:
    """Find the model and the layout that weights of another library have.

    An architecture that config.json names is taken at its word, and loading checks every tensor. Without one, all
    tensors must fit a model that a plugin offers. Raise NotFoundError where none does, or where no weights are.
    """
    stored = _stored(place)
    found = stored.headers
    library = library_of(config)
    processor = _processor(place)
    for offer, layout in _candidates(found):
        candidate = _Candidate(offer, layout, stored)
        if library is None and len(found) <= _MAX_UNNAMED:
            if (foreign := candidate.fit()) is not None:
                return foreign
        elif library == layout.library and candidate.is_named_by(config):
            return candidate.read(config, processor)[0]
    if library is not None:
        raise NotFoundError(
            f"{place} holds a {config.get(IDENTITY[library])!r} of {library}, which no plugin here reads as it is "
            f"configured; `zoo list` shows the models"
        )
    example = next(iter(found), None)
    raise NotFoundError(
        f"{stored.path} holds {len(found)} tensors (such as {example!r}) that fit no model of the plugins here; "
        "`zoo list` shows the models, and a config.json beside the file would name its own"
    )


@dataclass(frozen=True)
class _Candidate:
    """A model and a layout in which a file may hold it."""

    offer: Offer[ModelSpec]
    layout: Layout
    stored: StoredTensors | JoinedTensors

    def is_named_by(self, config: Mapping[str, Any]) -> bool:
        """Tell whether a config.json of this library describes this very model."""
        described = {**self.layout.config, **self.layout.models[self.offer.spec.name]}
        named = IDENTITY[self.layout.library] in config
        return named and all(config.get(key, value) == value for key, value in described.items())

    def fit(self) -> Foreign | None:
        """Return the weights where every tensor of the file fits, and None where one does not."""
        try:
            foreign, shapes = self.read({}, {})
        except ZooError:
            return None
        return foreign if {name: header.shape for name, header in foreign.headers.items()} == shapes else None

    def read(
        self, config: Mapping[str, Any], processor: Mapping[str, Any]
    ) -> tuple[Foreign, dict[str, tuple[int, ...]]]:
        """Return the weights, their names and shapes as ours as far as they can be, and the model's own shapes."""
        layout, spec, source, found = self.layout, self.offer.spec, str(self.stored.path), self.stored.headers
        names: dict[str, str] = {}
        translations: dict[str, Translated] = {}
        for name, bare in _unwrapped(found).items():
            translations[name] = to_ours(bare, layout.renames)
            names[translations[name].name] = name
        if layout.stem not in names or len(names) < len(found):
            raise IntegrityError(f"{source} is not in {layout.library}'s layout of {spec.name!r}; get a fresh copy")
        channels = found[names[layout.stem]].shape[1]
        num_classes = found[names[layout.classifier]].shape[0] if layout.classifier in names else 0
        known = {**layout.arguments, **arguments_of(config, layout, source)}
        known |= {"channels": channels, "num_classes": num_classes}
        check_arguments(self.offer, known, source)
        arguments = full_arguments(self.offer, known)
        state = build(self.offer, arguments, device="meta").state_dict()
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        headers = {}
        for ours, name in names.items():
            header = found[name]
            alike = translations[name].dims == len(header.shape) and _equal_but_ones(header.shape, shapes.get(ours))
            headers[ours] = TensorHeader(header.dtype, shapes[ours]) if alike else header
        counters = [name for name in shapes if name.endswith(_COUNTER)]
        if not any(name in names for name in counters):
            headers |= {name: TensorHeader("I64", ()) for name in counters}
        labels = labels_of(config, num_classes, source) or (layout.labels if len(layout.labels) == num_classes else ())
        block = ZooBlock(
            format_version=FORMAT_VERSION,
            plugin=self.offer.plugin.distribution,
            plugin_version=self.offer.plugin.version,
            architecture=spec.name,
            arguments=arguments,
            task="image-classification" if num_classes else "image-feature-extraction",
            labels=labels,
            preprocessing=preprocessing_of(config, processor, layout, channels, source),
        )
        return Foreign(block, self.stored, headers, names), shapes


def _candidates(found: Mapping[str, TensorHeader]) -> Iterator[tuple[Offer[ModelSpec], Layout]]:
    """Yield models with their layouts, those first that are nearest in size: to try one takes building it."""
    size = 1 + sum(math.prod(header.shape) for header in found.values())
    offers = [offer for offer in default_registry().offers("models") if offer.spec.layouts is not None]
    for offer in sorted(offers, key=lambda offer: abs(math.log(size / (offer.spec.parameters or 1)))):
        try:
            layouts = load_target(str(offer.spec.layouts))
        except Exception as error:
            what = f"layouts {offer.spec.layouts!r} of {offer.spec.name!r}"
            raise plugin_failed(offer.plugin, what, error) from error
        yield from ((offer, layout) for layout in layouts if offer.spec.name in layout.models)


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
    if pickled := sorted(file.name for file in place.glob("*") if file.suffix in _PICKLED):
        raise IntegrityError(
            f"{place} holds its weights as a pickle ({pickled[0]}), which zoo never opens: it can run code; "
            "get them as safetensors"
        )
    raise NotFoundError(f"no config.json in {place}; give a run folder, a weights folder, a name or hf://org/name")


def _processor(place: Path) -> dict[str, Any]:
    path = place / "preprocessor_config.json"
    return parse_json(path.read_bytes(), str(path)) if path.is_file() else {}


def _unwrapped(found: Mapping[str, TensorHeader]) -> dict[str, str]:
    """Return every name with what remains of it when the wrappers around the whole model are taken off."""
    bare = {name: name for name in found}
    while wrapper := next((item for item in _WRAPPERS if bare and all(map(_starts(item), bare.values()))), None):
        bare = {name: rest.removeprefix(wrapper) for name, rest in bare.items()}
    return bare


def _starts(prefix: str) -> Any:
    return lambda name: name.startswith(prefix)


def _equal_but_ones(theirs: tuple[int, ...], ours: tuple[int, ...] | None) -> bool:
    """Tell whether two shapes differ in nothing but ones at their ends."""
    if ours is None:
        return False
    shorter, longer = sorted((theirs, ours), key=len)
    return longer[: len(shorter)] == shorter and math.prod(longer[len(shorter) :]) == 1
