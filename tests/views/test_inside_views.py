"""Heat over faces, share bars, scatter panels and loss panels: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from fer_lib.views.embeddings import scatter_panels
from fer_lib.views.saliency import saliency_panels, share_bars
from fer_lib.views.style import COLOURS
from fer_lib.views.training import loss_panels


def pictures(figure):
    return [image.get_array() for ax in figure.axes for image in ax.images]


def notes(figure):
    return [text.get_text() for text in figure.texts]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)


def test_panels_hold_the_faces_and_their_heat(images):
    hot = np.zeros((3, 8, 8))
    hot[1, 2, 3] = 1
    figure = saliency_panels(
        images, {"before": np.zeros((3, 8, 8)), "after": hot}, titles=["a", "b", "c"], synthetic=True
    )
    shown = pictures(figure)
    assert len(shown) == 9
    np.testing.assert_array_equal(shown[1], images[1, 0])
    # no heat anywhere: the face, a quarter of it replaced by the darkest colour
    darkest = shown[3] - 0.75 * (images[0, 0] / 255)[..., None]
    np.testing.assert_allclose(darkest, np.broadcast_to(darkest[0, 0], darkest.shape), atol=1e-9)
    changed = np.abs(shown[7] - shown[4]).max(-1)
    assert changed[2, 3] > 0.3
    assert (np.delete(changed.ravel(), 2 * 8 + 3) == 0).all()
    assert notes(figure) == ["synthetic faces"]
    names = [ax.get_ylabel() for ax in figure.axes if ax.images and ax.get_ylabel()]
    assert names == ["face", "before", "after"]
    assert [ax.get_title(loc="center") for ax in figure.axes[:3]] == ["a", "b", "c"]
    figure.canvas.draw()


def test_brighter_means_hotter_without_colours(images):
    heat = np.linspace(0, 1, 64).reshape(1, 8, 8).repeat(3, 0)
    grey = np.full((3, 3, 8, 8), 0.5)
    shown = pictures(saliency_panels(grey, {"one": heat}))[3]
    luma = (shown * [0.299, 0.587, 0.114]).sum(-1).ravel()
    assert luma[-1] > luma[0] + 0.3
    assert (np.diff(luma[16:]) > 0).all()


def test_maps_of_another_size_and_outlines(images):
    masks = np.zeros((3, 2, 16, 16))
    masks[:, 0, 4:12, 4:12] = 1
    figure = saliency_panels(images, {"one": np.ones((3, 16, 16))}, regions=(("eyes", "mask"), masks))
    assert pictures(figure)[3].shape == (8, 8, 3)
    lines = [line for ax in figure.axes[:3] for line in ax.collections]
    assert len(lines) == 3  # the empty region has no outline
    corners = lines[0].get_paths()[0].vertices
    np.testing.assert_allclose(corners.min(0), 1.25, atol=0.3)
    np.testing.assert_allclose(corners.max(0), 5.75, atol=0.3)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["eyes"]


def test_panels_refuse_what_does_not_fit(images):
    with pytest.raises(ValueError, match=r"maps and titles must be one a face, 3, .*; got \{'one': 2\}"):
        saliency_panels(images, {"one": np.zeros((2, 8, 8))})
    with pytest.raises(ValueError, match="maps and titles must be one a face"):
        saliency_panels(images, {"one": np.zeros((3, 8, 8))}, titles=["a"])
    with pytest.raises(ValueError, match="maps and titles must be one a face, 3"):
        saliency_panels(images, {})


def intervals(eyes, mouth):
    lines = [
        ("eyes", eyes),
        ("mouth", mouth),
        ("mask", 0.0),
        ("eyes_density", 3 * eyes),
        ("mask_density", np.nan),
    ]
    table = pd.DataFrame(lines, columns=["region", "mean"])
    return table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1, n=5)


def test_bars_are_the_shares_and_densities():
    tables = {"before": intervals(0.2, 0.5), "after": intervals(0.4, 0.3)}
    shares = share_bars(tables, synthetic=True)
    bars = [c for c in shares.axes[0].containers if hasattr(c, "patches")]
    assert [[p.get_height() for p in c] for c in bars] == [[0.2, 0.5], [0.4, 0.3]]
    assert [tick.get_text() for tick in shares.axes[0].get_xticklabels()] == ["eyes", "mouth"]
    assert notes(shares) == ["synthetic faces"]
    dense = share_bars(tables, density=True)
    bars = [c for c in dense.axes[0].containers if hasattr(c, "patches")]
    assert [[p.get_height() for p in c] for c in bars] == [[pytest.approx(0.6)], [pytest.approx(1.2)]]
    assert 1 in [line.get_ydata()[0] for line in dense.axes[0].lines]
    hatches = {bar.get_hatch() for c in bars for bar in c}
    assert len(hatches) == 2  # told apart without colours
    with pytest.raises(ValueError, match="tables must hold regions for one setting or more"):
        share_bars({})


def test_scatter_draws_every_point_with_a_colour_and_marker_of_its_class():
    rng = np.random.default_rng(0)
    labels = np.array([0, 1, 2, 1, 0, 2, 2])
    panels = {"before": rng.normal(size=(7, 2)), "after": rng.normal(size=(7, 2))}
    found = {"before": {"silhouette": -0.123, "knn_accuracy": 0.5, "chance": 3 / 7}}
    figure = scatter_panels(panels, labels, names=["x", "y", "z"], numbers=found, synthetic=True)
    for ax, points in zip(figure.axes, panels.values(), strict=True):
        drawn = [part.get_offsets() for part in ax.collections]
        for k in range(3):
            np.testing.assert_allclose(drawn[k], points[labels == k])
        looks = {
            (to_hex(part.get_facecolor()[0]), len(part.get_paths()[0].vertices)) for part in ax.collections
        }
        assert len({colour for colour, _ in looks}) == 3
        assert len({shape for _, shape in looks}) == 3
    first = figure.axes[0].collections[0]
    assert to_hex(first.get_facecolor()[0]) == COLOURS["blue"].lower()
    title = figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()
    assert title == "before\nsilhouette −0.12\nneighbours 50% right (chance 43%)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["x", "y", "z"]
    assert notes(figure) == ["synthetic faces"]
    figure.canvas.draw()
    legend, axis = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
    assert legend.y1 <= axis.y0  # outside


def test_scatter_takes_labels_of_each_panel_and_hides_empty_ones():
    points = {name: np.zeros((2, 2)) for name in "abcd"}
    labels = {"a": ["u", "v"], "b": ["u", "u"], "c": ["v", "v"], "d": ["w", "u"]}
    figure = scatter_panels(points, labels, columns=3)
    assert [ax.axison for ax in figure.axes] == [True] * 4 + [False] * 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["u", "v", "w"]
    assert [len(part.get_offsets()) for part in figure.axes[3].collections] == [1, 0, 1]


def test_scatter_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match=r"panels must be points \(N, 2\) with one label each"):
        scatter_panels({"a": np.zeros((4, 3))}, np.zeros(4))
    with pytest.raises(ValueError, match=r"panels must be points \(N, 2\) with one label each"):
        scatter_panels({"a": np.zeros((4, 2))}, np.zeros(5))
    with pytest.raises(ValueError, match="labels must name 12 classes or fewer; got 20"):
        scatter_panels({"a": np.zeros((20, 2))}, np.arange(20))


def history():
    return pd.DataFrame(
        {"epoch": [1, 2, 1, 2], "seed": [0, 0, 1, 1], "g": [4.0, 2.0, 6.0, 4.0], "d": [1.0, 1.0, 2.0, 3.0]}
    )


def test_loss_panels_show_means_and_the_spread_of_runs():
    figure = loss_panels(
        history(), {"both": {"g": "generator", "d": "critic"}, "one": {"g": "again"}},
        log_y=("one",), references={"one": 3.0}, synthetic=True,
    )  # fmt: skip
    both, one = figure.axes
    np.testing.assert_array_equal(both.lines[0].get_ydata(), [5, 3])
    np.testing.assert_array_equal(both.lines[1].get_ydata(), [1.5, 2])
    assert len({line.get_linestyle() for line in both.lines}) == 2
    band = both.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 2
    assert band[:, 1].max() == 6
    assert [text.get_text() for text in both.get_legend().get_texts()] == ["generator", "critic"]
    assert one.get_legend() is None
    assert one.get_yscale() == "log"
    assert one.lines[1].get_ydata()[0] == 3
    assert notes(figure) == ["synthetic faces"]


def test_loss_panels_of_a_single_run_and_lacking_columns():
    figure = loss_panels(
        history()[:2].drop(columns="seed"), {"a": {"g": "g"}, "b": {"d": "d"}, "c": {"g": "g"}}, columns=2
    )
    assert not figure.axes[0].collections
    assert [ax.axison for ax in figure.axes] == [True, True, True, False]
    with pytest.raises(ValueError, match=r"history must have the columns \['loss'\]"):
        loss_panels(history(), {"a": {"loss": "x"}})
    with pytest.raises(ValueError, match="history must have the columns of a panel"):
        loss_panels(history(), {})
