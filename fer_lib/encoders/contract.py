"""What every encoder promises, so that each plug-in, regime and chapter takes each encoder.

An encoder is two parts in a row: the ``trunk`` and the ``last_conv``. Face-STN reads the map behind both;
CIAO puts a twin beside the last convolution and therefore needs what goes into it.
"""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

PARTS = ("trunk", "last_conv")


@dataclass(frozen=True)
class InputSpec:
    """The images that an encoder takes.

    Args:
        size: height and width, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        low: value of a black pixel.
        high: value of a white pixel.
    """

    size: int
    channels: int
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel; got {self.size}. Give the side of the image.")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; got {self.channels}. Choose grey or colour.")
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got {self.low} and {self.high}. Swap the two.")


class LastConv(nn.Module):
    """The last convolution of an encoder and what follows it: ``forward(x) = finish(units(x))``.

    Args:
        units: the last convolution with its activation, (B, C', h', w') to (B, C, h', w'). A plug-in such as
            CIAO copies it, and divides by the copy's answer before ``finish``.
        finish: pooling and dropout behind it, (B, C, h', w') to (B, C, h, w); None for none.
    """

    def __init__(self, units: nn.Module, finish: nn.Module | None = None) -> None:
        super().__init__()
        self.units = units
        self.finish = nn.Identity() if finish is None else finish

    def forward(self, features: Tensor) -> Tensor:
        return self.finish(self.units(features))


class Encoder(nn.Module):
    """Base of all encoders: images (B, channels, size, size) to a feature map (B, C, h, w).

    For every encoder ``forward(x) == last_conv(trunk(x))``. A frozen part gets no gradient AND keeps its
    BatchNorm and dropout in evaluation mode, whatever ``train()`` says: otherwise the running statistics of
    a "frozen" encoder would drift towards the new faces.

    Args:
        trunk: everything before the last convolution.
        last_conv: the last convolution.
        input_spec: the images that it takes.
        feature_shape: (C, h, w) of the map that it gives.
        options: what it was built with, as plain JSON values; names a trained encoder on disk.
    """

    def __init__(
        self,
        trunk: nn.Module,
        last_conv: LastConv,
        *,
        input_spec: InputSpec,
        feature_shape: tuple[int, int, int],
        options: dict,
    ) -> None:
        super().__init__()
        self.trunk, self.last_conv = trunk, last_conv
        self.input_spec, self.feature_shape, self.options = input_spec, feature_shape, options
        self.frozen_parts: frozenset[str] = frozenset()

    def forward(self, images: Tensor) -> Tensor:
        """Map images to features; see the class for the shapes.

        Raises:
            ValueError: the images have another shape or are not floating-point.
        """
        return self.last_conv(self.trunk(self.check(images)))

    def check(self, images: Tensor) -> Tensor:
        """Give the images back, or refuse them.

        Raises:
            ValueError: the images have another shape or are not floating-point.
        """
        spec = self.input_spec
        want = (spec.channels, spec.size, spec.size)
        if images.ndim != 4 or tuple(images.shape[1:]) != want or not images.is_floating_point():
            raise ValueError(
                f"images must be floating-point of shape (B, {', '.join(map(str, want))}); got "
                f"{images.dtype} {tuple(images.shape)}. Call prepare(images, encoder.input_spec) first."
            )
        return images

    @property
    def num_parameters(self) -> int:
        """Number of trainable numbers in the encoder, frozen or not."""
        return count_parameters(self)

    def freeze(self, *parts: str) -> Self:
        """Freeze the named parts ("trunk", "last_conv"), or all of it when none is named.

        Raises:
            ValueError: a part of another name.
        """
        return self._freeze(parts or PARTS, frozen=True)

    def unfreeze(self, *parts: str) -> Self:
        """Undo :meth:`freeze` for the named parts, or for all of them."""
        return self._freeze(parts or PARTS, frozen=False)

    def _freeze(self, parts: tuple[str, ...], *, frozen: bool) -> Self:
        for part in parts:
            if part not in PARTS:
                raise ValueError(
                    f"part must be one of {', '.join(PARTS)}; got {part!r}. Name those, or none."
                )
            getattr(self, part).requires_grad_(not frozen)
        named = frozenset(parts)
        self.frozen_parts = self.frozen_parts | named if frozen else self.frozen_parts - named
        return self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the parts that are not frozen; frozen ones stay in evaluation mode."""
        self.training = mode
        for name, part in self.named_children():
            wanted = mode and name not in self.frozen_parts
            if wanted or part.training:  # what is in evaluation already is not walked through at every epoch
                part.train(wanted)
        return self


def count_parameters(module: nn.Module, *, trainable: bool = False, statistics: bool = False) -> int:
    """Count the numbers that a module learns.

    Args:
        module: any module.
        trainable: leave out what is frozen (needs no gradient).
        statistics: count BatchNorm's running means and variances too, as Keras' "total params" does. They
            are estimated, not learned, but published counts often hold them.

    Returns:
        The count.

    Example:
        >>> count_parameters(nn.Linear(3, 2)), count_parameters(nn.BatchNorm2d(4), statistics=True)
        (8, 16)
    """
    learned = sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)
    if not statistics:
        return learned
    running = (
        name.endswith(("running_mean", "running_var")) * b.numel() for name, b in module.named_buffers()
    )
    return learned + sum(running)


def reset_convolutions(module: nn.Module, *, mode: Literal["fan_in", "fan_out"] = "fan_in") -> None:
    """Draw every convolution's weights for ReLU units (He et al., 2015) and set its biases to 0, in place.

    Args:
        module: with convolutions anywhere in it.
        mode: "fan_in" keeps the size of the answers, "fan_out" that of the gradients.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode=mode, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def describe(module: nn.Module) -> dict[str, list[int]]:
    """Name and shape of everything a module keeps: what a checkpoint must fit.

    Example:
        >>> describe(nn.Linear(3, 2))
        {'weight': [2, 3], 'bias': [2]}
    """
    return {name: list(torch.as_tensor(value).shape) for name, value in module.state_dict().items()}
