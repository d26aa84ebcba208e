"""A residual GAN after SNGAN's (Miyato et al., 2018): residual blocks in both, spectral norm in the discriminator.

Differs from the paper: any size that is a power of two from 16 on, or 28; spectral norm can be left out, as penalties
on gradients ask for.
"""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import zoo
from zoo_gan.conditional import ClassNorm, Conditioned, LabelConditioned
from zoo_gan.network import GAN, Discriminator, Generator
from zoo_gan.sizes import halvings


def residual_gan(
    *,
    image_size: int = 32,
    channels: int = 3,
    latent_size: int = 128,
    width: int = 64,
    classes: int = 0,
    spectral_norm: bool = True,
    pool_size: int = 4,
    num_classes: int = 0,
) -> GAN:
    """Return a GAN of residual blocks `width` wide; with `classes` it is conditional on them."""
    zoo.check_sizes(channels=channels, latent_size=latent_size, width=width, pool_size=pool_size)
    count, base = halvings(image_size)
    generator = [
        Conditioned(
            nn.Linear(latent_size, width * base * base),
            nn.Unflatten(1, (width, base, base)),
            UpsampleBlock(width, classes),
        ),
        *(UpsampleBlock(width, classes) for _ in range(count - 1)),
        Conditioned(nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()),
    ]
    trunk = [
        First(channels, width),
        *(DownsampleBlock(width, halves=True) for _ in range(count - 1)),
        nn.Sequential(DownsampleBlock(width, halves=False), nn.ReLU()),
    ]
    reductions = [*(2 ** (stage + 1) for stage in range(count)), 2**count]
    model = GAN(
        Generator(generator),
        Discriminator(trunk, SumOfPixels(), width, reductions=reductions, classes=classes),
        widths=[width] * len(trunk),
        reductions=reductions,
        latent_size=latent_size,
        classes=classes,
        pool_size=min(pool_size, base),
        num_classes=num_classes,
    )
    model.apply(_initialize)
    if spectral_norm:
        for module in model.discriminator.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                parametrizations.spectral_norm(module)
    return model


class UpsampleBlock(LabelConditioned):
    """Two 3x3 convolutions at twice the size, beside what was enlarged. No biases: a batch norm would take them out."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm1 = ClassNorm(width, classes)
        self.conv1 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.norm2 = ClassNorm(width, classes)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(width, width, kernel_size=1, bias=False)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        residual = self.conv1(F.interpolate(self.norm1(x, labels).relu(), scale_factor=2.0, mode="nearest"))
        residual = self.conv2(self.norm2(residual, labels).relu())
        # a 1x1 convolution and enlarging by nearest pixels commute, and the small map is less work
        enlarged: Tensor = residual + F.interpolate(self.shortcut(x), scale_factor=2.0, mode="nearest")
        return enlarged


class First(nn.Module):
    """The discriminator's first block, which has no ReLU before its first convolution: pixels carry signs."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.shortcut = nn.Conv2d(channels, width, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        residual = F.avg_pool2d(self.conv2(self.conv1(x).relu()), 2)
        reduced: Tensor = residual + self.shortcut(F.avg_pool2d(x, 2))
        return reduced


class DownsampleBlock(nn.Module):
    """Two 3x3 convolutions behind ReLUs, beside a shortcut; both are averaged over 2x2 pixels where it halves."""

    def __init__(self, width: int, *, halves: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.shortcut = nn.Conv2d(width, width, kernel_size=1) if halves else nn.Identity()
        self.pool = nn.AvgPool2d(2) if halves else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv2(self.conv1(x.relu()).relu())
        reduced: Tensor = self.pool(residual) + self.shortcut(self.pool(x))
        return reduced


class SumOfPixels(nn.Module):
    """Add up a map's pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
