"""How other libraries store a model: data that a plugin ships, so that their weights are read and written as well.

A spec's `layouts` names a tuple of `Layout`s. No code in them: names are translated by pairs of patterns, both ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Rename(NamedTuple):
    """One pair of names, of a tensor or of the module that holds it.

    `{block}` stands for a number, the same on both sides; `{block+1}` for one more than it. What stands in brackets may
    be missing when theirs is read: `[resnet.]embedder`. Where several of theirs have one name of ours, the first is
    written. `dims` is said where theirs has another number of dimensions, those at the end being one, or joined in the
    last: a linear layer that is a convolution here. `part` (place, count) is said where ours is several of theirs, of
    one shape, joined along the first dimension; `transposed` where their matrices have the outputs last. `axes` is said
    where theirs has other axes: for each of ours which one of theirs it is, or which several are joined in it, as
    `(3, 2, 0, 1)` for a kernel with its channels last; `reversed` is the axis of ours that theirs counts backwards:
    channels of BGR.
    """

    source: str
    target: str
    dims: int | None = None
    part: tuple[int, int] | None = None
    transposed: bool = False
    axes: tuple[int | tuple[int, ...], ...] | None = None
    reversed: int | None = None


class Twin(NamedTuple):
    """A tensor, by our names, that files may hold besides one of ours, which it must then equal.

    `argument` is the one of our model that is false where both are tensors of their own: weights that need it get it.
    Without one they are refused. `source` may have brackets, as a `Rename` does.
    """

    source: str
    target: str
    argument: str | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one library, or one author, stores the models that `models` lists.

    `models` says of each of our models what the library's config.json says of it, and `config` what it says of all;
    other values are refused. `defaults` are the library's own: what it takes for keys that config.json leaves out, and
    `same` are keys that, where they are null, are as another one, as which they are written where ours is None;
    `aliases` are its other names of keys, and `implied` has for values of a key what others must then say.
    `written` is added in writing, and so is what it says twice: `copies` has the second key
    with the first. `renames` are tried in order, and names without one stay; `built` are those of modules that the
    library calls otherwise than the tensors in its files, which adapters name.
    `stem` and `classifier` name our tensors whose shapes tell the channels, or of text the vocabulary, and the classes.
    `present` says of arguments which of our tensors tells, by being there, that they are true, `optional` does so of
    tensors without which the weights still serve their task, and `pooling` which arguments
    do what sentence-transformers calls mean, cls or lasttoken. What matches `ignored`,
    by our names, is left out where our model has no place for it, and a warning says so; `twins` are left out where
    they hold nothing new. `arguments` are ours that the library has fixed, `options` what ours are called in its
    config.json, `ratios` what it says there as one of ours over another, `shifts` what ours are more than theirs, and
    `architectures` its class for each task of a text model. `labels` are the names of the classes, and the rest the
    preprocessing of images, where no file says them; `files` says which of these have other values in files that the
    library published, by their names without the ending; `inputs` is what config.json would keep of how data of another
    modality become inputs. `rest` is the one argument of ours, an object, that takes whatever else the library's
    config.json builds the model with.
    """

    library: str
    models: Mapping[str, Mapping[str, Any]]
    stem: str
    classifier: str
    config: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, Mapping[Any, Mapping[str, Any]]] = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    renames: tuple[Rename, ...] = ()
    built: tuple[Rename, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    present: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    pooling: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    twins: tuple[Twin, ...] = ()
    architectures: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    image_size: tuple[int, int] = (224, 224)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    crop: float = 0.875
    crop_mode: str | None = None
    interpolation: str = "bicubic"
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    rest: str | None = None
