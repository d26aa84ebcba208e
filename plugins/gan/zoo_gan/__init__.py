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
    "minimax": ("Play the minimax game as it was written down (Goodfellow et al., 2014)", "MinimaxSettings"),
    "non_saturating": ("Pass for real, the generator's better half (Goodfellow et al., 2014)", "AdversarialSettings"),
    "least_squares": ("Bring scores to 1 and 0 by squares (Mao et al., 2017)", "AdversarialSettings"),
    "hinge": ("Part real from made by a margin (Lim and Ye, 2017; Miyato et al., 2018)", "AdversarialSettings"),
    "wasserstein_gan": ("Earth mover's distance, slopes of 1 (WGAN-GP; Gulrajani et al., 2017)", "WassersteinSettings"),
    "relativistic": ("Tell pairs apart, slopes of 0 at both (R3GAN; Huang et al., 2024)", "RelativisticSettings"),
}


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield _spec(
        name="dense_gan",
        summary="The textbook GAN: 100 numbers, 128 units, 784 pixels; 784 pixels, 128 units, one score",
        target="zoo_gan.dense:dense_gan",
        capabilities=_REQUIRES,
        limits={"image_size": 4096, "hidden_size": 65_536, **_SIZES},
        parameters=214_673,
        recipe="non_saturating",
        settings={"epochs": 20},
    )
    yield _spec(
        name="dcgan",
        summary="Strided convolutions and batch norm (Radford et al., 2016), for 28 pixels or a power of two",
        target="zoo_gan.dcgan:dcgan",
        capabilities=(*_REQUIRES, "detection-ready"),
        limits=_CONVOLUTIONAL,
        parameters=898_370,
        recipe="non_saturating",
    )
    yield _spec(
        name="residual_gan",
        summary="Residual blocks with spectral norm (SNGAN; Miyato et al., 2018), for 28 pixels or a power of two",
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
        summary="Take a GAN to few pictures of something else, lower stages kept (FreezeD; Mo et al., 2020)",
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
        summary="Make pictures like those that were seen",
        recipe="freeze_discriminator",
        score=_SCORE,
        learns_from="images",
    )
