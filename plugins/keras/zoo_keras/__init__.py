"""Keras files for zoo: `.keras`, `.weights.h5`, legacy `.h5` and KerasHub presets, without TensorFlow."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_formats() -> Iterator[zoo.FormatSpec]:
    yield zoo.FormatSpec(
        name="keras",
        summary="Keras 3 (.keras, .weights.h5) and Keras 2 (.h5), opened without either",
        target="zoo_keras.format:keras",
        suffixes=(".keras", ".h5", ".weights.json"),
    )


@zoo.hookimpl
def zoo_layouts() -> Iterator[zoo.LayoutSpec]:
    yield zoo.LayoutSpec(
        name="keras_applications",
        summary="How Keras Applications store ResNet, VGG, MobileNet, EfficientNet and ConvNeXt",
        target="zoo_keras.layouts:APPLICATIONS",
    )
    yield zoo.LayoutSpec(
        name="keras_hub",
        summary="How KerasHub's presets store ViT, BERT, RoBERTa, DistilBERT, GPT-2 and Llama",
        target="zoo_keras.hub_layouts:LAYOUTS",
    )
    yield zoo.LayoutSpec(
        name="keras_autoencoders",
        summary="How Keras stores a dense autoencoder",
        target="zoo_keras.layouts:AUTOENCODERS",
    )
