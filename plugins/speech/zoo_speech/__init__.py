"""Sound for zoo: data, log-mel spectrograms, BC-ResNet and AST, pretraining, keyword spotting, speech recognition."""

from collections.abc import Iterator
from typing import Any

import zoo

_EXTRACTION = "audio-feature-extraction"


@zoo.hookimpl
def zoo_modalities() -> Iterator[zoo.ModalitySpec]:
    yield zoo.ModalitySpec(
        name="audio",
        summary="Sound files, as waves or log-mel spectrograms",
        target="zoo_speech.modality:modality",
        record="zoo_speech.sound:Sound",
        files=("vocab.json", "added_tokens.json", "tokenizer_config.json", "tokenizer.json", "generation_config.json"),
        unit="clips",
        example="CLIP.wav…",
        suffixes=(".wav", ".flac", ".ogg", ".mp3"),
        draws=True,
        targets=("labels", "transcripts"),
        capabilities=("features", "log-mel", "waves", "masked-patches", "frames", "masked-frames", "voice-activity"),
        data_options="zoo_speech.sound:SoundOptions",
        options=(
            zoo.OptionSpec(
                name="rate", summary="Samples a second of files without a head, 16 bits, one channel.", type="integer"
            ),
            zoo.OptionSpec(name="threshold", summary="Speech is what is this probable; 0.5 by default.", type="number"),
        ),
    )


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    for size, scale, parameters in (("1", 1.0, 9020), ("2", 2.0, 26_872), ("3", 3.0, 53_556), ("8", 8.0, 319_456)):
        yield zoo.ModelSpec(
            name=f"bc_resnet_{size}",
            family="speech",
            summary=f"Broadcasted residual network for keyword spotting, {size} times the base width",
            target="zoo_speech.bc_resnet:BCResNet",
            modality="audio",
            task=_EXTRACTION,
            capabilities=("features", "log-mel", "frames"),
            arguments={"scale": scale},
            limits={"mels": 640, "segments": 64},
            parameters=parameters,
            recipe="sound_contrastive",
        )
    for name, changed, parameters in (
        ("tc_resnet_8", {}, 64_560),
        ("tc_resnet_14", {"blocks": 2}, 135_248),
        ("tc_resnet_8_wide", {"scale": 3.0}, 565_776),
    ):
        yield zoo.ModelSpec(
            name=name,
            family="speech",
            summary="Residual convolutions over time for keyword spotting, quick on a CPU",
            target="zoo_speech.tc_resnet:TCResNet",
            modality="audio",
            task=_EXTRACTION,
            capabilities=("features", "log-mel", "frames"),
            arguments=changed,
            limits={"blocks": 64, "mels": 1024, "segments": 64},
            parameters=parameters,
            recipe="sound_contrastive",
        )
    sizes: tuple[tuple[str, str, dict[str, Any], int], ...] = (
        ("ast", "Audio Spectrogram Transformer, base", {}, 86_188_800),
        (
            "ast_nano",
            "Audio Spectrogram Transformer of 1 s: 40 mels, 6 layers of width 96, no overlap",
            {
                **{"mels": 40, "frames": 64, "patch": 8, "frequency_stride": 8, "time_stride": 8},
                **{"width": 96, "depth": 6, "num_heads": 3, "mlp_width": 384, "norm_eps": 1e-6, "pool": "patches"},
            },
            681_888,
        ),
    )
    for name, summary, arguments, parameters in sizes:
        yield zoo.ModelSpec(
            name=name,
            family="speech",
            summary=summary,
            target="zoo_speech.ast:AST",
            modality="audio",
            task=_EXTRACTION,
            capabilities=("features", "log-mel", "masked-patches"),
            arguments=arguments,
            limits={"mels": 1024, "frames": 8192, "width": 4096, "depth": 64, "mlp_width": 16_384, "segments": 64},
            parameters=parameters,
            recipe="sound_masked_patches",
            layouts="zoo_speech.layouts.ast:LAYOUTS" if name == "ast" else None,
        )
    for name, title, layouts in (("wav2vec2_base", "wav2vec 2.0", "WAV2VEC2"), ("hubert_base", "HuBERT", "HUBERT")):
        yield zoo.ModelSpec(
            name=name,
            family="speech",
            summary=f"{title}, base: convolutions over waves, then a transformer",
            target="zoo_speech.wav2vec2:Wav2Vec2",
            modality="audio",
            task=_EXTRACTION,
            capabilities=("features", "waves", "frames", "masked-frames"),
            limits={
                **{"conv_width": 4096, "width": 4096, "depth": 96, "num_heads": 256, "mlp_width": 16_384},
                **{"positions_kernel": 1024, "positions_groups": 256, "vocab_size": 65_536},
            },
            parameters=94_370_944,
            recipe="sound_hidden_frames",
            layouts=f"zoo_speech.layouts.wav2vec2:{layouts}",
        )
    yield zoo.ModelSpec(
        name="whisper_tiny",
        family="speech",
        summary="Whisper, tiny: writes down what is said, in 99 languages",
        target="zoo_speech.whisper:Whisper",
        modality="audio",
        task=_EXTRACTION,
        capabilities=("features", "log-mel", "frames"),
        limits={
            **{"mels": 1024, "context": 65_536, "text_context": 65_536, "width": 4096, "depth": 96, "num_heads": 256},
            **{"decoder_depth": 96, "decoder_num_heads": 256, "mlp_width": 16_384, "decoder_mlp_width": 16_384},
        },
        parameters=8_208_384,
        recipe="sound_contrastive",
        layouts="zoo_speech.layouts.whisper:LAYOUTS",
    )
    yield zoo.ModelSpec(
        name="silero_vad",
        family="speech",
        summary="Silero VAD at 16 kHz: how probable speech is in each 32 ms",
        target="zoo_speech.silero:SileroVAD",
        modality="audio",
        task="voice-activity-detection",
        capabilities=("voice-activity",),
        parameters=309_633,
        layouts="zoo_speech.layouts.silero:LAYOUTS",
        license="MIT",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="sound_supervised",
        stage="pretrain",
        summary="Learn the classes of sounds from random weights",
        target="zoo_speech.recipes:Classification",
        settings="zoo_speech.settings:SupervisedSettings",
        task="audio-classification",
        score="accuracy",
        higher_is_better=True,
        modality="audio",
        requires=("features",),
        labels=True,
    )
    yield zoo.RecipeSpec(
        name="sound_contrastive",
        stage="pretrain",
        summary="Tell two views of a clip from those of all others (SimCLR)",
        target="zoo_speech.pretraining:Contrastive",
        settings="zoo_speech.settings:ContrastiveSettings",
        task=_EXTRACTION,
        score="contrast",
        modality="audio",
        requires=("features",),
    )
    yield zoo.RecipeSpec(
        name="sound_masked_patches",
        stage="pretrain",
        summary="Tell and draw hidden patches of log-mel spectrograms (SSAST)",
        target="zoo_speech.pretraining:MaskedPatches",
        settings="zoo_speech.settings:MaskedSettings",
        task=_EXTRACTION,
        score="mse",
        modality="audio",
        requires=("masked-patches",),
    )
    yield zoo.RecipeSpec(
        name="sound_hidden_frames",
        stage="pretrain",
        summary="Tell hidden frames of waves from others by codes learnt with them (wav2vec 2.0)",
        target="zoo_speech.wav2vec2_pretraining:Wav2Vec2Pretraining",
        settings="zoo_speech.settings:Wav2Vec2Settings",
        task=_EXTRACTION,
        score="contrast",
        modality="audio",
        requires=("masked-frames",),
    )
    yield zoo.RecipeSpec(
        name="audio_classification",
        stage="finetune",
        summary="Cross-entropy on the backbone's own head",
        target="zoo_speech.recipes:Classification",
        settings="zoo_speech.settings:ClassificationSettings",
        task="audio-classification",
        score="accuracy",
        higher_is_better=True,
        modality="audio",
        requires=("features",),
        labels=True,
    )
    yield zoo.RecipeSpec(
        name="speech_recognition",
        stage="finetune",
        summary="CTC over letters, by a head over time",
        target="zoo_speech.recognition:Recognition",
        settings="zoo_speech.settings:RecognitionSettings",
        task="automatic-speech-recognition",
        score="wer",
        modality="audio",
        requires=("frames",),
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    yield zoo.TaskSpec(
        name="audio-classification",
        summary="Say which word, speaker or noise is heard",
        recipe="audio_classification",
        score="accuracy",
        modality="audio",
        needs_labels=True,
        predictor="zoo_speech.predict:SoundClasses",
    )
    yield zoo.TaskSpec(
        name="automatic-speech-recognition",
        summary="Write down what is said",
        recipe="speech_recognition",
        score="wer",
        modality="audio",
        learns_from="transcripts",
        needs_labels=True,
        network="zoo_speech.recognition:Recognizer",
        predictor="zoo_speech.recognition:Transcripts",
        options=(
            zoo.OptionSpec(name="beams", summary="Texts that a search keeps; 1 is greedy.", type="integer"),
            zoo.OptionSpec(name="language", summary="What is spoken, such as de; told from the sound otherwise."),
            zoo.OptionSpec(name="timestamps", summary="Also say when what is said, of Whisper.", type="flag"),
        ),
    )


@zoo.hookimpl
def zoo_datasets() -> Iterator[zoo.DatasetSpec]:
    yield zoo.DatasetSpec(
        name="fsdd",
        summary="Free Spoken Digit Dataset: digits 0 to 9 by six speakers, 8 kHz",
        target="zoo_speech.fsdd:fsdd",
        modality="audio",
        task="audio-classification",
        license="CC-BY-SA-4.0",
    )
    yield zoo.DatasetSpec(
        name="fsdd_strings",
        summary="Strings of 2 to 6 spoken digits, 2,000 + 300, made of FSDD by a seed",
        target="zoo_speech.fsdd:fsdd_strings",
        modality="audio",
        task="automatic-speech-recognition",
        license="CC-BY-SA-4.0",
    )


@zoo.hookimpl
def zoo_explainers() -> Iterator[zoo.ExplainerSpec]:
    yield zoo.ExplainerSpec(
        name="sound_gradients",
        summary="What of a spectrogram or a wave speaks for a class",
        target="zoo_speech.explaining:SoundGradients",
        modality="audio",
        task="audio-classification",
    )
