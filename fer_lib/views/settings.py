"""Settings of adaptation side by side: scores, and what they cost (chapter 08)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from fer_lib.views.style import COLOURS, INK, new_figure, round_ticks, synthetic_note

_MARKS = ("o", "s", "^", "D", "v", "P")
_ORDER = ("blue", "orange", "green", "red", "purple", "sky")


def settings_panels(
    summary: pd.DataFrame,
    *,
    settings: Sequence[str],
    names: Mapping[str, str],
    columns: int = 3,
    synthetic: bool = False,
) -> Figure:
    """A panel a corpus: every encoder's score in every setting, with its interval; a dash where none was run.

    Args:
        summary: panel, metric, encoder, setting, mean, low, high; NaN where nothing was run. Very long
            intervals are cut off by the panel.
        settings: in the order of the axis.
        names: encoder to what it is called, in the order of the legend.
        columns: panels in a row.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: the summary is empty.
    """
    panels = list(dict.fromkeys(summary["panel"]))
    if not panels:
        raise ValueError("summary must hold at least one panel; got none. Run a cell of the grid.")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(rows, columns, height=0.35 + 2.0 * rows, sharex=True)
    metrics = summary.drop_duplicates("panel").set_index("panel")["metric"]
    for ax, panel in zip(axes, panels, strict=False):
        part = summary[summary["panel"] == panel]
        for k, encoder in enumerate(names):
            _one_encoder(ax, part[part["encoder"] == encoder], settings, k, len(names), names[encoder])
        ax.set_title(panel, fontsize=9.5)
        ax.set_ylabel(
            {"ccc_arousal": "CCC", "ccc_valence": "CCC", "macro_f1": "F1"}.get(metrics[panel], metrics[panel])
        )
        ax.set_xlim(-0.5, len(settings) - 0.5)
        _room(ax, part)
    for k, ax in enumerate(axes):
        if k >= len(panels):
            ax.set_axis_off()
        ax.set_xticks(range(len(settings)), settings, rotation=35, ha="right", fontsize=8)
        ax.tick_params(labelbottom=k + columns >= len(panels))
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(names))
    return synthetic_note(figure) if synthetic else figure


def _room(ax, part: pd.DataFrame) -> None:
    """Room for the means; of intervals over few seeds only as much as leaves the means apart."""
    low, high = float(part["mean"].min()), float(part["mean"].max())
    if np.isfinite(low):
        more = max(0.12, 0.6 * (high - low))
        ends = (np.nanmin([low, part["low"].min()]), np.nanmax([high, part["high"].max()]))
        ax.set_ylim(max(ends[0], low - more) - 0.04, min(ends[1], high + more) + 0.04)


def _one_encoder(ax, part: pd.DataFrame, settings: Sequence[str], k: int, of: int, name: str) -> None:
    part = part.set_index("setting").reindex(settings)
    at = np.arange(len(settings)) + (k - (of - 1) / 2) * 0.24
    colour = COLOURS[_ORDER[k]]
    spread = [(part["mean"] - part["low"]).fillna(0), (part["high"] - part["mean"]).fillna(0)]
    ax.errorbar(
        at, part["mean"], yerr=spread, fmt=_MARKS[k], color=colour, ecolor=colour, capsize=2, markersize=4.5,
        elinewidth=1.2, label=name,
    )  # fmt: skip
    for place in at[part["mean"].isna()]:  # at the foot of the panel
        ax.text(place, 0.01, "–", ha="center", color=colour, transform=ax.get_xaxis_transform())


def effort_panels(
    frame: pd.DataFrame, *, names: Mapping[str, str], settings: Sequence[str], synthetic: bool = False
) -> Figure:
    """Score against effort: left the numbers that learn, right the seconds; one mark a setting and encoder.

    Args:
        frame: encoder, setting, trained, seconds, score.
        names: encoder to what it is called.
        settings: each has a colour, in this order.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 2, height=3.4, sharey=True)
    for ax, column, label in zip(
        axes, ("trained", "seconds"), ("numbers that learn", "seconds a training"), strict=True
    ):
        for j, setting in enumerate(settings):
            for k, encoder in enumerate(names):
                part = frame[(frame["setting"] == setting) & (frame["encoder"] == encoder)]
                ax.plot(
                    part[column], part["score"], _MARKS[k], color=COLOURS[_ORDER[j]], markersize=8,
                    markeredgecolor=INK, markeredgewidth=0.5,
                )  # fmt: skip
        ax.set(xscale="log", xlabel=label)
        ticks = round_ticks(frame[column].min() / 1.5, frame[column].max() * 1.5)
        ax.set_xticks(ticks, [EngFormatter(sep="")(tick) if tick >= 1 else f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
    axes[0].set_ylabel("score, as a share of All layers")
    for ax in axes:
        ax.axhline(1, color=INK, linewidth=1)
    blank: dict[str, Any] = {"linestyle": "", "markersize": 7}
    for j, setting in enumerate(settings):
        axes[0].plot([], [], "o", color=COLOURS[_ORDER[j]], label=setting, **blank)
    for k, name in enumerate(names.values()):
        axes[0].plot([], [], _MARKS[k], color=COLOURS["grey"], label=name, **blank)
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts) // 2 + 1)
    return synthetic_note(figure) if synthetic else figure
