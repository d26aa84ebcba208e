"""Sounds for zoo: wave files, a small network, and what they can be told apart by."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_modalities() -> Iterator[zoo.ModalitySpec]:
    yield zoo.ModalitySpec(
        name="tone",
        summary="Sounds: wave files of 16 bits",
        target="zoo_tones.modality:modality",
        record="zoo_tones.sound:Sound",
        unit="clips",
        example="CLIP.wav…",
        suffixes=(".wav",),
        targets=("labels",),
        capabilities=("features", "reconstruct"),
        data_options="zoo_tones.sound:SoundOptions",
    )


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield zoo.ModelSpec(
        name="tone_net",
        family="tones",
        summary="Two convolutions over a wave, and one back",
        target="zoo_tones.model:ToneNet",
        modality="tone",
        task="tone-feature-extraction",
        capabilities=("features", "reconstruct"),
        limits={"width": 1024},
        parameters=2593,
        recipe="sound_denoising",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="sound_denoising",
        stage="pretrain",
        summary="Give back a sound from one with noise in it",
        target="zoo_tones.recipes:SoundDenoising",
        settings="zoo_tones.settings:DenoisingSettings",
        task="tone-feature-extraction",
        score="mse",
        modality="tone",
        requires=("reconstruct",),
    )
    yield zoo.RecipeSpec(
        name="sound_classification",
        stage="finetune",
        summary="Cross-entropy on the network's own head",
        target="zoo_tones.recipes:SoundClassification",
        settings="zoo_tones.settings:ClassificationSettings",
        task="tone-classification",
        score="accuracy",
        higher_is_better=True,
        modality="tone",
        requires=("features",),
        labels=True,
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    yield zoo.TaskSpec(
        name="tone-classification",
        summary="Say what is heard in a sound",
        recipe="sound_classification",
        score="accuracy",
        modality="tone",
        needs_labels=True,
        hub_tag="audio-classification",
        predictor="zoo_tones.predictor:SoundClasses",
    )


@zoo.hookimpl
def zoo_datasets() -> Iterator[zoo.DatasetSpec]:
    yield zoo.DatasetSpec(
        name="tones",
        summary="240 + 60 tones of three waveforms, made by a seed",
        target="zoo_tones.data:tones",
        modality="tone",
        task="tone-classification",
        license="CC0-1.0",
    )
