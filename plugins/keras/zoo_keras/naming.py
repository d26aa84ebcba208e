"""The names of a file's tensors: a layer's name and the place among its weights, `conv1_conv.0`.

Keras 3 has paths of classes (`layers/conv2d_1/vars/0`) and writes the layers' names beside them; where an older file
does not, the model's configuration has them. Where layers of one name are in several models, or names are not known,
a tensor is called by its path: `layers.conv2d_1.vars.0`.
"""

from collections import Counter
from collections.abc import Iterable

from zoo_keras.configuration import Layer
from zoo_keras.hdf5 import Array, Contents

_STATES = ("seed_generator", "optimizer", "optimizer_weights", "_optimizer")
"""What is of no use after training: the states of optimizers, and of random numbers."""


def parted(contents: Contents) -> tuple[list[Array], list[Array]]:
    """Return the weights of the model, and what else of training the file keeps."""
    weights: list[Array] = []
    others: list[Array] = []
    for array in contents.arrays:
        (others if any(part.startswith(_STATES) for part in array.path[:-1]) else weights).append(array)
    return weights, others


def by_layer(contents: Contents, weights: Iterable[Array], layers: Iterable[Layer]) -> dict[str, Array] | None:
    """Return the tensors by layer and place; None where layers have no names, or several have one."""
    if contents.legacy is not None:
        return _of_legacy(contents.legacy, weights)
    known = {layer.path: layer.name for layer in layers}
    places: dict[tuple[str, ...], str] = {}
    found = {}
    for array in weights:
        folder, place = array.path[:-1], array.path[-1]
        if folder[-1:] != ("vars",) or not place.isdecimal():
            return None
        name = contents.names.get("/".join(folder), known.get("/".join(folder[:-1])))
        if name is None:
            return None
        places[folder] = name
        found[f"{name}.{int(place)}"] = array
    return found if len(set(places.values())) == len(places) else None


def by_path(weights: Iterable[Array]) -> dict[str, Array]:
    """Return the tensors by their paths."""
    return {".".join(array.path): array for array in weights}


def _of_legacy(listed: list[tuple[str, list[str]]], weights: Iterable[Array]) -> dict[str, Array] | None:
    arrays = {"/".join(array.path): array for array in weights}
    ordered = [(weight, arrays.get(f"{group}/{weight}")) for group, own in listed for weight in own]
    if len(ordered) != len(arrays) or any(array is None for _, array in ordered):
        return None
    folders = dict.fromkeys(weight.rpartition("/")[0] for weight, _ in ordered)
    last = Counter(folder.rpartition("/")[2] for folder in folders)
    count: Counter[str] = Counter()
    found = {}
    for weight, array in ordered:
        folder = weight.rpartition("/")[0]
        short = folder.rpartition("/")[2]
        name = short if last[short] == 1 else folder.replace("/", ".")
        if array is not None:
            found[f"{name}.{count[folder]}"] = array
        count[folder] += 1
    return found
