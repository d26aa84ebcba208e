"""Files of weights in containers that plugins read."""

from collections.abc import Mapping
from pathlib import Path

from zoo.errors import PluginError, UsageError
from zoo.registry.loading import load_named, naming
from zoo.registry.registry import Offer, default_registry
from zoo.specs.containers import BaseAddress, CarriesFiles, Container, Format, NeedsBase, WritesFolders
from zoo.specs.records import FormatSpec


def format_of(path: Path) -> Offer[FormatSpec] | None:
    """Return the format whose file this is by its name; None where nobody offers one."""
    offers = default_registry().offers("formats")
    return next((offer for offer in offers if path.name.endswith(offer.spec.suffixes)), None)


def file_in(folder: Path) -> Path | None:
    """Return the file of a folder that a format has the name of; None where it is not clear which.

    Of several it is the only one called `model`, as the others are parts of it. Safetensors that no format claims are
    Zoo's own, or another library's, and come first.
    """
    if any(format_of(path) is None for path in folder.glob("*.safetensors")):
        return None
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and format_of(path)]
    if len(found) > 1:
        found = [path for path in found if path.name.startswith("model.")]
    return found[0] if len(found) == 1 else None


def load_format(offer: Offer[FormatSpec]) -> Format:
    """Import a format. Raise PluginError where its plugin fails at that."""
    found = load_named(offer, "target")
    if not isinstance(found, Format):
        raise PluginError(
            f"format {offer.spec.name!r} of {offer.plugin.distribution} is not a zoo.Format; report it to its author"
        )
    return found


def open_container(path: Path) -> Container | None:
    """Open a file by the format that recognizes it; None where none does."""
    if not path.is_file() or (offer := format_of(path)) is None:
        return None
    found = load_format(offer)
    with naming(offer.plugin, f"format {offer.spec.name!r}"):
        return found.open(path) if found.recognizes(path) else None


def base_of_file(path: Path) -> BaseAddress | None:
    """Return the weights that a file corrects; None for one that stands for itself."""
    if not path.is_file() or (offer := format_of(path)) is None:
        return None
    found = load_format(offer)
    if not isinstance(found, NeedsBase):
        return None
    with naming(offer.plugin, f"format {offer.spec.name!r}"):
        return found.base(path) if found.recognizes(path) else None


def own_container(place: Path) -> Container | None:
    """Open a file that says of its model what Zoo's config.json would, with tensors by our names; None for others."""
    found = open_container(place)
    return found if found is not None and "zoo" in found.config else None


def carried(place: Path) -> Mapping[str, str]:
    """Return what a file of weights holds that others have in files beside it, by their names; mostly nothing."""
    found = open_container(place)
    return found.files if isinstance(found, CarriesFiles) else {}


def write_container(offer: Offer[FormatSpec], weights: Path, out: Path) -> None:
    """Write a weights folder as one file of a format, or into a folder that is there."""
    found = load_format(offer)
    with naming(offer.plugin, f"format {offer.spec.name!r}"):
        found.write(weights, out)


def write_preset(offer: Offer[FormatSpec], weights: Path, folder: Path) -> None:
    """Write a weights folder as a folder of a format. Raise UsageError for a format that writes files alone."""
    found = load_format(offer)
    if not isinstance(found, WritesFolders):
        raise UsageError(f"--to {offer.spec.name} has no presets, and writes one file; leave out --preset")
    with naming(offer.plugin, f"format {offer.spec.name!r}"):
        found.write_folder(weights, folder)
