"""Pictures of habits show each size of habits with its interval."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_lib.views import habits as drawings

FACES = SimpleNamespace(images=np.random.default_rng(0).integers(0, 255, (6, 3, 8, 8), dtype=np.uint8))


def test_habits_are_drawn_by_factor():
    rows = [("valence", "own", factor, 0.1 * factor, 0.0, 1.0) for factor in (2, 0, 1)]
    frame = pd.DataFrame(rows, columns=["dimension", "condition", "factor", "mean", "low", "high"])
    figure = drawings.habit_panels(frame, names={"own": "own labels"})
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[0, 0], [1, 0.1], [2, 0.2]])


def test_habit_faces_show_the_same_rows_of_each_set():
    other = SimpleNamespace(images=FACES.images[::-1])
    figure = drawings.habit_faces({"x 0": FACES, "x 4": other}, [5, 0], synthetic=True)
    shown = [ax.images[0].get_array() for ax in figure.axes]
    for picture, row in zip(shown, (5, 0, 0, 5), strict=True):
        np.testing.assert_array_equal(picture, FACES.images[row].transpose(1, 2, 0))
    assert [figure.axes[0].get_ylabel(), figure.axes[2].get_ylabel()] == ["x 0", "x 4"]


def test_own_gains_are_drawn_by_number_of_labels():
    rows = [("valence", share, factor, factor * share, 0.0, 9.0) for share in (0.5, 1.0) for factor in (2, 0)]
    frame = pd.DataFrame(rows, columns=["dimension", "share", "factor", "mean", "low", "high"])
    figure = drawings.own_gain_panels(frame, names={1.0: "all", 0.5: "half"}, synthetic=True)
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["all"], [[0, 0], [2, 2]])
    np.testing.assert_allclose(lines["half"], [[0, 0], [2, 1]])
    assert figure.legends[0].get_texts()[0].get_text() == "all"
    assert figure.axes[0].get_ylim()[1] == pytest.approx(9.45)
