"""MobileNetV2 (Sandler et al., 2018): a table of inverted residual blocks with linear bottlenecks."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, make_stages, outputs_of, rates_of, rounded
from zoo_cnn.padding import Padding, convolution
from zoo_cnn.staged import Staged

TABLE = (
    (Row(1, 3, 1, 1, 16, False),),
    (Row(2, 3, 2, 6, 24, False),),
    (Row(3, 3, 2, 6, 32, False),),
    (Row(4, 3, 2, 6, 64, False),),
    (Row(3, 3, 1, 6, 96, False),),
    (Row(3, 3, 2, 6, 160, False),),
    (Row(1, 3, 1, 6, 320, False),),
)


class MobileNetV2(Staged):
    """The table; `width` scales its channels, and those of the features where it is above 1."""

    classifier_name = "classifier"

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
        stem = scale(32)
        self.num_features = rounded(1280 * max(width, 1.0))
        self.conv_stem = convolution(channels, stem, 3, 2, padding)
        self.bn1 = style.norm(stem)
        self.act1 = nn.ReLU6(inplace=True)
        self.blocks = make_stages(TABLE, stem, scale, rates_of(TABLE, drop_path_rate), style)
        self.conv_head = nn.Conv2d(scale(TABLE[-1][-1].width), self.num_features, kernel_size=1, bias=False)
        self.bn2 = style.norm(self.num_features)
        self.act2 = nn.ReLU6(inplace=True)
        self.outputs = outputs_of(stem, TABLE, scale)
        self.feature_info = [info for info, last in self.outputs if last]
        self.reset_classifier(num_classes)
        initialize(self)

    def start(self, x: Tensor) -> Tensor:
        features: Tensor = self.act1(self.bn1(self.conv_stem(x)))
        return features

    def finish(self, x: Tensor) -> Tensor:
        features: Tensor = self.act2(self.bn2(self.conv_head(x)))
        return features

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        stages = [(step, last) for step, (_, last) in zip([self.start, *self.blocks], self.outputs, strict=True)]
        return [*stages, (self.finish, False)]

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        fine = [(r"^blocks\.(\d+)\.(\d+)", None), (r"^conv_head|^bn2", (99999,))]
        return {"stem": r"^conv_stem|^bn1", "blocks": r"^blocks\.(\d+)" if coarse else fine}
