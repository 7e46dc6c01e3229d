import numpy as np
import pandas as pd
import pytest
from matplotlib import rcParams
from matplotlib.colors import to_rgb
from PIL import Image

from fer_lib import views


@pytest.fixture(autouse=True)
def style():
    with pytest.MonkeyPatch.context():
        saved = dict(rcParams)
        views.use_style()
        yield
        rcParams.update(saved)


def drawn(figure) -> np.ndarray:
    """Pixels of a figure, (H, W, 3)."""
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return np.asarray(Image.open(buffer).convert("RGB"))


def has_note(figure) -> bool:
    return any(text.get_gid() == "synthetic-note" for text in figure.texts)


def test_every_line_colour_stands_out_from_white():
    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    # WCAG asks for 3:1 for graphics; the palette's lighter hues serve for bars, which are large.
    contrast = {name: 1.05 / (luminance(colour) + 0.05) for name, colour in views.COLOURS.items()}
    assert all(contrast[name] >= 3 for name in ("blue", "green", "red", "black", "grey"))


def test_faces_shows_every_image_with_its_label_and_true_grey_levels():
    images = np.full((5, 1, 8, 8), 128, np.uint8)
    figure = views.faces(images, labels=list("abcde"), columns=3, synthetic=True)
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in shown] == list("abcde")
    assert has_note(figure)
    pixels = drawn(views.faces(images, columns=3))
    assert ((pixels == 128).all(-1)).mean() > 0.3, "grey 128 must stay 128, not be stretched"


@pytest.mark.parametrize("shape", [(8, 8), (0, 1, 8, 8), (2, 8, 8, 3)])
def test_faces_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"images must be \(N, 1 or 3, H, W\)"):
        views.faces(np.zeros(shape, np.uint8))


def test_faces_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match="labels must be one an image; got 1 for 2"):
        views.faces(np.zeros((2, 1, 4, 4)), labels=["a"])


def test_va_plane_counts_points_in_the_right_cell():
    figure = views.va_plane(np.array([0.95, 0.95, -0.95]), np.array([0.95, 0.95, 0.05]), density=True)
    counts = figure.axes[0].collections[0].get_array().filled(0).reshape(20, 20)  # rows are arousal
    assert counts[19, 19] == 2
    assert counts[10, 0] == 1
    assert not has_note(figure)


def test_va_plane_refuses_unequal_lengths():
    with pytest.raises(ValueError, match=r"valence and arousal must both be \(N,\)"):
        views.va_plane(np.zeros(3), np.zeros(2))


def test_bars_stand_beside_chance():
    frame = pd.DataFrame({"way": ["a", "b"], "mean": [1.0, 2.0], "low": [0.5, 1.5], "high": [1.5, 2.5]})
    plain, marked = (views.bars(frame, x="way", chance=chance).axes[0] for chance in (None, 0.7))
    heights = {tuple(line.get_ydata()) for line in marked.lines if line.get_linestyle() == "--"}
    assert heights == {(0.7, 0.7)}
    assert not any(line.get_linestyle() == "--" for line in plain.lines)


def test_bars_have_heights_intervals_and_published_marks():
    frame = pd.DataFrame(
        {
            "d": ["v", "v", "a"],
            "k": ["with", "without", "with"],
            "mean": [0.4, 0.3, 0.2],
            "low": [0.35, 0.2, np.nan],
        }
    ).assign(high=lambda f: 2 * f["mean"] - f["low"], paper=[0.46, np.nan, np.nan])
    figure = views.bars(frame, x="d", hue="k", published="paper")
    ax = figure.axes[0]
    heights = sorted(bar.get_height() for bar in ax.patches if np.isfinite(bar.get_height()))
    assert heights == [0.2, 0.3, 0.4]
    marks = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "D"])
    assert marks[np.isfinite(marks)].tolist() == [0.46]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["with", "without", "published"]


def test_learning_curves_draw_each_run_and_their_mean():
    history = pd.DataFrame({"epoch": [1, 2, 1, 2], "seed": [0, 0, 1, 1], "loss": [1.0, 0.5, 3.0, 1.5]})
    ax = views.learning_curves(history, metrics={"loss": "loss"}).axes[0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[1.0, 0.5], [3.0, 1.5], [2.0, 1.0]]
    with pytest.raises(ValueError, match=r"history must have the columns \['ccc'\]"):
        views.learning_curves(history, metrics={"ccc": "CCC"})


def test_the_note_covers_no_axis_label():
    figure, (ax,) = views.new_figure()
    ax.set_xlabel("a label")
    views.synthetic_note(figure)
    figure.canvas.draw()
    note = next(text for text in figure.texts if text.get_gid() == "synthetic-note").get_window_extent()
    assert not note.overlaps(ax.xaxis.label.get_window_extent())


def test_source_is_the_running_code_without_its_docstring():
    shown = views.source(views.synthetic_note).data
    assert shown.startswith("```python\ndef synthetic_note(")
    assert '"""' not in shown
    assert '"""' in views.source(views.synthetic_note, docstring=True).data
    with pytest.raises(TypeError, match="thing must have Python source; got 3"):
        views.source(3)
