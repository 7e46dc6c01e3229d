"""The look of every plot: colours that colour-blind readers tell apart, one size of text, a white ground."""

from cycler import cycler
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Okabe and Ito's palette, without its yellow, which is too faint for lines on white.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#1A1A1A",
    "grey": "#8A8A8A",
}
INK = "#1A1A1A"


def use_style() -> None:
    """Set matplotlib's defaults for the book; every chapter calls this once.

    The ground of figures is opaque white, so that the page's dark theme can dim the picture as a whole.
    Figures are drawn at 150 dots an inch, which stays sharp on high-density screens.
    """
    colours = [COLOURS[name] for name in ("blue", "orange", "green", "red", "purple", "sky", "black")]
    rcParams.update(
        {
            "axes.prop_cycle": cycler(color=colours),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.labelsize": 10,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#E4E4E4",
            "grid.linewidth": 0.8,
            "figure.dpi": 150,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "lines.linewidth": 1.8,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "image.cmap": "cividis",
        }
    )
    _show_figures_as_png()


def _show_figures_as_png() -> None:
    """Register the picture form of figures, which a kernel otherwise does only when pyplot is imported."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        from IPython.core.pylabtools import select_figure_formats

        select_figure_formats(shell, {"png"})


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.2, **axes_options
) -> tuple[Figure, list[Axes]]:
    """Make a figure that notebooks show once, as the cell's value and not a second time by pyplot.

    Args:
        rows: of panels.
        columns: of panels.
        width: of the figure in inches; the text column of the page is about 7 wide.
        height: of the figure in inches.
        **axes_options: passed to ``Figure.subplots``, such as ``sharey=True``.

    Returns:
        The figure and its axes, row by row.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **axes_options)
    return figure, list(axes.ravel())


def round_ticks(low: float, high: float) -> list[float]:
    """At most four round numbers of a logarithmic axis: 1, 2 and 5 times powers of ten, or the powers alone.

    Example:
        >>> round_ticks(0.3, 7), round_ticks(900, 2e6)
        ([0.5, 1.0, 2.0, 5.0], [1000.0, 10000.0, 100000.0, 1000000.0])
    """
    steps = [m * 10.0**e for e in range(-4, 10) for m in (1, 2, 5)]
    inside = [step for step in steps if low <= step <= high]
    return inside if len(inside) <= 4 else [step for step in inside if f"{step:e}"[0] == "1"]


def synthetic_note(figure: Figure, text: str = "synthetic faces") -> Figure:
    """Write into the figure's lower right corner that its data are synthetic; return the figure."""
    note = figure.text(
        0.995, 0.005, text, ha="right", va="bottom", fontsize=7.5, color="#5A5A5A", style="italic"
    )
    note.set_gid("synthetic-note")
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):  # keep a strip free for the note
        strip = 0.17 / figure.get_figheight()
        layout.set(rect=(0, strip, 1, 1 - strip))
    return figure
