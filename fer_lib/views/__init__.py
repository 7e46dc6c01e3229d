"""Plots of the book. Each function returns a finished ``matplotlib.figure.Figure``."""

from fer_lib.views.curves import bars, learning_curves
from fer_lib.views.faces import faces
from fer_lib.views.plane import va_plane
from fer_lib.views.source import source
from fer_lib.views.style import COLOURS, new_figure, synthetic_note, use_style

__all__ = [
    "COLOURS",
    "bars",
    "faces",
    "learning_curves",
    "new_figure",
    "source",
    "synthetic_note",
    "use_style",
    "va_plane",
]
