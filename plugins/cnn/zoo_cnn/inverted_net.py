"""What MobileNet, MobileNetV2 and EfficientNet share: stem, stages of blocks, and but for the first a last 1x1."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from zoo_cnn.inverted import Row, Style, make_stages, outputs_of, rates_of
from zoo_cnn.padding import convolution
from zoo_cnn.staged import Staged

_STEM = 32


class InvertedNet(Staged):
    """A subclass sets `num_features`, and calls `assemble` with its table."""

    classifier_name = "classifier"

    def assemble(
        self,
        table: Sequence[Sequence[Row]],
        scale: Callable[[int], int],
        style: Style,
        *,
        channels: int,
        drop_path_rate: float,
    ) -> None:
        """Make everything but the classifier; `scale` says how wide what a table calls so wide is."""
        stem = scale(_STEM)
        self.conv_stem = convolution(channels, stem, 3, 2, "same" if style.padding == "behind" else style.padding)
        self.bn1 = style.norm(stem)
        self.act1 = style.activation(inplace=True)
        self.blocks = make_stages(table, stem, scale, rates_of(table, drop_path_rate), style)
        if not style.plain:
            self.conv_head = nn.Conv2d(scale(table[-1][-1].width), self.num_features, kernel_size=1, bias=False)
            self.bn2 = style.norm(self.num_features)
            self.act2 = style.activation(inplace=True)
        self.outputs = outputs_of(stem, table, scale)
        self.feature_info = [info for info, last in self.outputs if last]

    def start(self, x: Tensor) -> Tensor:
        features: Tensor = self.act1(self.bn1(self.conv_stem(x)))
        return features

    def finish(self, x: Tensor) -> Tensor:
        features: Tensor = self.act2(self.bn2(self.conv_head(x)))
        return features

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        stages = [(step, last) for step, (_, last) in zip([self.start, *self.blocks], self.outputs, strict=True)]
        return [*stages, (self.finish, False)] if hasattr(self, "conv_head") else stages

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        fine = [(r"^blocks\.(\d+)\.(\d+)", None), (r"^conv_head|^bn2", (99999,))]
        return {"stem": r"^conv_stem|^bn1", "blocks": r"^blocks\.(\d+)" if coarse else fine}
