"""Generative adversarial networks for zoo."""

from collections.abc import Iterator
from functools import partial

import zoo

_TASK = "unconditional-image-generation"
_SCORE = "sliced_wasserstein"
_REQUIRES: tuple[zoo.Capability, ...] = ("features", "sample")
_SIZES = {"channels": 64, "latent_size": 65_536}
_CONVOLUTIONAL = {"image_size": 1024, "width": 4096, "pool_size": 64, **_SIZES}

_spec = partial(zoo.ModelSpec, family="gan", task=_TASK)

_PRETRAINING = {
    "minimax": ("GAN with the original minimax loss (Goodfellow et al., 2014)", "MinimaxSettings"),
    "non_saturating": ("GAN with the non-saturating loss (Goodfellow et al., 2014)", "AdversarialSettings"),
    "least_squares": ("Least-squares GAN (LSGAN; Mao et al., 2017)", "AdversarialSettings"),
    "hinge": ("GAN with the hinge loss (Lim and Ye, 2017; Miyato et al., 2018)", "AdversarialSettings"),
    "wasserstein_gan": (
        "Wasserstein GAN with gradient penalty (WGAN-GP; Gulrajani et al., 2017)",
        "WassersteinSettings",
    ),
    "relativistic": ("Relativistic GAN with R1 and R2 penalties (R3GAN; Huang et al., 2024)", "RelativisticSettings"),
}


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield _spec(
        name="dense_gan",
        summary="The original GAN with one hidden layer of 128 units, for 28x28 images",
        target="zoo_gan.dense:dense_gan",
        capabilities=_REQUIRES,
        limits={"image_size": 4096, "hidden_size": 65_536, **_SIZES},
        parameters=214_673,
        recipe="non_saturating",
        settings={"epochs": 20},
    )
    yield _spec(
        name="dcgan",
        summary="DCGAN: strided convolutions and batch norm (Radford et al., 2016), for 28 pixels or a power of two",
        target="zoo_gan.dcgan:dcgan",
        capabilities=(*_REQUIRES, "detection-ready"),
        limits=_CONVOLUTIONAL,
        parameters=898_370,
        recipe="non_saturating",
    )
    yield _spec(
        name="residual_gan",
        summary="ResNet GAN with spectral norm (SNGAN; Miyato et al., 2018), for 28 pixels or a power of two",
        target="zoo_gan.residual:residual_gan",
        capabilities=(*_REQUIRES, "detection-ready"),
        limits=_CONVOLUTIONAL,
        parameters=637_124,
        recipe="hinge",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    for name, (summary, settings) in _PRETRAINING.items():
        yield zoo.RecipeSpec(
            name=name,
            stage="pretrain",
            summary=summary,
            target=f"zoo_gan.recipes:{name}",
            settings=f"zoo_gan.settings:{settings}",
            task=_TASK,
            score=_SCORE,
            requires=_REQUIRES,
        )
    yield zoo.RecipeSpec(
        name="freeze_discriminator",
        stage="finetune",
        summary="Finetune a GAN on few images, lower discriminator layers frozen (FreezeD; Mo et al., 2020)",
        target="zoo_gan.recipes:freeze_discriminator",
        settings="zoo_gan.settings:FreezeDiscriminatorSettings",
        task=_TASK,
        score=_SCORE,
        requires=_REQUIRES,
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    yield zoo.TaskSpec(
        name=_TASK,
        summary="Generate images like the training images",
        recipe="freeze_discriminator",
        score=_SCORE,
        learns_from="images",
    )
