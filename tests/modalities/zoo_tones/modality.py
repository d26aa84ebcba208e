"""The modality `audio`; keeps `zoo.Modality`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

import zoo
from zoo_tones.data import Clips, as_dataset, open_clips
from zoo_tones.embedding import EmbedSounds
from zoo_tones.predictor import PredictSounds
from zoo_tones.sound import Sound, floats


class Audio:
    """Sounds of one channel, each resampled, and cut or filled up to one length."""

    def open(self, source: zoo.DataSource, need: zoo.Need) -> tuple[zoo.ArrayDataset, Sound]:
        clips: Clips | None = zoo.open_named(source, "a folder of wave files")
        if clips is None:
            clips = open_clips(Path(source.name))
        asked: int | None = source.options.rate
        if need.inputs is not None:
            if asked not in (None, need.inputs.rate):
                raise zoo.UsageError(
                    f"rate={asked}: these weights hear {need.inputs.rate} samples a second; leave it out"
                )
            return as_dataset(clips, need.inputs), need.inputs
        samples, rate = clips.waves["train"][0]
        rate = asked or rate
        inputs = Sound(rate=rate, samples=max(len(wave) * rate // theirs for wave, theirs in clips.waves["train"]))
        return as_dataset(clips, inputs), inputs

    def read_inputs(self, folder: Path, record: Sound | None, arguments: Mapping[str, Any]) -> Sound | None:
        return record

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Sound:
        return Sound(rate=8000, samples=batch["sounds"].shape[1])

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        return (floats(example["sounds"], like),), {}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: zoo.ModelSpec) -> dict[str, Any]:
        known: Any = model
        (sounds,), _ = self.prepared(example, next(model.parameters()))
        found: dict[str, Any] = {}
        if "features" in spec.capabilities:
            found["features"] = known.forward_intermediates(sounds, intermediates_only=True)
        if "reconstruct" in spec.capabilities:
            found["reconstruction"] = known.reconstruct(sounds)
        return found

    def bind(self, loaded: zoo.Loaded) -> None:
        loaded.model.embed = self.embedder(loaded)
        if not loaded.changed:
            loaded.model.predict = PredictSounds(loaded)

    def embedder(self, loaded: zoo.Loaded) -> EmbedSounds:
        return EmbedSounds(loaded)

    def check_publishable(self, folder: Path, description: Any) -> None:
        if description.inputs is None:
            raise zoo.IntegrityError(f"{folder} does not say how sounds become inputs; add `inputs` to config.json")


modality = Audio()
