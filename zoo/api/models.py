"""What `import zoo` offers for models and weights: find, create, load, describe, export, reconstruct, sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.errors import UsageError
from zoo.registry.facts import allows_commercial
from zoo.registry.registry import default_registry, matches
from zoo.specs.renamed import renamed_arguments

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.inference.load import LoadedModel
    from zoo.registry.catalogue import PublishedWeights
    from zoo.specs.modality import Inputs
    from zoo.weights.description import WeightsDescription
    from zoo.weights.pickles.convert import Converted


@renamed_arguments(licence="license")
def list_models(
    pattern: str | None = None,
    *,
    modality: str | None = None,
    family: str | None = None,
    task: str | None = None,
    license: str | None = None,
    license_allows: Literal["commercial"] | None = None,
    capability: str | None = None,
    max_parameters: int | None = None,
) -> list[str]:
    """List the models that can be created, sorted by name. A pattern has shell wildcards, or matches anywhere.

    What is not known, of a licence or of parameters, is not taken for allowed or for few.
    """
    registry = default_registry()
    wanted = {"modality": modality, "family": family, "task": task, "license": license}
    return sorted(
        offer.spec.name
        for offer in chain(registry.models(), registry.family_models(pattern))
        if matches(offer.spec.name, pattern)
        and all(value is None or getattr(offer.spec, key) == value for key, value in wanted.items())
        and (capability is None or capability in offer.spec.capabilities)
        and _fits(offer.spec.license, license_allows, registry.facts(offer).parameters, max_parameters)
    )


@renamed_arguments(licence="license")
def list_weights(
    pattern: str | None = None,
    *,
    modality: str | None = None,
    family: str | None = None,
    task: str | None = None,
    license: str | None = None,
    license_allows: Literal["commercial"] | None = None,
    max_parameters: int | None = None,
) -> list[str]:
    """List the published weights that the catalogue knows, sorted by name; the arguments are those of `list_models`."""
    registry = default_registry()
    models = {offer.spec.name: offer.spec for offer in chain(registry.models(), registry.family_models())}
    wanted = {"modality": modality, "family": family}
    return sorted(
        name
        for name, entry in chain(registry.catalogue.entries.items(), registry.family_weights(pattern))
        if matches(name, pattern)
        and task in (None, entry.task)
        and license in (None, entry.license)
        and all(
            value is None or getattr(models.get(name.split(".")[0]), key, None) == value
            for key, value in wanted.items()
        )
        and _fits(entry.license, license_allows, entry.parameters, max_parameters)
    )


def _fits(license: str, allows: str | None, parameters: int | None, most: int | None) -> bool:
    allowed = allows is None or allows_commercial(license) is True
    return allowed and (most is None or (parameters is not None and parameters <= most))


def create(name: str, **arguments: Any) -> nn.Module:
    """Create a model with fresh random weights from its name, or `family/name`, and its own keyword arguments."""
    from zoo.weights.build import build, full_arguments
    from zoo.weights.saving import fresh_block, remember

    offer = default_registry().model(name)
    known = full_arguments(offer, arguments)
    model = build(offer, known)
    remember(model, fresh_block(offer, known))
    return model


def load(
    source: str | Path,
    *,
    num_classes: int | None = None,
    channels: int | None = None,
    features_only: bool = False,
    dtype: str | torch.dtype | None = None,
    device: str | None = None,
    engine: str | None = None,
    revision: str | None = None,
    hub: str | Path | None = None,
    registry: str | Path | None = None,
    locked: bool = False,
    offline: bool = False,
    adapter: Literal["merged"] | None = "merged",
) -> LoadedModel:
    """Load pretrained weights into their model: verified, memory-mapped, strict, in eval mode.

    `source` is a name from the catalogue (`arch.tag`), `hf://org/name[@revision]`, a run, a weights folder or a
    .safetensors file; timm's, torchvision's and transformers' are read as well. With `num_classes` other than the
    file's the head is replaced by a fresh one, with other `channels` the stem is adapted, and a note says so.
    With `features_only` the model returns the feature map of every stage. `dtype` ("bfloat16", "float32" …) converts
    floating-point tensors, which else have the one that config.json says, or in which they are stored; `device`
    ("cuda") loads straight to it. An `engine` that a plugin offers ("onnxruntime") computes in eval mode without
    gradients, if its first batch is what eager mode makes of it. `hub` is a URL or a folder. `registry` names a
    registry.json, or a repo with one, that is asked first; `locked` takes the bytes that zoo.lock pins, and `offline`
    none but those in the cache. An adapter is merged into the weights that it corrects; with `adapter=None` these are
    loaded alone.

    `model.predict(["cat.jpg"])` says what weights that were finetuned for a task say of pictures, or of texts; of text
    `model.generate("Once upon a time")` goes on, translates or sums up. `model.embed(items)` gives vectors of either.
    """
    from zoo.inference.load import load_model
    from zoo.weights.find import WeightsQuery

    if adapter not in ("merged", None):
        raise UsageError(f"adapter={adapter!r} is neither 'merged' nor None, which loads the base alone")
    query = WeightsQuery(revision, hub, registry, locked=locked, offline=offline, adapter=adapter)
    return load_model(
        source,
        query,
        num_classes=num_classes,
        channels=channels,
        features_only=features_only,
        dtype=dtype,
        device=device,
        engine=engine,
    )


def save(
    model: nn.Module,
    folder: str | Path,
    *,
    name: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    task: str | None = None,
    labels: Sequence[str] | None = None,
    inputs: Inputs | None = None,
    force: bool = False,
) -> Path:
    """Write a model that was trained by other means to a weights folder, which `load` and `zoo push` take; return it.

    A model that `create` or `load` made knows what it is; of any other give the `name` and the `arguments` that
    `create` would take. `labels` name its classes, and `inputs`, such as a `zoo.Preprocessing`, say how data become
    inputs; those of the weights that were loaded are kept.
    """
    from zoo.weights.saving import save_model

    save_model(
        model, Path(folder), name=name, arguments=arguments, task=task, labels=labels, inputs=inputs, force=force
    )
    return Path(folder)


def convert(file: str | Path, *, out: str | Path, key: str | None = None, force: bool = False) -> Converted:
    """Write the tensors of a pickle (.pth, .bin, .ckpt …) or of a .npz to a folder of safetensors.

    torch's restricted unpickler opens it in a process of its own, with bounded memory and time and without a network;
    a file that needs more than tensors is refused. The usual wrappers, such as `state_dict`, are opened; `key` names
    another one. The record says which model the tensors fit, and what was left out, such as an optimizer's state.
    """
    from zoo.weights.pickles.convert import convert_pickle

    return convert_pickle(Path(file), Path(out), key=key, force=force)


def describe(source: str | Path, *, hub: str | Path | None = None) -> WeightsDescription:
    """Return what weights say of themselves: architecture, arguments, task, labels, preprocessing and whence they are.

    `source` is what `load` takes.
    """
    from zoo.weights.config import read_config
    from zoo.weights.find import WeightsQuery, find_weights

    return read_config(find_weights(source, WeightsQuery(hub=hub)))


def published(name: str) -> PublishedWeights:
    """Return what the catalogue says of weights: repo, revision, files with sizes and hashes, task, licence, scores."""
    return default_registry().weights(name, allow_mutable=True)


def find_weights(
    source: str | Path,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    registry: str | Path | None = None,
    locked: bool = False,
    offline: bool = False,
) -> Path:
    """Return the local folder, or file, of weights; what is not here is pulled and verified.

    The arguments are those of `load`.
    """
    from zoo.weights import find

    query = find.WeightsQuery(revision, hub, registry, locked=locked, offline=offline)
    return find.find_weights(source, query)


def export(
    source: str | Path,
    *,
    to: str,
    out: str | Path,
    force: bool = False,
    dtype: str | torch.dtype | None = None,
    preset: bool = False,
    hub: str | Path | None = None,
) -> Path:
    """Write weights so that others open them; return `out`.

    `to` is timm, torchvision or transformers, which get a folder, or onnx or torch-export, which get a file: a graph
    for pictures of the size that the weights were trained for, in batches of any size. `dtype` is as `load` takes it.
    A plugin's format gets a file, or with `preset` a folder, where it has such.
    """
    from zoo.publishing.convert import convert_weights
    from zoo.weights.find import WeightsQuery, find_weights

    weights = find_weights(source, WeightsQuery(hub=hub))
    convert_weights(weights, to, Path(out), force=force, dtype=dtype, preset=preset)
    return Path(out)


def reconstruct(
    weights: str | Path, images: Sequence[str | Path], *, out: str | Path, hub: str | Path | None = None
) -> list[Path]:
    """Write a reconstruction of every picture, and a grid of inputs over outputs, to the folder `out`."""
    from zoo.inference.reconstruct import reconstruct_pictures

    return reconstruct_pictures(weights, [Path(image) for image in images], Path(out), hub=hub)


def sample(
    weights: str | Path,
    n: int = 64,
    *,
    out: str | Path,
    seed: int = 0,
    label: int | None = None,
    each: bool = False,
    hub: str | Path | None = None,
) -> list[Path]:
    """Write a grid of `n` pictures that weights make to the folder `out`, and with `each` every one by itself too.

    The seed decides them. `label` is the class of all of them, where the model was made with classes.
    """
    from zoo.inference.sample import sample_pictures

    return sample_pictures(weights, n, Path(out), seed=seed, label=label, each=each, hub=hub)
