"""The network: MobileNetV3-style inverted residuals whose every operation INT8 likes (convolution, ReLU, add, resize).

Two shapes of one trunk: a grid at stride 8 for things on the floor (`GridNet`), one vector for a whole image or a row
of numbers (`ImageNet`, `RowNet`). Early layers are fused (one dense 3x3 instead of expand and depthwise): at full
resolution that is faster on a plain processor, in training and on the robot. Input is float NCHW in 0..1; the ONNX
wrapper does the rest.
"""

from collections.abc import Mapping

from torch import Tensor, nn


def _width(channels: float, multiplier: float) -> int:
    """A multiple of 8, never more than a tenth below what was asked."""
    wanted = channels * multiplier
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def _conv(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.05),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if act else nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; the input is added where shapes agree (MobileNetV2, figure 4)."""

    def __init__(self, inputs: int, outputs: int, expand: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expand
        self.body = nn.Sequential(
            _conv(inputs, inner),
            _conv(inner, inner, kernel, stride, groups=inner),
            _conv(inner, outputs, act=False),
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        moved: Tensor = self.body(features)
        return features + moved if self.adds else moved


class FusedResidual(nn.Module):
    """One dense 3x3, then project (EfficientNetV2's fused block)."""

    def __init__(self, inputs: int, outputs: int, expand: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(inputs, inputs * expand, 3, stride), _conv(inputs * expand, outputs, act=False))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        moved: Tensor = self.body(features)
        return features + moved if self.adds else moved


class Trunk(nn.Module):
    """(B, bands, H, W) -> features at stride 4, 8 and 16."""

    def __init__(self, bands: int, width: float) -> None:
        super().__init__()
        stem, quarter, eighth, sixteenth = (_width(channels, width) for channels in (16, 24, 48, 80))
        self.stem = _conv(bands, stem, 3, 2)
        self.quarter = _conv(stem, quarter, 3, 2)
        self.eighth = nn.Sequential(
            FusedResidual(quarter, eighth, 2, 2),
            FusedResidual(eighth, eighth, 2, 1),
            InvertedResidual(eighth, eighth, 3, 5, 1),
        )
        self.sixteenth = nn.Sequential(
            InvertedResidual(eighth, sixteenth, 4, 5, 2),
            InvertedResidual(sixteenth, sixteenth, 3, 5, 1),
            InvertedResidual(sixteenth, sixteenth, 3, 5, 1),
        )
        self.channels = (quarter, eighth, sixteenth)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quarter = self.quarter(self.stem(image))
        eighth = self.eighth(quarter)
        return quarter, eighth, self.sixteenth(eighth)


def _doubled(coarse: Tensor, fine: Tensor) -> Tensor:
    """Each cell as two by two, cut to the size of `fine`, which may have an odd number of cells."""
    doubled = nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    if doubled.shape[2:] == fine.shape[2:]:
        return doubled
    return doubled[:, :, : fine.shape[2], : fine.shape[3]]


class Surroundings(nn.Module):
    """What stands within half a picture of a place, (B, C, h, w) to the same: a floor's pattern goes on, a thing ends.

    At stride 32 a parameter costs a sixteenth of what it costs at 8, so this is where the model's size goes.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            InvertedResidual(channels, inner, 3, 5, 2),
            InvertedResidual(inner, inner, 2, 5, 1),
            _conv(inner, channels, act=False),
        )
        nn.init.zeros_(self.body[-1][1].weight)  # type: ignore[index]  # learnt upon what is without it

    def forward(self, features: Tensor) -> Tensor:
        return _doubled(self.body(features), features)


class GridNet(nn.Module):
    """Answers at every cell of stride 8: one map (B, channels, H/8, W/8) a head, H and W multiples of 8."""

    def __init__(self, bands: int, heads: Mapping[str, int], width: float = 1.0) -> None:
        super().__init__()
        self.trunk = Trunk(bands, width)
        _, eighth, sixteenth = self.trunk.channels
        self.lateral = _conv(eighth, sixteenth, act=False)
        self.down = _conv(sixteenth, sixteenth, act=False)
        self.surroundings = Surroundings(sixteenth, _width(96, width))
        self.neck = nn.Sequential(nn.ReLU(), InvertedResidual(sixteenth, sixteenth, 2, 3, 1))
        self.heads = nn.ModuleDict({name: nn.Conv2d(sixteenth, channels, 1) for name, channels in heads.items()})

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        _, eighth, sixteenth = self.trunk(image)
        coarse = self.down(sixteenth) + self.surroundings(sixteenth)
        coarse = _doubled(coarse, eighth)
        features = self.neck(self.lateral(eighth) + coarse)
        return {name: head(features) for name, head in self.heads.items()}
