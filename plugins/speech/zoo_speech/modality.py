"""The modality `audio`; keeps `zoo.Modality`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor, nn

import zoo
from zoo_speech.beside import WrittenSound, read_beside
from zoo_speech.clips import Clips, as_dataset, waves_of
from zoo_speech.embedding import EmbedSounds
from zoo_speech.features import as_inputs, floats
from zoo_speech.folders import open_folder
from zoo_speech.hub import ADDRESS, open_hub_clips
from zoo_speech.predict import PredictSounds
from zoo_speech.sound import LogMel, Sound, SoundOptions
from zoo_speech.voice import PredictVoice

_WINDOW, _HOP = 0.025, 0.01
_LOW = 20.0
_MEASURED = 500
"""Clips by which mean and deviation of a fresh model's spectrograms are measured."""
_SECONDS = 1.0


class Audio:
    """Sounds of one channel at one rate, as waves or as log-mel spectrograms."""

    def open(self, source: zoo.DataSource, need: zoo.Need) -> tuple[zoo.ArrayDataset, Sound]:
        if need.scored and need.learns_from == "transcripts" and isinstance(need.inputs, WrittenSound):
            raise zoo.UsageError(
                "these weights write by the tokens beside them, not by letters of data; finetune them first, or "
                "compare what `zoo predict` writes"
            )
        clips = open_clips(source)
        if source.options.held_out is not None:
            clips = clips.without(source.options.held_out)
        clips = clips.needed()
        asked: int | None = source.options.rate
        sound: Sound | None = None if need.inputs is None else need.inputs.record()
        if sound is not None and asked not in (None, sound.rate):
            raise zoo.UsageError(f"rate={asked}: these weights hear {sound.rate} samples a second; leave it out")
        waves = waves_of(clips, sound.rate if sound is not None else asked or clips.usual_rate())
        if sound is None:
            sound = fresh_sound(clips, waves, asked or clips.usual_rate(), source.options, need)
        elif need.learns_from == "transcripts":
            sound = any_length(sound)
        return as_dataset(clips, waves, sound, need.learns_from), sound

    def read_inputs(
        self, folder: Path, record: Sound | None, arguments: Mapping[str, Any]
    ) -> Sound | WrittenSound | None:
        return None if record is None else read_beside(folder, record)

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Sound:
        if "log_mel" in batch:
            mels, frames = batch["log_mel"].shape[1:]
            spec = LogMel(style="kaldi", mels=mels, window=200, hop=80, fft=256, frames=frames)
            return Sound(rate=8000, samples=8000, log_mel=spec)
        return Sound(rate=16_000, samples=batch["waves"].shape[1])

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return what an example holds: log-mel spectrograms, or waves as floats."""
        if "log_mel" in example:
            return (example["log_mel"].to(like.device, like.dtype),), {}
        return (floats(example["waves"], like).to(like.dtype),), {}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: zoo.ModelSpec) -> dict[str, Any]:
        known: Any = model.backbone if isinstance(model, zoo.Network) else model
        if "features" not in spec.capabilities:
            return {}
        (inputs,), _ = self.prepared(example, next(iter(model.parameters())))
        return {"features": known.forward_intermediates(inputs, intermediates_only=True)}

    def bind(self, loaded: zoo.Loaded) -> None:
        if isinstance(_backbone(loaded.model), zoo.Backbone):
            loaded.model.embed = self.embedder(loaded)
        if "voice-activity" in loaded.spec.capabilities:
            loaded.model.predict = PredictVoice(loaded)
        elif not loaded.changed:
            loaded.model.predict = PredictSounds(loaded)

    def embedder(self, loaded: zoo.Loaded) -> EmbedSounds:
        if not isinstance(_backbone(loaded.model), zoo.Backbone):
            raise zoo.UsageError(f"{loaded.spec.name!r} makes no vectors of sounds: it is no zoo.Backbone")
        return EmbedSounds(loaded, open_clips)

    def check_publishable(self, folder: Path, description: Any) -> None:
        if description.inputs is None:
            raise zoo.IntegrityError(f"{folder} does not say how sounds become inputs; add `inputs` to config.json")


def open_clips(source: zoo.DataSource) -> Clips:
    """Open what a name, a folder, a table or an address stands for."""
    found: Clips | None = zoo.open_named(source, f"a folder of sounds, a table of them, or {ADDRESS}org/name")
    if found is not None:
        return found
    return open_hub_clips(source) if source.name.startswith(ADDRESS) else open_folder(Path(source.name))


def fresh_sound(
    clips: Clips, waves: Mapping[str, zoo.Ragged], rate: int, options: SoundOptions, need: zoo.Need
) -> Sound:
    """Return how clips become inputs of a fresh model: of about the length that most have.

    A model that takes spectrograms gets those of Kaldi, their numbers as they are over the training clips.
    """
    first = waves[clips.first]
    samples = round(rate * options.seconds) if options.seconds else _usual_length(first, rate)
    if "waves" in need.model.capabilities:
        return Sound(rate=rate, samples=samples, normalize=True)
    arguments = {**need.model.arguments, **need.arguments}
    window = round(rate * _WINDOW)
    spec = LogMel(
        style="kaldi",
        mels=int(arguments.get("mels", 40)),
        window=window,
        hop=round(rate * _HOP),
        fft=1 << (window - 1).bit_length(),
        low=_LOW,
        frames=arguments.get("frames"),
    )
    if options.fit == "stretch":
        spec = replace(spec, frames=spec.frames or spec.counted(samples), fit="stretch")
    sound = Sound(rate=rate, samples=samples, normalize=True, log_mel=spec)
    mean, std = _measured(first, sound)
    return replace(sound, log_mel=replace(spec, mean=mean, std=std))


def any_length(sound: Sound) -> Sound:
    """Return the same inputs for clips of any length: nothing is cut, padded or stretched."""
    spec = sound.log_mel
    if spec is not None:
        spec = replace(spec, frames=None, fit="pad")
    return replace(sound, samples=None, log_mel=spec)


def _usual_length(waves: zoo.Ragged, rate: int) -> int:
    """Return the length that nineteen of twenty clips fit into, in tenths of a second."""
    lengths = waves.lengths
    longest = float(sorted(lengths.tolist())[int(0.95 * (len(lengths) - 1))])
    tenth = rate / 10
    return max(round(tenth), min(round(-(-longest // tenth) * tenth), round(60 * rate)))


def _measured(waves: zoo.Ragged, sound: Sound) -> tuple[float, float]:
    """Return mean and deviation of the spectrograms of the first clips."""
    import numpy as np

    from zoo_speech.clips import fixed

    assert sound.samples is not None
    rows, lengths = waves.padded(np.arange(min(_MEASURED, len(waves))), 0)
    cut, kept = fixed(torch.from_numpy(rows), torch.from_numpy(lengths), sound.samples)
    found = as_inputs(floats(cut), kept, sound).double()
    return round(float(found.mean()), 4), round(max(float(found.std()), 1e-3), 4)


def _backbone(model: Any) -> Any:
    return model.backbone if isinstance(model, zoo.Network) else model


modality = Audio()
