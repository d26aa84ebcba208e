"""Find out which model and layout weights of another library have: by config.json, or by the tensors' names."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.printable import counted, printable
from zoo.registry import families
from zoo.registry.registry import Offer, default_registry
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec
from zoo.strict_json import parse_json
from zoo.weights.build import load_layouts
from zoo.weights.description import read_json
from zoo.weights.foreign.candidate import Candidate
from zoo.weights.foreign.config_files import IDENTITY, flattened, library_of
from zoo.weights.foreign.defaults import completed, described, differences
from zoo.weights.foreign.foreign_weights import ForeignWeights
from zoo.weights.foreign.text_files import read_text_files
from zoo.weights.formats import carried, open_container, own_container
from zoo.weights.header import read_header
from zoo.weights.kinds import told_of_folder
from zoo.weights.shards import INDEX_FILE
from zoo.weights.stored import WEIGHTS_FILE, JoinedTensors, StoredTensors, stored_tensors

_MAX_UNNAMED = 20_000
_PROCESSOR = "preprocessor_config.json"


def find_foreign(place: Path) -> ForeignWeights | None:
    """Return the weights of another library in a folder or a file; None where Zoo wrote them."""
    config = read_json(place)
    return None if "zoo" in config else recognize(place, config)


def layout_of(place: str | Path) -> Layout | None:
    """Return the layout in which a folder or a file has its weights; None where Zoo wrote them, by our own names."""
    found = None if own_container(Path(place)) is not None else find_foreign(Path(place))
    return None if found is None else found.layout


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
    called = {place.name, place.stem, stored.path.stem}
    for offer, layout in _candidates(found, called):
        candidate = Candidate(offer, layout, stored)
        if library is None and len(found) <= _MAX_UNNAMED:
            if (foreign := candidate.fit(container.config if container is not None else {}, files)) is not None:
                return dataclasses.replace(foreign, assumed=_assumed(offer, layout, called))
        elif library == layout.library and (key := IDENTITY.get(library)) in (None, *config):
            others = differences(completed(config, layout), layout, offer.spec.name)
            if not others:
                return candidate.read(config, processor, files)[0]
            if key not in others and (nearest is None or len(others) < nearest[0]):
                nearest = len(others), described(others, config, layout, offer.spec.name)
    for offer in _of_families(library, config):
        for layout in load_layouts(offer):
            if layout.library == library and not differences(completed(config, layout), layout, offer.spec.name):
                return Candidate(offer, layout, stored).read(config, processor, files)[0]
    if library is not None:
        named = f"{place} holds a {printable(str(config.get(IDENTITY.get(library, 'architecture'))))!r} of {library}"
        if nearest:
            raise NotFoundError(f"{named} with {nearest[1]}, which no plugin here reads; load it with {library}")
        raise NotFoundError(f"{named}, which no plugin here reads; `zoo list` shows the models")
    example = next(iter(found), None)
    names = "its config.json has no model_type, which names one" if config else "a config.json beside it would name one"
    raise NotFoundError(
        f"{stored.path} holds {counted(len(found), 'tensor')} (such as {example!r}) that match no model of the "
        f"installed plugins; {names}; `zoo list` shows the models"
    )


def _candidates(found: Mapping[str, Any], called: Set[str]) -> Iterator[tuple[Offer[ModelSpec], Layout]]:
    """Yield models with their layouts, those first that are nearest in size: to try one takes building it.

    Of a model that layout is the first which knows the file by what it is called, with what is said of that file.
    """
    size = 1 + sum(math.prod(header.shape) for header in found.values())
    offers = default_registry().models()
    for offer in sorted(offers, key=lambda offer: abs(math.log(size / (offer.spec.parameters or 1)))):
        layouts = sorted(load_layouts(offer), key=lambda layout: called.isdisjoint(layout.files))
        yield from ((offer, _of_file(layout, called)) for layout in layouts)


def _of_families(library: str | None, config: Mapping[str, Any]) -> list[Offer[ModelSpec]]:
    """Return the models of the library's families that have the name which config.json says, unless it is taken."""
    registry, named = default_registry(), str(config.get(IDENTITY.get(library or "", "")))
    whose = {offer.spec.name for offer in registry.families() if offer.spec.library == library}
    taken = {offer.spec.name for offer in registry.models()}
    found = [offer for offer in families.models_named(registry.families(), named) if offer.spec.family in whose]
    return [offer for offer in found if not (offer.spec.fallback and offer.spec.name in taken)]


def _of_file(layout: Layout, called: Set[str]) -> Layout:
    name = next((name for name in layout.files if name in called), None)
    return layout if name is None else dataclasses.replace(layout, **layout.files[name])


def _assumed(offer: Offer[ModelSpec], layout: Layout, called: Set[str]) -> str:
    """Say what was taken for granted where another library names all tensors alike, and scales pictures otherwise."""
    if not called.isdisjoint(layout.files):
        return ""
    others = [
        other
        for other in load_layouts(offer)
        if other.library != layout.library and other.renames == layout.renames and _scales(other) != _scales(layout)
    ]
    if not others:
        return ""
    names = " and ".join(other.library for other in (layout, *others))
    known = next((f" (known are those called as {name})" for other in others for name in other.files), "")
    return (
        f"{names} name its tensors alike, and nothing says whose it is{known}; pictures are scaled as {layout.library} "
        f"does: {layout.interpolation}"
    )


def _scales(layout: Layout) -> tuple[Any, ...]:
    return layout.image_size, layout.crop, layout.interpolation, layout.mean, layout.std


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
    if (inside := carried(place).get(_PROCESSOR)) is not None:
        return parse_json(inside.encode(), f"{_PROCESSOR} of {place}")
    path = place / _PROCESSOR
    return parse_json(path.read_bytes(), str(path)) if path.is_file() else {}
