"""MobileNet (Howard et al., 2017): depthwise and 1x1 convolutions in turn, without shortcuts.

`padding="behind"` is that of Keras Applications: "same" in the stem, and one row and column behind, whatever the size,
where a depthwise convolution strides.
"""

from torch import nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, rounded
from zoo_cnn.inverted_net import InvertedNet
from zoo_cnn.padding import Padding

TABLE = (
    (Row(1, 3, 1, 1, 64, False),),
    (Row(2, 3, 2, 1, 128, False),),
    (Row(2, 3, 2, 1, 256, False),),
    (Row(6, 3, 2, 1, 512, False),),
    (Row(2, 3, 2, 1, 1024, False),),
)


class MobileNetV1(InvertedNet):
    """The table; `width` scales its channels."""

    def __init__(
        self,
        *,
        width: float = 1.0,
        channels: int = 3,
        num_classes: int = 1000,
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
            plain=True,
        )
        self.num_features = scale(1024)
        self.assemble(TABLE, scale, style, channels=channels, drop_path_rate=0.0)
        self.reset_classifier(num_classes)
        initialize(self)
