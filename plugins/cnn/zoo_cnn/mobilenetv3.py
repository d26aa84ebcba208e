"""MobileNetV3 (Howard et al., 2019): a searched table of inverted residual blocks, hard activations.

Its last 1x1 convolution, to the features that the classifier sees, comes after pooling, where it is cheap.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, make_stages, outputs_of, pointwise, rates_of, rounded
from zoo_cnn.padding import Padding, convolution
from zoo_cnn.staged import Staged

_row = partial(Row, activation=nn.ReLU)

SMALL = (
    (_row(1, 3, 2, 1, 16, True),),
    (_row(1, 3, 2, 4.5, 24, False), _row(1, 3, 1, 3.67, 24, False)),
    (Row(1, 5, 2, 4, 40, True), Row(2, 5, 1, 6, 40, True)),
    (Row(2, 5, 1, 3, 48, True),),
    (Row(3, 5, 2, 6, 96, True),),
    (Row(1, 1, 1, 1, 576, False),),
)
LARGE = (
    (_row(1, 3, 1, 1, 16, False),),
    (_row(1, 3, 2, 4, 24, False), _row(1, 3, 1, 3, 24, False)),
    (_row(3, 5, 2, 3, 40, True),),
    (Row(1, 3, 2, 6, 80, False), Row(1, 3, 1, 2.5, 80, False), Row(2, 3, 1, 2.3, 80, False)),
    (Row(2, 3, 1, 6, 112, True),),
    (Row(3, 5, 2, 6, 160, True),),
    (Row(1, 1, 1, 1, 960, False),),
)
_TABLES = {"small": (SMALL, 1024), "large": (LARGE, 1280)}


class MobileNetV3(Staged):
    """The small or the large table; `width` scales its channels."""

    classifier_name = "classifier"

    def __init__(
        self,
        *,
        variant: Literal["small", "large"],
        width: float = 1.0,
        channels: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        padding: Padding = "symmetric",
    ) -> None:
        super().__init__()
        zoo.check_sizes(channels=channels)
        if not 0 < width <= 8:
            raise ValueError(f"width must be more than 0 and at most 8, not {width}")
        if not 0 < norm_momentum <= 1:
            raise ValueError(f"norm_momentum must be above 0 and at most 1, not {norm_momentum}")
        table, self.num_features = _TABLES[variant]

        def scale(channels: int) -> int:
            return rounded(channels * width)

        style = Style(
            activation=nn.Hardswish,
            squeezed=lambda inputs, expanded: rounded(expanded / 4),
            squeeze_activation=nn.ReLU,
            gate=nn.Hardsigmoid,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            padding=padding,
        )
        stem = 16 if width < 0.75 else rounded(16 * width)
        self.conv_stem = convolution(channels, stem, 3, 2, padding)
        self.bn1 = style.norm(stem)
        self.act1 = nn.Hardswish(inplace=True)
        rates = rates_of(table, drop_path_rate)
        self.blocks = make_stages(table, stem, scale, rates, style)
        self.conv_head = nn.Conv2d(scale(table[-1][-1].width), self.num_features, kernel_size=1)
        self.outputs = outputs_of(stem, table, scale)
        self.feature_info = [info for info, last in self.outputs if last]
        self.reset_classifier(num_classes)
        initialize(self)

    def start(self, x: Tensor) -> Tensor:
        features: Tensor = self.act1(self.bn1(self.conv_stem(x)))
        return features

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        return [(step, last) for step, (_, last) in zip([self.start, *self.blocks], self.outputs, strict=True)]

    def pool(self, x: Tensor) -> Tensor:
        return F.hardswish(pointwise(self.conv_head, x.mean((2, 3))))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^conv_stem|^bn1", "blocks": r"^blocks\.(\d+)" if coarse else r"^blocks\.(\d+)\.(\d+)"}
