"""The vector-quantised autoencoder (van den Oord et al., 2017): each place of the code is an entry of a codebook.

Differs from the textbook: encoder and decoder are those of `conv_autoencoder`. The codebook is a buffer: its entries
follow what is assigned to them, by a recipe, and get no gradients.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_autoencoder.convolutional import Convolution, Convolutional, Decoder, Encoder, map_shape, stages_of
from zoo_autoencoder.staged import grid_of, height_and_width


class VectorQuantizedAutoencoder(Convolutional):
    """Encode pictures as a map of entries, of `code_size` numbers each, of a codebook of `codebook_size`."""

    codebook: Tensor

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        widths: list[int] | None = None,
        code_size: int = 64,
        codebook_size: int = 512,
        pool_size: int = 4,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        widths = widths or [64, 128]
        self.image_size = height_and_width(image_size)
        zoo.check_sizes(image_size=list(self.image_size), channels=channels, widths=widths)
        zoo.check_sizes(code_size=code_size, codebook_size=codebook_size, pool_size=pool_size)
        self.map_shape = (code_size, *map_shape(self.image_size, widths)[1:])
        self.encoder = Encoder(channels, widths)
        self.code = nn.Conv2d(widths[-1], code_size, kernel_size=1)
        self.register_buffer("codebook", torch.randn(codebook_size, code_size))
        self.decoder = Decoder(Convolution(code_size, widths[-1]), channels, widths)
        self.grid = grid_of(self.map_shape, pool_size)
        self.num_features = widths[-1] * math.prod(self.grid)
        self.feature_info = stages_of(widths)
        self.reset_classifier(num_classes)

    def to_codes(self, images: Tensor) -> Tensor:
        """Return the map (batch, code_size, height, width) before it is quantised."""
        code: Tensor = self.code(self.forward_features(images))
        return code

    def indices(self, codes: Tensor) -> Tensor:
        """Return which entry is nearest to each place of a map, (batch, height, width)."""
        rows = codes.detach().movedim(1, -1).float()
        codebook = self.codebook.float()
        return (codebook.square().sum(1) - 2 * rows @ codebook.T).argmin(-1)

    def entries(self, indices: Tensor) -> Tensor:
        """Return the entries of the codebook as a map."""
        return F.embedding(indices, self.codebook).movedim(-1, 1)

    def encode(self, images: Tensor) -> Tensor:
        codes = self.to_codes(images)
        return straight_through(codes, self.entries(self.indices(codes)))

    def embed(self, images: Tensor) -> Tensor:
        return self.encode(images).flatten(1)


def straight_through(codes: Tensor, entries: Tensor) -> Tensor:
    """Return the entries, whose gradients go to the codes as they are (Bengio et al., 2013)."""
    return codes + (entries - codes).detach()
