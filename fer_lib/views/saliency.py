"""Heat over faces, and bars of how much of it lies on each part of a face (chapters 08, 09)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

LUMA = (0.299, 0.587, 0.114)
HEAT = "inferno"  # dark to light: ordered without its colours, too
MIX = (0.25, 0.75)  # share of the colour in the mixture with the grey face, where there is no heat and most
_ORDER = ("blue", "orange", "green", "red", "purple", "sky", "grey")
_HATCHES = ("", "//", "..", "\\\\", "xx", "--", "++")


def saliency_panels(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    titles: Sequence[str] | None = None,
    regions: tuple[Sequence[str], np.ndarray] | None = None,
    label: str = "saliency, each map by its own maximum",
    synthetic: bool = False,
) -> Figure:
    """The faces in a row, and below them a row a setting: its maps laid over the same faces in grey.

    Args:
        images: (N, 1 or 3, H, W), uint8 or in [0, 1]; up to about 8.
        maps: setting to its maps (N, S, S) in [0, 1]; S may differ from H.
        titles: N strings, one over each face.
        regions: names and coverage (N, R, S', S') to outline in the first row; see
            ``fer_lib.worlds.region_masks``.
        label: of the colour bar.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no faces, or maps or titles that are not one a face.
    """
    images = np.asarray(images)
    counts = {name: len(part) for name, part in maps.items()}
    if titles is not None:
        counts["titles"] = len(titles)
    if images.ndim != 4 or not len(images) or not maps or set(counts.values()) != {len(images)}:
        raise ValueError(
            f"maps and titles must be one a face, {len(images)}, for images (N, C, H, W); got {counts} for "
            f"{images.shape}. Choose the same faces."
        )
    grey = _grey(images)
    longest = max(4, *(len(line) for name in maps for line in name.split("\n")))
    cell = (6.1 - 0.075 * longest) / len(images)  # inches; the rest of the width is the names' and the bar's
    height = (1 + len(maps)) * (cell + 0.05) + 0.25 + 0.25 * (regions is not None)
    figure, axes = new_figure(1 + len(maps), len(images), height=min(height, 9.5))
    table = np.array(axes).reshape(1 + len(maps), len(images))
    for k, ax in enumerate(table[0]):
        show_picture(ax, images[k])
        if titles is not None:
            ax.set_title(titles[k], fontsize=8, loc="center", pad=3)
        if regions is not None:
            _outline(ax, regions[1][k], images.shape[-1])
    if regions is not None:
        _name_outlines(figure, regions)
    for row, (name, part) in zip(table[1:], maps.items(), strict=True):
        for k, ax in enumerate(row):
            ax.imshow(_mixed(grey[k], np.asarray(part[k])))
        row[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center", labelpad=6)
    table[0, 0].set_ylabel("face", fontsize=9, rotation=0, ha="right", va="center", labelpad=6)
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set_visible(False)
    _bar(figure, axes, label)
    return synthetic_note(figure) if synthetic else figure


def _grey(images: np.ndarray) -> np.ndarray:
    """(N,C,H,W) -> (N,H,W) in [0,1]."""
    values = images.astype(float) / (255 if images.dtype == np.uint8 else 1)
    return values[:, 0] if values.shape[1] == 1 else np.tensordot(LUMA, values, axes=(0, 1))


def _mixed(grey: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Heat in the map's colours mixed into a grey picture, at the finer of the two resolutions."""
    if heat.shape != grey.shape:
        heat = _resized(heat, grey.shape)
    heat = heat.clip(0, 1)
    share = (MIX[0] + (MIX[1] - MIX[0]) * heat)[..., None]
    return share * colormaps[HEAT](heat)[..., :3] + (1 - share) * grey[..., None].clip(0, 1)


def _resized(heat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import torch
    from torch.nn import functional as F

    found = F.interpolate(
        torch.as_tensor(np.asarray(heat, dtype=np.float32))[None, None],
        (shape[0], shape[1]),
        mode="bilinear",
        align_corners=False,
    )
    return found[0, 0].numpy()


def _outline(ax: Axes, masks: np.ndarray, side: int) -> None:
    for k, mask in enumerate(masks):
        if mask.max() > 0.5:
            place = (np.arange(mask.shape[-1]) + 0.5) * side / mask.shape[-1] - 0.5
            ax.contour(place, place, mask, [0.5], colors=[COLOURS[_ORDER[k % len(_ORDER)]]], linewidths=1)


def _name_outlines(figure: Figure, regions: tuple[Sequence[str], np.ndarray]) -> None:
    shown = [k for k in range(len(regions[0])) if regions[1][:, k].max() > 0.5]
    lines = [Line2D([], [], color=COLOURS[_ORDER[k % len(_ORDER)]]) for k in shown]
    names = [regions[0][k] for k in shown]
    figure.legend(lines, names, loc="outside upper center", ncols=len(shown), fontsize=8)


def _bar(figure: Figure, axes: list[Axes], label: str) -> None:
    """The colours as they look over a face of middle grey."""
    mixed = _mixed(np.full((1, 256), 0.5), np.linspace(0, 1, 256)[None])[0]
    scale = ScalarMappable(Normalize(0, 1), ListedColormap(mixed))
    bar = figure.colorbar(scale, ax=axes, location="right", fraction=0.05, pad=0.02, aspect=30)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def share_bars(
    tables: Mapping[str, pd.DataFrame], *, density: bool = False, synthetic: bool = False
) -> Figure:
    """Bars a part of the face, one a setting, with the intervals of the shares.

    Args:
        tables: setting to a frame of ``fer_lib.saliency.share_intervals``: region, mean, low, high.
        density: show the shares divided by the regions' areas, with a line at 1, where a map that pays no
            heed to the face lies; else the shares themselves.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no tables, or one without such regions.
    """
    parts = {name: _part(table, density) for name, table in tables.items()}
    if not parts or any(part.empty for part in parts.values()):
        wanted = "regions_density" if density else "regions"
        raise ValueError(
            f"tables must hold {wanted} for one setting or more; got {list(tables)}. Call share_intervals."
        )
    regions = [
        name
        for name in dict.fromkeys(name for part in parts.values() for name in part.index)
        if any(part["mean"].get(name, 0) > 0 for part in parts.values())
    ]
    figure, (ax,) = new_figure(height=3.4)
    width = 0.82 / len(parts)
    for k, (name, part) in enumerate(parts.items()):
        part = part.reindex(regions)
        at = np.arange(len(regions)) + (k - (len(parts) - 1) / 2) * width
        ax.bar(
            at, part["mean"], width * 0.9, label=name, color=COLOURS[_ORDER[k % len(_ORDER)]],
            hatch=_HATCHES[k % len(_HATCHES)], edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        spread = np.abs(part[["low", "high"]].to_numpy(float).T - part["mean"].to_numpy(float))
        ax.errorbar(at, part["mean"], yerr=spread, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
    if density:
        ax.axhline(1, color=INK, linewidth=1, linestyle="--")
        ax.text(1.005, 1, "even", transform=ax.get_yaxis_transform(), fontsize=8, va="center")
    ax.set_xticks(range(len(regions)), regions)
    ax.set(ylabel="share ÷ share of the area" if density else "share of the saliency", ylim=(0, None))
    ax.grid(axis="x", visible=False)
    figure.legend(loc="outside upper center", ncols=min(4, len(parts)))
    return synthetic_note(figure) if synthetic else figure


def _part(table: pd.DataFrame, density: bool) -> pd.DataFrame:
    dense = table["region"].str.endswith("_density")
    part = table[dense if density else ~dense]
    return part.assign(region=part["region"].str.removesuffix("_density")).set_index("region")
