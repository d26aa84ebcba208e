"""The textbook GAN (Goodfellow et al., 2014): latents -> hidden ReLU -> pixels tanh, pixels -> hidden -> one score.

Differs from the textbook: leaky ReLU in place of maxout; the score is a logit, to which recipes add the sigmoid.
"""

import math

from torch import nn

import zoo
from zoo_gan.conditional import Conditioned
from zoo_gan.network import GAN, Discriminator, Generator


def dense_gan(
    *,
    image_size: int | list[int] = 28,
    channels: int = 1,
    latent_size: int = 100,
    hidden_size: int = 128,
    classes: int = 0,
    num_classes: int = 0,
) -> GAN:
    """Return a GAN of two linear layers each; with `classes` it is conditional on them."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    zoo.check_sizes(height=height, width=width, channels=channels, latent_size=latent_size, hidden_size=hidden_size)
    shape = (channels, height, width)
    pixels = math.prod(shape)
    inputs = latent_size * (2 if classes else 1)
    generator = [
        Conditioned(nn.Linear(inputs, hidden_size), nn.ReLU()),
        Conditioned(nn.Linear(hidden_size, pixels), nn.Unflatten(1, shape), nn.Tanh()),
    ]
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, hidden_size), nn.Unflatten(1, (hidden_size, 1, 1)), nn.LeakyReLU(0.2)
    )
    return GAN(
        Generator(generator, embedding=nn.Embedding(classes, latent_size) if classes else None),
        Discriminator([trunk], nn.Flatten(), hidden_size, reductions=[1], classes=classes),
        widths=[hidden_size],
        reductions=[max(height, width)],
        latent_size=latent_size,
        classes=classes,
        pool_size=1,
        num_classes=num_classes,
    )
