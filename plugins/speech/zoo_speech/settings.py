"""What the recipes can be told."""

from dataclasses import dataclass

import zoo


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """How sounds are changed before they are learnt from; 0 leaves one way out.

    Of waves: `shift` in time by up to this share of the length, `gain` in decibels, `noise` by up to this share of the
    loudness. Of spectrograms: `tilt` adds smooth curves over frequency, as rooms and microphones do; `stretch` and
    `warp` scale time and frequency by up to this share, as speakers do; `frequency_mask` and `time_mask` are the
    largest shares that each of two bands of SpecAugment hides.
    """

    shift: zoo.Share = 0.1
    gain: zoo.NonNegative = 6.0
    noise: zoo.NonNegative = 0.1
    tilt: zoo.NonNegative = 0.2
    stretch: zoo.Share = 0.15
    warp: zoo.Share = 0.1
    frequency_mask: zoo.Share = 0.2
    time_mask: zoo.Share = 0.15


@dataclass(frozen=True, kw_only=True)
class SupervisedSettings(Augmented, zoo.TrainingSettings):
    """What classes learnt from the start can be told."""

    epochs: zoo.Count = 60
    batch_size: zoo.Count = 64
    learning_rate: zoo.Positive = 3e-3
    weight_decay: zoo.NonNegative = 1e-3
    label_smoothing: zoo.Share = 0.1


@dataclass(frozen=True, kw_only=True)
class ContrastiveSettings(Augmented, zoo.TrainingSettings):
    """Two views of a clip are told from those of all others (SimCLR), `temperature` being how sharply.

    `projection` is the width of the head that the loss is taken behind, which is not kept.
    """

    epochs: zoo.Count = 200
    batch_size: zoo.Count = 200
    learning_rate: zoo.Positive = 2e-3
    weight_decay: zoo.NonNegative = 1e-2
    temperature: zoo.Positive = 0.2
    projection: zoo.Count = 128


@dataclass(frozen=True, kw_only=True)
class MaskedSettings(Augmented, zoo.TrainingSettings):
    """A share `masked` of the patches is hidden in blocks of up to `block` x `block`, and told from what is left.

    The loss is InfoNCE over the hidden patches of a clip, plus `generative` times the squared error (SSAST).
    """

    epochs: zoo.Count = 200
    batch_size: zoo.Count = 64
    learning_rate: zoo.Positive = 1e-3
    weight_decay: zoo.NonNegative = 1e-2
    masked: zoo.Fraction = 0.5
    block: zoo.Count = 3
    generative: zoo.NonNegative = 10.0


@dataclass(frozen=True, kw_only=True)
class Wav2Vec2Settings(Augmented, zoo.TrainingSettings):
    """Spans of `span` frames are hidden, which begin at a share `span_start` of all; each is told from `negatives`.

    A frame's code is one of `codes` in each of `code_groups` tables, `code_width` numbers together, drawn the more
    surely the smaller `sharpness` is; `diversity` is what codes that are not used count beside what is told.
    `temperature` is how sharply, behind projections to `projection` numbers.
    """

    epochs: zoo.Count = 100
    batch_size: zoo.Count = 32
    learning_rate: zoo.Positive = 5e-4
    weight_decay: zoo.NonNegative = 1e-2
    clip: zoo.NonNegative = 1.0
    span: zoo.Count = 10
    span_start: zoo.Fraction = 0.065
    negatives: zoo.Count = 100
    code_groups: zoo.Count = 2
    codes: zoo.Count = 320
    code_width: zoo.Count = 256
    projection: zoo.Count = 256
    sharpness: zoo.Positive = 1.0
    temperature: zoo.Positive = 0.1
    diversity: zoo.NonNegative = 0.1


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(Augmented, zoo.FinetuneSettings):
    """What sounds learnt with classes can be told."""

    epochs: zoo.Count = 40
    batch_size: zoo.Count = 32
    learning_rate: zoo.Positive = 3e-3
    weight_decay: zoo.NonNegative = 1e-3
    label_smoothing: zoo.Share = 0.1
    shift: zoo.Share = 0.05
    frequency_mask: zoo.Share = 0.1
    time_mask: zoo.Share = 0.1


@dataclass(frozen=True, kw_only=True)
class RecognitionSettings(Augmented, zoo.FinetuneSettings):
    """What sounds learnt with transcripts can be told. The head has convolutions of `hidden` channels; 0 for none."""

    epochs: zoo.Count = 30
    batch_size: zoo.Count = 32
    learning_rate: zoo.Positive = 2e-3
    backbone_rate: zoo.Fraction = 1.0
    layer_decay: zoo.Fraction = 1.0
    weight_decay: zoo.NonNegative = 1e-3
    clip: zoo.NonNegative = 5.0
    hidden: zoo.NonNegativeInt = 64
    shift: zoo.Share = 0.0
    stretch: zoo.Share = 0.1
    time_mask: zoo.Share = 0.05
