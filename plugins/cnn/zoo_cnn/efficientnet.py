"""EfficientNet (Tan and Le, 2019): a searched table of inverted residual blocks, scaled in width and depth together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

import zoo
from zoo_cnn.inverted import Row, Style, initialize, make_stages, outputs_of, rates_of, rounded
from zoo_cnn.padding import Padding, convolution
from zoo_cnn.staged import Staged

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


class EfficientNet(Staged):
    """The table of B0; `width` scales its channels, `depth` how often its blocks are repeated."""

    classifier_name = "classifier"

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
        stem = scale(32)
        self.num_features = scale(1280)
        style = replace(_STYLE, norm_eps=norm_eps, padding=padding)
        self.conv_stem = convolution(channels, stem, 3, 2, padding)
        self.bn1 = style.norm(stem)
        self.act1 = nn.SiLU(inplace=True)
        rates = rates_of(table, drop_path_rate)
        self.blocks = make_stages(table, stem, scale, rates, style)
        self.conv_head = nn.Conv2d(scale(table[-1][-1].width), self.num_features, kernel_size=1, bias=False)
        self.bn2 = style.norm(self.num_features)
        self.act2 = nn.SiLU(inplace=True)
        self.outputs = outputs_of(stem, table, scale)
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
