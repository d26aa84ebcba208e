"""Autoencoders for zoo: pretraining without labels."""

from collections.abc import Iterator

import zoo

_CAPABILITIES: tuple[zoo.Capability, ...] = ("features", "embed", "reconstruct")


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield zoo.ModelSpec(
        name="dense_autoencoder",
        family="autoencoder",
        summary="The textbook autoencoder: 784 pixels, a code of 64 numbers, 784 pixels",
        target="zoo_autoencoder.dense:DenseAutoencoder",
        capabilities=_CAPABILITIES,
        limits={"image_size": 4096, "channels": 64, "hidden_sizes": 65_536, "code_size": 65_536},
        parameters=101_200,
        recipe="reconstruction",
        settings={
            "loss": "binary_cross_entropy",
            "optimizer": "adam",
            "batch_size": 256,
            "epochs": 100,
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "schedule": "constant",
            "warmup": 0.0,
        },
    )
    yield zoo.ModelSpec(
        name="conv_autoencoder",
        family="autoencoder",
        summary="A convolutional autoencoder for pictures of any size, with a feature pyramid",
        target="zoo_autoencoder.convolutional:ConvAutoencoder",
        capabilities=(*_CAPABILITIES, "detection-ready"),
        limits={"image_size": 4096, "channels": 64, "widths": 4096, "code_size": 65_536},
        parameters=644_644,
        recipe="reconstruction",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="reconstruction",
        stage="pretrain",
        summary="Give back what was seen (Hinton and Salakhutdinov, 2006)",
        target="zoo_autoencoder.reconstruction:Reconstruction",
        settings="zoo_autoencoder.settings:ReconstructionSettings",
        task="image-feature-extraction",
        score="mse",
        requires=("reconstruct",),
    )
    yield zoo.RecipeSpec(
        name="denoising",
        stage="pretrain",
        summary="Give back the clean picture from a noisy one (Vincent et al., 2008)",
        target="zoo_autoencoder.reconstruction:Denoising",
        settings="zoo_autoencoder.settings:DenoisingSettings",
        task="image-feature-extraction",
        score="mse",
        requires=("reconstruct",),
    )
