"""Pictures of sampling show the picks, people and intervals that they are given."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.sampling import gsx
from fer_lib.views import sampling as drawings

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [10.0, 0.0], [10.0, 1.0]])
FACES = SimpleNamespace(
    images=np.random.default_rng(0).integers(0, 255, (6, 3, 8, 8), dtype=np.uint8),
    targets=lambda: torch.linspace(-1, 1, 12).reshape(6, 2),
)
NAMES = {"random": "random", "gsx": "GSx"}


def note(figure):
    return "synthetic faces" in [text.get_text() for text in figure.texts]


def test_thick_line_leads_from_the_next_pick_to_its_nearest_labelled_point():
    picks = gsx(POINTS, 4).tolist()
    figure = drawings.farthest_first(POINTS, picks, steps=(1, 2, 3))
    for ax, step in zip(figure.axes, (1, 2, 3), strict=True):
        thick = [line for line in ax.lines if line.get_linewidth() == 2.4]
        assert len(thick) == 1
        ends = thick[0].get_xydata()
        np.testing.assert_allclose(ends[0], POINTS[picks[step]])
        far = np.linalg.norm(POINTS[picks[:step]] - ends[0], axis=1)
        assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(far.min())
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        lengths = [np.linalg.norm(np.diff(line.get_xydata(), axis=0)) for line in dashed]
        assert len(dashed) == len(POINTS) - step - 1
        assert max(lengths, default=0) <= far.min() + 1e-9  # the thick line is the longest


def test_too_few_picks_are_refused():
    with pytest.raises(ValueError, match="picks more than 6"):
        drawings.farthest_first(POINTS, [0, 1, 2])


def test_picked_faces_are_the_picks_in_their_order():
    figure = drawings.picked_faces(FACES, {"GSx": [4, 1], "random": [0, 5, 2]}, columns=3, synthetic=True)
    rows = [4, 1, None, 0, 5, 2]
    for ax, row in zip(figure.axes, rows, strict=True):
        if row is None:
            assert not ax.images
        else:
            np.testing.assert_array_equal(ax.images[0].get_array(), FACES.images[row].transpose(1, 2, 0))
            assert ax.get_title(loc="center") == "{:+.2f} {:+.2f}".format(*FACES.targets()[row].tolist())
    assert [figure.axes[0].get_ylabel(), figure.axes[3].get_ylabel()] == ["GSx", "random"]
    assert note(figure)
    with pytest.raises(ValueError, match="picks must name at least one strategy"):
        drawings.picked_faces(FACES, {})


def people(**columns):
    lines = [
        {"person": f"P{k}", "dimension": dimension, "condition": condition, "rmse": level + 0.01 * k}
        for dimension in ("valence", "arousal")
        for condition, level in (("mean", 0.3), ("100 %", 0.1))
        for k in range(4)
    ]
    return pd.DataFrame(lines).assign(**columns)


def test_condition_bars_show_every_person_and_the_published_value():
    names = {"mean": "constant", "100 %": "all"}
    figure = drawings.condition_bars(people(), names=names, published={("arousal", "100 %"): 0.42})
    first, second = figure.axes
    assert [bar.get_height() for bar in first.patches] == pytest.approx([0.315, 0.115])
    dots = [line for line in second.lines if line.get_marker() == "o"]
    assert [len(line.get_ydata()) for line in dots] == [4, 4]
    diamonds = [line for line in second.lines if line.get_marker() == "D"]
    assert [line.get_ydata()[0] for line in diamonds] == [0.42]
    assert [text.get_text() for text in first.get_xticklabels()] == ["constant", "all"]
    assert first.get_ylim()[0] == 0
    assert first.get_ylim()[1] > 0.42


def test_curves_stand_in_per_cent_with_elbow_and_levels():
    lines = [
        (dimension, strategy, share, 0.2 - share / 10, 0.1, 0.3)
        for dimension in ("valence", "arousal")
        for strategy in NAMES
        for share in (0.5, 0.1)  # not in order
    ]
    curves = pd.DataFrame(lines, columns=["dimension", "strategy", "share", "mean", "low", "high"])
    figure = drawings.sampling_curves(
        curves, names=NAMES, references={"valence": {"all": 0.11}},
        elbows={"valence": 0.3, "arousal": np.nan}, synthetic=True,
    )  # fmt: skip
    first, second = figure.axes
    assert first.lines[0].get_xdata().tolist() == [10, 50]
    assert [line.get_ydata()[0] for line in first.lines if line.get_label() == "all"] == [0.11]
    assert [line.get_xdata()[0] for line in first.lines if len(set(line.get_xdata())) == 1] == [30]
    assert len(second.lines) == len(NAMES)
    assert note(figure)


def test_gains_stand_over_what_could_have_been_seen():
    found = pd.DataFrame(
        [(folding, "valence", "gsx", 0.01, 0.0, 0.02, 0.015) for folding in ("frames", "clips")],
        columns=["folding", "dimension", "strategy", "gain", "low", "high", "smallest"],
    )
    figure = drawings.gain_panels(found, names={"gsx": "GSx"}, titles={"frames": "a", "clips": "b"})
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["valence, a", "valence, b"]
    bar = figure.axes[0].patches[0]
    assert (bar.get_x(), bar.get_width()) == pytest.approx((-0.015, 0.03))
    assert figure.axes[0].lines[0].get_xdata().tolist() == [0.01]


def test_intervals_over_people_stand_at_their_points():
    lines = [("valence", name, 0.3, 0.2, 0.15, 0.26) for name in NAMES]
    frame = pd.DataFrame(lines, columns=["dimension", "strategy", "share", "mean", "low", "high"])
    ax = drawings.sampling_curves(frame, names=NAMES).axes[0]
    bars = [one for one in ax.collections if len(one.get_paths()) == 1 and one.get_alpha() == 0.6]
    assert [bar.get_paths()[0].vertices[:, 1].tolist() for bar in bars] == [pytest.approx([0.15, 0.26])]


def test_sittings_end_full_where_the_advice_was_to_stop():
    sittings = [
        {"sizes": [0, 10], "errors": [0.3, 0.2 + k / 5], "advice": SimpleNamespace(stop=k == 0)}
        for k in (0, 1)
    ]
    figure = drawings.sitting_curves(sittings, synthetic=True)
    ax = figure.axes[0]
    ends = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_ydata()[0] for line in ends] == pytest.approx([-0.1, 0.1])
    assert [line.get_markerfacecolor() == "white" for line in ends] == [False, True]
    assert note(figure)
