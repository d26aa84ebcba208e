"""DCGAN (Radford et al., 2016): strided convolutions, batch norm but at the pixels, weights from N(0, 0.02).

Differs from the paper: 4x4 kernels, which halve exactly and leave no checkerboard, and any size that is a power of two
from 16 on, or 28. The widest map of the generator has 7x7 pixels for 28, else 4x4; each doubling of the size halves the
width. The discriminator mirrors it; the norm of its inner stages can be another, since penalties on gradients are of
single pictures while batch norm mixes them (Gulrajani et al., 2017, section 4).
"""

from typing import Literal

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

import zoo
from zoo_gan.conditional import ClassNorm, Conditioned
from zoo_gan.network import GAN, Discriminator, Generator
from zoo_gan.sizes import halvings

Norm = Literal["batch", "spectral", "none"]


def dcgan(
    *,
    image_size: int = 28,
    channels: int = 1,
    latent_size: int = 100,
    width: int = 64,
    classes: int = 0,
    discriminator_norm: Norm = "batch",
    pool_size: int = 4,
    num_classes: int = 0,
) -> GAN:
    """Return a GAN whose maps next to the pixels are `width` wide; with `classes` it is conditional on them."""
    zoo.check_sizes(channels=channels, latent_size=latent_size, width=width, pool_size=pool_size)
    if discriminator_norm not in ("batch", "spectral", "none"):
        raise ValueError(f"discriminator_norm must be batch, spectral or none, not {discriminator_norm!r}")
    count, base = halvings(image_size)
    widths = [width * 2**stage for stage in range(count)]
    reductions = [2 ** (stage + 1) for stage in range(count)]
    back = widths[::-1]
    generator = [
        _projection(latent_size, back[0], base, classes),
        *(_doubling(before, after, classes) for before, after in zip(back, back[1:], strict=False)),
        Conditioned(nn.ConvTranspose2d(back[-1], channels, kernel_size=4, stride=2, padding=1), nn.Tanh()),
    ]
    trunk = [
        _halving(before, after, norm="none" if stage == 0 and discriminator_norm == "batch" else discriminator_norm)
        for stage, (before, after) in enumerate(zip([channels, *widths], widths, strict=False))
    ]
    pixels = widths[-1] * base * base
    model = GAN(
        Generator(generator),
        Discriminator(trunk, nn.Flatten(), pixels, reductions=reductions, classes=classes),
        widths=widths,
        reductions=reductions,
        latent_size=latent_size,
        classes=classes,
        pool_size=min(pool_size, base),
        num_classes=num_classes,
    )
    model.apply(_initialize)
    if discriminator_norm == "spectral":
        for module in model.discriminator.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                spectral_norm(module)
    return model


def _projection(inputs: int, width: int, base: int, classes: int) -> Conditioned:
    return Conditioned(
        nn.Linear(inputs, width * base * base, bias=False),
        nn.Unflatten(1, (width, base, base)),
        ClassNorm(width, classes),
        nn.ReLU(inplace=True),
    )


def _doubling(inputs: int, outputs: int, classes: int) -> Conditioned:
    return Conditioned(
        nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False),
        ClassNorm(outputs, classes),
        nn.ReLU(inplace=True),
    )


def _halving(inputs: int, outputs: int, *, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=norm != "batch"),
        nn.BatchNorm2d(outputs) if norm == "batch" else nn.Identity(),
        nn.LeakyReLU(0.2, inplace=True),
    )


def _initialize(module: nn.Module) -> None:
    if isinstance(module, Discriminator) and module.embedding is not None:
        nn.init.normal_(module.embedding.weight, std=0.02)
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, mean=1.0, std=0.02)
        nn.init.zeros_(module.bias)
