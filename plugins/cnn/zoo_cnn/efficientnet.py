"""EfficientNet (Tan and Le, 2019): a searched table of inverted residual blocks, scaled in width and depth together."""

import math
from dataclasses import replace

from torch import nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, rounded
from zoo_cnn.inverted_net import InvertedNet
from zoo_cnn.padding import Padding

TABLE = (
    (Row(1, 3, 1, 1, 16, True),),
    (Row(2, 3, 2, 6, 24, True),),
    (Row(2, 5, 2, 6, 40, True),),
    (Row(3, 3, 2, 6, 80, True),),
    (Row(3, 5, 1, 6, 112, True),),
    (Row(4, 5, 2, 6, 192, True),),
    (Row(1, 3, 1, 6, 320, True),),
)
_STYLE = Style(
    activation=nn.SiLU,
    squeezed=lambda inputs, expanded: round(inputs / 4),
    squeeze_activation=nn.SiLU,
    gate=nn.Sigmoid,
)


class EfficientNet(InvertedNet):
    """The table of B0; `width` scales its channels, `depth` how often its blocks are repeated."""

    def __init__(
        self,
        *,
        width: float = 1.0,
        depth: float = 1.0,
        channels: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
        norm_eps: float = 1e-5,
        padding: Padding = "symmetric",
    ) -> None:
        super().__init__()
        zoo.check_sizes(channels=channels)
        if not (0 < width <= 8 and 0 < depth <= 8):
            raise ValueError(f"width and depth must be more than 0 and at most 8, not {width} and {depth}")

        def scale(channels: int) -> int:
            return rounded(channels * width)

        table = [[row._replace(repeats=math.ceil(row.repeats * depth)) for row in rows] for rows in TABLE]
        self.num_features = scale(1280)
        style = replace(_STYLE, norm_eps=norm_eps, padding=padding)
        self.assemble(table, scale, style, channels=channels, drop_path_rate=drop_path_rate)
        self.reset_classifier(num_classes)
        initialize(self)
