"""MobileNetV2 (Sandler et al., 2018): a table of inverted residual blocks with linear bottlenecks."""

from torch import nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, rounded
from zoo_cnn.inverted_net import InvertedNet
from zoo_cnn.padding import Padding

TABLE = (
    (Row(1, 3, 1, 1, 16, False),),
    (Row(2, 3, 2, 6, 24, False),),
    (Row(3, 3, 2, 6, 32, False),),
    (Row(4, 3, 2, 6, 64, False),),
    (Row(3, 3, 1, 6, 96, False),),
    (Row(3, 3, 2, 6, 160, False),),
    (Row(1, 3, 1, 6, 320, False),),
)


class MobileNetV2(InvertedNet):
    """The table; `width` scales its channels, and those of the features where it is above 1."""

    def __init__(
        self,
        *,
        width: float = 1.0,
        channels: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
        norm_eps: float = 1e-5,
        padding: Padding = "symmetric",
    ) -> None:
        super().__init__()
        zoo.check_sizes(channels=channels)
        if not 0 < width <= 8:
            raise ValueError(f"width must be more than 0 and at most 8, not {width}")

        def scale(channels: int) -> int:
            return rounded(channels * width)

        style = Style(
            activation=nn.ReLU6,
            squeezed=lambda inputs, expanded: 1,  # none is squeezed
            squeeze_activation=nn.ReLU,
            gate=nn.Sigmoid,
            norm_eps=norm_eps,
            padding=padding,
        )
        self.num_features = rounded(1280 * max(width, 1.0))
        self.assemble(TABLE, scale, style, channels=channels, drop_path_rate=drop_path_rate)
        self.reset_classifier(num_classes)
        initialize(self)
