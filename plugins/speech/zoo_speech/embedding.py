"""Vectors of sounds: the features that a model pools for its head."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo
from zoo_speech.augmentation import l2, pooled
from zoo_speech.clips import Clips, contents_of
from zoo_speech.heard import batched, listed, sound_files, sound_of, source_of


class EmbedSounds:
    """Bound to a loaded model as `model.embed`; keeps `zoo.Embeds`."""

    modality: ClassVar[str] = "audio"

    def __init__(self, loaded: zoo.Loaded, open_clips: Callable[[zoo.DataSource], Clips]) -> None:
        self._loaded = loaded
        self._open = open_clips

    def __call__(self, items: Any, *, rate: int | None = None, batch_size: int = 64, normalize: bool = False) -> Tensor:
        """Return a vector for each sound: a file, or samples at `rate`."""
        model: Any = self._loaded.model
        backbone = model.backbone if isinstance(model, zoo.Network) else model
        sources = [source_of(item, rate) for item in listed(items)]
        like, found = next(backbone.parameters()), []
        with zoo.evaluating(backbone), torch.inference_mode():
            for _, inputs, _ in batched(sources, sound_of(self._loaded), batch_size, like):
                found.append(pooled(backbone, inputs))
        vectors = torch.cat(found)
        return l2(vectors) if normalize else vectors

    def items(self, arguments: Sequence[str]) -> zoo.Samples:
        """Return the files that were typed, and those of folders."""
        paths = sound_files(arguments)
        hashes = zoo.common_hashes(paths)
        digest = hashlib.sha256("".join(f"{path} {hashes[path]}\n" for path in paths).encode())
        return zoo.Samples(items=paths, names=[str(path) for path in paths], fingerprint=digest.hexdigest())

    def data(self, source: zoo.DataSource, split: str) -> zoo.Samples:
        """Return the clips of a data set."""
        clips = self._open(source)
        if source.options.held_out is not None:
            clips = clips.without(source.options.held_out)
        chosen = zoo.splits_of(clips.splits, split, source.name)
        items = [clip.source for part in chosen.values() for clip in part]
        names = [f"{name}/{place}" for name, part in chosen.items() for place in range(len(part))]
        return zoo.Samples(items=items, names=names, fingerprint=contents_of(chosen))

    def draw(self, samples: zoo.Samples, nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> bool:
        """Draw nothing: a sound is not seen."""
        return False
