"""Vectors of sounds: the features that the model pools for its head."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_tones.data import Wave, as_inputs, open_clips, read_wave, wave_files
from zoo_tones.sound import Sound, floats, inputs_of


class EmbedSounds:
    """Bound to a loaded model as `model.embed`; keeps `zoo.Embeds`."""

    modality: ClassVar[str] = "tone"

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded

    def __call__(self, items: Sequence[Wave | Path], *, batch_size: int = 64, normalize: bool = False) -> Tensor:
        """Return a vector for each sound: a wave file, or samples with their rate."""
        model: Any = self._loaded.model
        inputs: Sound = inputs_of(self._loaded)
        like, found = next(model.parameters()), []
        with zoo.evaluating(model), torch.inference_mode():
            for start in range(0, len(items), batch_size):
                some = [read_wave(item) if isinstance(item, Path) else item for item in items[start:][:batch_size]]
                sounds = floats(torch.from_numpy(as_inputs(some, inputs)), like)
                found.append(model.forward_head(model.forward_features(sounds), pre_logits=True))
        vectors = torch.cat(found)
        return F.normalize(vectors, dim=1) if normalize else vectors

    def items(self, arguments: Sequence[str]) -> zoo.Samples:
        paths = wave_files(arguments)
        digest = hashlib.sha256()
        for path in paths:
            digest.update(f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return zoo.Samples(items=paths, names=[str(path) for path in paths], fingerprint=digest.hexdigest())

    def data(self, source: zoo.DataSource, split: str) -> zoo.Samples:
        clips = zoo.open_named(source, "a folder of wave files") or open_clips(Path(source.name))
        chosen = {name: waves for name, waves in clips.waves.items() if split in (name, "all")}
        if not chosen:
            raise zoo.UsageError(f"{source.name} has no split {split!r}, but {', '.join(clips.waves)}, or all")
        items = [wave for waves in chosen.values() for wave in waves]
        names = [f"{name}/{place}" for name, waves in chosen.items() for place in range(len(waves))]
        digest = hashlib.sha256(b"".join(samples.tobytes() + f" {rate}\n".encode() for samples, rate in items))
        return zoo.Samples(items=items, names=names, fingerprint=digest.hexdigest())

    def draw(self, samples: zoo.Samples, nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> bool:
        """Draw nothing: a sound is not seen."""
        return False
