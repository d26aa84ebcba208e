"""Autoencoders for zoo: pretraining without labels."""

from collections.abc import Iterator

import zoo

_CAPABILITIES: tuple[zoo.Capability, ...] = ("features", "embed", "reconstruct")
_CONVOLUTIONAL = {"image_size": 4096, "channels": 64, "widths": 4096, "code_size": 65_536, "pool_size": 64}


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield zoo.ModelSpec(
        name="dense_autoencoder",
        family="autoencoder",
        summary="Fully connected autoencoder for 28x28 images, with a code of 64 numbers",
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
        summary="Convolutional autoencoder for images of any size, with a feature pyramid",
        target="zoo_autoencoder.convolutional:ConvAutoencoder",
        capabilities=(*_CAPABILITIES, "detection-ready"),
        limits=_CONVOLUTIONAL,
        parameters=644_644,
        recipe="reconstruction",
    )
    yield zoo.ModelSpec(
        name="variational_autoencoder",
        family="autoencoder",
        summary="Variational autoencoder (VAE; Kingma and Welling, 2014), convolutional or fully connected",
        target="zoo_autoencoder.variational:VariationalAutoencoder",
        capabilities=(*_CAPABILITIES, "sample", "detection-ready"),
        limits={**_CONVOLUTIONAL, "hidden_sizes": 65_536},
        parameters=775_780,
        recipe="variational",
    )
    yield zoo.ModelSpec(
        name="vector_quantized_autoencoder",
        family="autoencoder",
        summary="Vector-quantized autoencoder (VQ-VAE; van den Oord et al., 2017)",
        target="zoo_autoencoder.vector_quantized:VectorQuantizedAutoencoder",
        capabilities=(*_CAPABILITIES, "detection-ready"),
        limits={**_CONVOLUTIONAL, "codebook_size": 65_536},
        parameters=417_796,
        recipe="vector_quantized",
    )
    yield zoo.ModelSpec(
        name="tiny_autoencoder",
        family="autoencoder",
        summary="TAESD and its siblings: tiny replacements for the autoencoders of latent diffusion (Bohan, 2023)",
        target="zoo_autoencoder.tiny:TinyAutoencoder",
        capabilities=(*_CAPABILITIES, "detection-ready"),
        limits={"channels": 64, "latent_channels": 4096},
        parameters=2_445_063,
        recipe="reconstruction",
        layouts="zoo_autoencoder.layouts:TINY_AUTOENCODER",
    )


_RECIPES = {
    "reconstruction": (
        "Reconstruction",
        "Autoencoder: minimize the reconstruction error (Hinton and Salakhutdinov, 2006)",
    ),
    "denoising": ("Denoising", "Denoising autoencoder (Vincent et al., 2008)"),
    "sparse": ("Sparse", "Sparse autoencoder (Ranzato et al., 2007)"),
    "contractive": ("Contractive", "Contractive autoencoder (Rifai et al., 2011)"),
    "variational": ("Variational", "Variational autoencoder: maximize the ELBO (VAE; Kingma and Welling, 2014)"),
    "vector_quantized": ("VectorQuantized", "Vector-quantized autoencoder (VQ-VAE; van den Oord et al., 2017)"),
    "wasserstein": (
        "Wasserstein",
        "Wasserstein autoencoder with an MMD penalty (WAE-MMD; Tolstikhin et al., 2018)",
    ),
}
_MODULES = {"denoising": "reconstruction", **dict.fromkeys(("sparse", "contractive", "wasserstein"), "penalized")}


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    for name, (kind, summary) in _RECIPES.items():
        variational = name == "variational"
        yield zoo.RecipeSpec(
            name=name,
            stage="pretrain",
            summary=summary,
            target=f"zoo_autoencoder.pretraining.{_MODULES.get(name, name)}:{kind}",
            settings=f"zoo_autoencoder.pretraining.settings:{kind}Settings",
            task="image-feature-extraction",
            score="elbo" if variational else "mse",
            higher_is_better=variational,
            requires=("reconstruct",),
        )
