"""Plots of chapter 02: what they draw is what they were given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from fer_lib.affect import divide_va
from fer_lib.metrics import ccc
from fer_lib.views import COLOURS
from fer_lib.views.agreement import agreement, bias_map
from fer_lib.views.divisions import va_divisions
from fer_lib.views.intervals import bands, coverage


def cloud(n=100):
    rng = np.random.default_rng(0)
    target = rng.uniform(-1, 1, n)
    return 0.5 * target + 0.2, target


def note_of(figure):
    return any(text.get_gid() == "synthetic-note" for text in figure.texts)


class TestAgreement:
    def test_a_panel_a_pair_with_its_scores_and_best_line(self):
        pred, target = cloud()
        figure = agreement({"first": (pred, target), "second": (target, target)}, synthetic=True)
        first, second = figure.axes
        assert first.get_title(loc="left").startswith(f"first\nCCC {ccc(pred, target):.2f}, r 1.00\nRMSE ")
        assert "CCC 1.00" in second.get_title(loc="left")
        diagonal, best = first.lines
        assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
        assert np.polyfit(best.get_xdata(), best.get_ydata(), 1) == pytest.approx([0.5, 0.2])
        assert np.array_equal(first.collections[0].get_offsets(), np.stack([target, pred], 1))
        assert note_of(figure)

    def test_axes_reach_all_points_and_are_equal(self):
        pred, target = cloud()
        figure = agreement({"far": (3 * pred, target)})
        assert figure.axes[0].get_xlim()[1] >= 3 * np.abs(pred).max()
        assert figure.axes[0].get_xlim() == figure.axes[0].get_ylim()
        assert not note_of(figure)

    def test_a_constant_target_has_no_best_line(self):
        assert len(agreement({"still": ([0.1, 0.2], [0.5, 0.5])}).axes[0].lines) == 1

    def test_unused_panels_are_empty(self):
        pair = cloud()
        figure = agreement({str(i): pair for i in range(5)}, columns=4)
        assert [ax.axison for ax in figure.axes] == [True] * 5 + [False] * 3

    def test_refuses_nothing(self):
        with pytest.raises(ValueError, match="pairs must hold at least one; got none"):
            agreement({})


def test_bias_map_marks_each_predictor_where_it_lies():
    ax = bias_map({"timid": (0.2, 0.0), "far": (4.0, 1.0)}).axes[0]
    assert [(float(p.get_xdata()[0]), float(p.get_ydata()[0])) for p in ax.lines] == [(0.2, 0.0), (4.0, 1.0)]
    assert [text.get_text() for text in ax.texts] == ["timid", "far"]
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] < 0.2


class TestBands:
    frame = pd.DataFrame(
        {
            "name": ["a", "a", "b", "b"],
            "x": [1, 10, 1, 10],
            "y": [0.1, 0.2, 0.3, 0.4],
            "low": 0.0,
            "high": 0.5,
        }
    )

    def test_a_curve_a_name_with_its_band(self):
        figure = bands({"t": self.frame, "u": self.frame.drop(columns=["low", "high"])},
                       xlabels=["x", "x"], ylabels=["y", "y"], references=[0.25, None])  # fmt: skip
        left, right = figure.axes
        assert [list(line.get_ydata()) for line in left.lines] == [[0.1, 0.2], [0.3, 0.4], [0.25, 0.25]]
        assert (len(left.collections), len(right.collections)) == (2, 0)
        assert [t.get_text() for t in left.get_legend().get_texts()] == ["a", "b"]
        assert right.get_legend() is None  # the same names once

    def test_other_names_get_their_own_legend(self):
        other = self.frame.assign(name=["a", "a", "c", "c"])
        figure = bands({"t": self.frame, "u": other}, xlabels=["", ""], ylabels=["", ""])
        assert [t.get_text() for t in figure.axes[1].get_legend().get_texts()] == ["a", "c"]

    def test_curves_differ_in_dashes_as_well_as_colour(self):
        lines = bands({"t": self.frame}, xlabels=[""], ylabels=[""]).axes[0].lines
        assert lines[0].get_linestyle() != lines[1].get_linestyle()
        assert lines[0].get_color() != lines[1].get_color()

    def test_refusals(self):
        with pytest.raises(ValueError, match="labels must be one a panel, 1; got 2 and 1"):
            bands({"t": self.frame}, xlabels=["a", "b"], ylabels=["y"])
        with pytest.raises(ValueError, match=r"frames must have name, x and y; got .* in 't'"):
            bands({"t": self.frame.drop(columns="x")}, xlabels=["a"], ylabels=["y"])


def test_coverage_counts_and_colours_the_misses():
    frame = pd.DataFrame({"low": [0.1, 0.5, 0.6, 0.4], "high": [0.2, 0.6, 0.9, 0.7]})
    ax = coverage({"by rows": frame}, truth=0.55, xlabel="CCC").axes[0]
    assert ax.get_title(loc="left") == "by rows: 50% hold the truth"
    hits, misses = ax.collections
    assert (len(hits.get_segments()), len(misses.get_segments())) == (2, 2)
    assert to_hex(misses.get_color()[0]) == COLOURS["red"].lower()
    assert {tuple(seg[:, 0]) for seg in misses.get_segments()} == {(0.1, 0.2), (0.6, 0.9)}


class TestDivisions:
    valence, arousal = np.array([[0.5, 0.5, -0.5, 0.05], [0.5, 0.4, -0.5, 0.0]])

    def test_shares_of_each_part(self):
        figure = va_divisions(self.valence, self.arousal, divisions=(4,), neutral_radius=0.1, synthetic=True)
        texts = [t.get_text() for t in figure.axes[0].texts]
        assert texts == ["0\n50%", "1\n0%", "2\n25%", "3\n0%"]
        assert note_of(figure)

    def test_the_drawn_edges_are_those_of_the_division(self):
        for parts in (2, 4, 8, 12):
            for edge in va_divisions([0.5], [0.5], divisions=(parts,)).axes[0].lines:
                direction = np.arctan2(edge.get_ydata()[1], edge.get_xdata()[1])
                sides = [direction - 0.01, direction + 0.01]
                below, above = divide_va(0.5 * np.cos(sides), 0.5 * np.sin(sides), parts)
                assert (below + 1) % parts == above

    def test_neighbours_differ_in_colour_and_the_disc_is_grey(self):
        angle = np.deg2rad(np.arange(15, 360, 30))
        v, a = np.append(0.5 * np.cos(angle), 0.01), np.append(0.5 * np.sin(angle), 0.01)
        ax = va_divisions(v, a, divisions=(12,), neutral_radius=0.1).axes[0]
        colours = [to_hex(c) for c in ax.collections[0].get_facecolors()]
        assert all(colours[k] != colours[(k + 1) % 12] for k in range(12))
        assert colours[12] == COLOURS["grey"].lower()
