"""Face-STN: a spatial transformer that rearranges the map of a frozen encoder (chapter 08)."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.adapt.plugin import PlugIn
from fer_lib.encoders.contract import Encoder, LastConv

FEWEST, MOST = 8, 40  # filters
POOLED = 2  # side of what the dense layers read


class FaceSTN(PlugIn):
    r"""A small network looks at the feature map, chooses an affine map of the plane, and the features follow.

    **Localisation net.** Two 3 x 3 convolutions, an average over a grid of 2 x 2, two dense layers:
    :math:`\theta = L(F) \in \mathbb{R}^{2 \times 3}`. The last layer starts with weights 0 and the identity
    as its bias, so that nothing moves at first. It runs in full precision: in bfloat16 a zoom would go in
    steps of 1/128.

    **Grid generator and sampler.** The place :math:`(x, y)` of the answer takes its value from the place

    .. math:: (x^s, y^s)^\top = \theta \, (x, y, 1)^\top

    of the map: see :func:`affine_grid` and :func:`sample`. All channels move together.

    **What comes out.** The map and, behind it, the moved map, (2C, h, w): the decision layer reads both.

    Args:
        feature_shape: (C, h, w) of the encoder's map; one place, (C, 1, 1), has nothing to move but is taken.
        filters: of the first convolution, the second has four times as many; None asks
            :func:`filters_for`.
        hidden: units of the first dense layer.
        concat: False gives the moved map alone.

    Raises:
        ValueError: the encoder gives no map, or a size is below 1.

    Example:
        >>> plug = FaceSTN((256, 4, 4))
        >>> plug.feature_shape, sum(p.numel() for p in plug.parameters())
        ((512, 4, 4), 28535)

    Reference:
        Barros and Sciutti (2022), "Across the Universe", section III.D and Fig. 5; Jaderberg et al. (2015),
        "Spatial Transformer Networks". Chapter 08.
    """

    reads: ClassVar[str] = "map"

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        *,
        filters: int | None = None,
        hidden: int = 32,
        concat: bool = True,
    ) -> None:
        if len(feature_shape) != 3:
            raise ValueError(
                f"feature_shape must be that of a map, (C, h, w); got {tuple(feature_shape)}. "
                "Choose an encoder with maps, or no plug-in."
            )
        channels, height, width = feature_shape
        filters = filters_for((channels, height, width)) if filters is None else filters
        if min(filters, hidden, *feature_shape) < 1:
            raise ValueError(
                f"filters, hidden and feature_shape must be at least 1; got {filters}, {hidden} and "
                f"{tuple(feature_shape)}. Leave filters out for the usual number."
            )
        super().__init__((channels * (1 + concat), height, width))
        self.concat, self.map_shape = concat, (channels, height, width)
        last = nn.Linear(hidden, 6)
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))
        self.localisation = nn.Sequential(
            nn.Conv2d(channels, filters, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(filters, 4 * filters, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(POOLED),
            nn.Flatten(),
            nn.Linear(4 * filters * POOLED**2, hidden),
            nn.ReLU(),
            last,
        )

    def theta(self, features: Tensor) -> Tensor:
        """The affine map that the localisation net chooses for each face, (B, 2, 3).

        Raises:
            ValueError: the features have another shape than the plug-in was built for.
        """
        if tuple(features.shape[1:]) != self.map_shape:
            raise ValueError(
                f"features must be (B, {', '.join(map(str, self.map_shape))}); got {tuple(features.shape)}. "
                "Build the plug-in for this encoder."
            )
        with torch.autocast(features.device.type, enabled=False):
            return self.localisation(_full(features)).unflatten(1, (2, 3))

    def grid(self, features: Tensor) -> Tensor:
        """Where each place of the answer takes its value from, (B, h, w, 2) in x, y; see `affine_grid`."""
        return affine_grid(self.theta(features), *self.map_shape[1:])

    def moved(self, features: Tensor) -> Tensor:
        """The features (B, C, h, w), each taken from its place in :meth:`grid`."""
        return sample(_full(features), self.grid(features)).to(features.dtype)

    def forward(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> Tensor:
        """Give [map, moved map], (B, 2C, h, w), or the moved map alone."""
        moved = self.moved(features)
        return torch.cat([features, moved], dim=1) if self.concat else moved


class EarlierSTN(FaceSTN):
    """A Face-STN in front of the last convolution: it moves a larger map, and the convolution reads it moved.

    The paper tried every layer and chose the last; this one is for finding out what a larger map gives.

    Args:
        feature_shape: (C', h', w') of what goes into the last convolution.
        after: (C, h, w) of the encoder's map.
        **options: of :class:`FaceSTN`.
    """

    reads: ClassVar[str] = "trunk"

    def __init__(
        self, feature_shape: tuple[int, ...], *, after: tuple[int, int, int], **options: Any
    ) -> None:
        super().__init__(feature_shape, **options)
        self.feature_shape = (after[0] * (1 + self.concat), *after[1:])

    def forward(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> Tensor:
        """Give [map, map of the moved features], or the second alone; ``last_conv`` is needed."""
        if last_conv is None:
            raise ValueError("last_conv must be the encoder's; got None. A FaceModel hands it over.")
        moved = last_conv(self.moved(features))
        if not self.concat:
            return moved
        kept = last_conv(features) if units is None else last_conv.finish(units)
        return torch.cat([kept, moved], dim=1)


def _full(features: Tensor) -> Tensor:
    """Half precision as float32; everything else as it is."""
    return features.float() if features.dtype in (torch.bfloat16, torch.float16) else features


def affine_grid(theta: Tensor, height: int, width: int) -> Tensor:
    r"""The places that affine maps take values from.

    Coordinates run from -1 to 1 between the outer EDGES of the map (``align_corners=False``): the middle of
    column j of w lies at :math:`x_j = (2j + 1)/w - 1`, and one step to the right is 2/w. The edges of a map
    are those of the picture it was made of, so that the same numbers hold in both.

    Args:
        theta: (B, 2, 3); [[1, 0, 0], [0, 1, 0]] leaves all where it is.
        height, width: of the map.

    Returns:
        (B, height, width, 2): x, then y.

    Example:
        >>> theta = torch.tensor([[[1.0, 0, 0.5], [0, 1, 0]]])  # takes from half a map further right
        >>> affine_grid(theta, 1, 4)[0, 0, :, 0].tolist()
        [-0.25, 0.25, 0.75, 1.25]
    """
    options: dict[str, Any] = {"dtype": theta.dtype, "device": theta.device}
    x = (2 * torch.arange(width, **options) + 1) / width - 1
    y = (2 * torch.arange(height, **options) + 1) / height - 1
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    places = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1)  # (h, w, 3)
    with torch.autocast(theta.device.type, enabled=False):  # a place must be finer than 8 bits
        return torch.einsum("bik,hwk->bhwi", theta, places)


def sample(features: Tensor, grid: Tensor, *, beyond: str = "zeros") -> Tensor:
    r"""Read a map between its cells: the bilinear kernel over the four nearest.

    .. math:: V_c(x^s, y^s) = \sum_{n, m} F_c(n, m) \, \max(0, 1 - |u - m|) \, \max(0, 1 - |v - n|)

    with column :math:`u = ((x^s + 1) w - 1)/2` and row :math:`v = ((y^s + 1) h - 1)/2` counted in cells from
    0. Beyond the map, F is 0. The kernel has a slope in u and v, which is how :math:`\theta` learns; a face
    that is moved out of the map altogether has none.

    Args:
        features: (B, C, h, w).
        grid: (B, h', w', 2) as :func:`affine_grid` gives it.
        beyond: what lies outside: "zeros", or "border" for the nearest cell of the map.

    Returns:
        (B, C, h', w').
    """
    return F.grid_sample(features, grid, mode="bilinear", padding_mode=beyond, align_corners=False)


def filters_for(feature_shape: tuple[int, int, int], *, width: float = 1.0) -> int:
    """Filters of the first localisation convolution, by one rule for all encoders.

    The paper gives no sizes; its Table 4 prints the plug-in's share of the numbers, which comes to about
    22,000 on the FaceChannel, 95,000 on PK and 98,000 on CPC. CPC has the fewest channels and the largest
    plug-in, so no net of fixed filters can give all three. The rule ``36 (h w)**1.5 / C``, within 8 to 40,
    is a fit: many places ask for more filters, many channels make each filter dear. It gives 28,535, 85,205
    and 86,234.

    Args:
        feature_shape: (C, h, w) of the map.
        width: of the encoder, see ``fer_lib.encoders``: filters narrow along with it.

    Example:
        >>> filters_for((256, 4, 4)), filters_for((512, 6, 6)), filters_for((64, 4, 4))
        (9, 15, 36)
    """
    channels, height, across = feature_shape
    wanted = 36 * width**2 * (height * across) ** 1.5 / channels
    return min(MOST, max(FEWEST, round(wanted)))


def face_stn(encoder: Encoder, *, at: str = "map", **options: Any) -> FaceSTN:
    """Make a Face-STN for an encoder.

    Args:
        encoder: any encoder with a map.
        at: "map" behind the encoder, as in the paper, or "trunk" in front of its last convolution.
        **options: ``filters``, ``hidden`` and ``concat`` of :class:`FaceSTN`.

    Raises:
        ValueError: another place, or an encoder without a map.
    """
    if at not in ("map", "trunk"):
        raise ValueError(f"at must be 'map' or 'trunk'; got {at!r}. Choose one of the two.")
    shape = encoder.feature_shape if at == "map" else _trunk_shape(encoder)
    if len(shape) == 3:
        narrow = encoder.options.get("width", 1.0)
        options.setdefault("filters", filters_for(shape, width=narrow))
    if at == "map":
        return FaceSTN(shape, **options)
    return EarlierSTN(shape, after=encoder.feature_shape, **options)


@torch.no_grad()
def _trunk_shape(encoder: Encoder) -> tuple[int, ...]:
    """Shape of what the trunk gives, found by sending one blank picture through it."""
    spec, was_training = encoder.input_spec, encoder.training
    where = next(encoder.parameters())
    blank = torch.zeros(1, spec.channels, spec.size, spec.size, dtype=where.dtype, device=where.device)
    try:
        return tuple(encoder.eval().trunk(blank).shape[1:])
    finally:
        encoder.train(was_training)
