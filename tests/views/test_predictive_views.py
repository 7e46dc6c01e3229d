"""What the figures of chapter 06 show: rows and gaps, the diagonal and its ceilings, dots and chance."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.views.predictive import against_truth, probe_dots, sequences


def test_sequences_leave_a_gap_before_what_is_to_predict():
    figure = sequences(np.zeros((2, 5, 1, 8, 8), np.uint8), ["sad", "glad"], observed=3, synthetic=True)
    shown = [bool(ax.images) for ax in figure.axes]
    assert shown == [True, True, True, False, True, True] * 2
    titles = [ax.get_title("left") or ax.get_title() for ax in figure.axes[:6]]  # as the style has it
    assert titles == ["observed", "", "", "", "to predict", ""]
    assert [t.get_text() for ax in figure.axes for t in ax.texts] == ["sad", "glad"]
    assert any(t.get_gid() == "synthetic-note" for t in figure.texts)


def test_faces_stand_in_their_order():
    images = np.arange(4, dtype=np.uint8)[None, :, None, None, None] * np.ones((1, 4, 3, 2, 2), np.uint8)
    figure = sequences(images, ["row"], observed=1)
    values = [ax.images[0].get_array()[0, 0, 0] for ax in figure.axes if ax.images]
    assert values == [0, 1, 2, 3]


def _bounds():
    x = [0.0, 1.0, 4.0]
    frames = [
        pd.DataFrame(
            {"name": f"N = {n}", "candidates": n, "x": x, "y": [0.0, 0.9, 2.0], "low": 0.0, "high": 2.1}
        )
        for n in (8, 64)
    ]
    return pd.concat(frames)


def test_bounds_stand_against_diagonal_and_log_n():
    figure = against_truth({"optimal": _bounds(), "bilinear": _bounds()})
    for ax in figure.axes:
        diagonal = ax.lines[0]
        assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 4]
        ceilings = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"]
        assert ceilings == pytest.approx(np.log([8, 64]))
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["truth", "N = 8", "N = 64"]


def _probes():
    return pd.DataFrame(
        [
            {"encoder": e, "property": p, "score": 0.5, "low": 0.4, "high": 0.6, "chance": c}
            for e in ("CPC", "PK")
            for p, c in (("valence", 0.0), ("person", 0.1))
        ]
    )


def test_dots_of_an_encoder_and_chance():
    figure = probe_dots(_probes(), xlabel="r", synthetic=True)
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["valence", "person"]
    assert len(ax.containers) == 2
    points = ax.containers[0].lines[0]
    assert list(points.get_xdata()) == [0.5, 0.5]
    segments = [c.get_segments() for c in ax.collections if len(c.get_segments()) == 2]
    chance = [one[0][0] for one in segments[-1]]
    assert chance == [0.0, 0.1]


def test_refuses():
    with pytest.raises(
        ValueError, match=r"images must be \(R, T, C, H, W\).*got \(5, 1, 8, 8\), 1 titles and 3"
    ):
        sequences(np.zeros((5, 1, 8, 8)), ["a"], observed=3)
    with pytest.raises(ValueError, match=r"observed in \[1, T\).*and 2"):
        sequences(np.zeros((1, 2, 1, 8, 8)), ["a"], observed=2)
    with pytest.raises(ValueError, match="panels must be frames with"):
        against_truth({"optimal": _bounds().drop(columns="candidates")})
    with pytest.raises(ValueError, match=r"rows must have the columns \['chance'\]"):
        probe_dots(_probes().drop(columns="chance"))
    many = pd.concat([_probes().assign(encoder=str(k)) for k in range(8)])
    with pytest.raises(ValueError, match="rows must hold 7 encoders or fewer; got 8"):
        probe_dots(many)
