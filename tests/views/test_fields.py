"""The plane of chapter 13: forces against plain loops, and what the page is given."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.losses import va_center_loss
from fer_lib.views import fields, spreads
from fer_lib.views.page_pulling import page_pulling, weights

SCENE = fields.scene()


def title_of(ax):
    """Its title, wherever the style puts it."""
    return ax.get_title() or ax.get_title(loc="left")


def test_pulls_of_points_against_their_formulas() -> None:
    x, y = SCENE.points, SCENE.labels
    found = fields.pull(fields.make(fields.RECIPES["center"], SCENE), x, y, SCENE.va)
    torch.testing.assert_close(found, SCENE.centers[y] - x)
    found = fields.pull(fields.make(fields.RECIPES["subclass"], SCENE), x, y, SCENE.va)
    for i in range(len(x)):
        own = SCENE.subcenters[2 * y[i] : 2 * y[i] + 2]
        nearest = min(own, key=lambda c, i=i: float(((c - x[i]) ** 2).sum()))
        torch.testing.assert_close(found[i], nearest - x[i])
    apart = fields.changed("pairs", margin=0.01)
    found = fields.pull(fields.make(apart, SCENE), x, y, SCENE.va)
    means = torch.stack([x[y == k].mean(0) for k in y])
    torch.testing.assert_close(found, (means - x) * 8 * 24 / 84)  # 84 pairs of one class
    with pytest.raises(ValueError, match="kind must be one of"):
        fields.make(fields.Recipe("x", "arcface"), SCENE)


def test_a_walk_is_gradient_descent_and_moves_the_centers() -> None:
    path, centers = fields.walk(fields.RECIPES["center"], SCENE, 2)
    torch.testing.assert_close(path[1], path[0] + 0.05 * (centers[0][SCENE.labels] - path[0]))
    torch.testing.assert_close(path[2], path[1] + 0.05 * (centers[1][SCENE.labels] - path[1]))
    mine = path[0][SCENE.labels == 1]
    moved = centers[0][1] - 0.5 * (8 * centers[0][1] - mine.sum(0)) / 9
    torch.testing.assert_close(centers[1][1], moved)
    with_entropy = fields.walk(fields.RECIPES["center"], SCENE, 1, weight=0.0, entropy=True)[0][1]
    x = SCENE.points.clone().requires_grad_()
    torch.nn.functional.cross_entropy(x @ SCENE.reader.T, SCENE.labels, reduction="sum").backward()
    torch.testing.assert_close(with_entropy, SCENE.points - 0.05 * x.grad)


def test_a_dead_center_never_moves_and_a_leash_brings_it_in() -> None:
    _, free = fields.walk(fields.RECIPES["subclass"], SCENE, 100)
    assert torch.equal(free[-1][2], free[0][2])
    _, tied = fields.walk(fields.RECIPES["subclass_margin"], SCENE, 100)
    assert (tied[-1][2] - tied[-1][3]).norm() < 1.5 < (free[-1][2] - free[-1][3]).norm()


def test_weights_of_the_page_are_those_of_the_loss() -> None:
    apart = (SCENE.va - SCENE.class_va[SCENE.labels]).norm(dim=1)
    torch.testing.assert_close(weights(SCENE), (8**0.5 - apart) ** 2 / 4)
    x, y = SCENE.points.clone().requires_grad_(), SCENE.labels
    total = va_center_loss(x, y, SCENE.va, SCENE.class_va, reduction="sum")
    means = torch.stack([x[y == k].mean(0) for k in y])
    torch.testing.assert_close(total, 0.5 * (weights(SCENE) * ((x - means) ** 2).sum(1)).sum())


def test_the_figure_has_a_panel_a_loss_and_a_field() -> None:
    figure = fields.fields_figure(names=("center", "pairs"))
    assert [title_of(ax) for ax in figure.axes] == ["Center", "Pairs (contrastive)"]
    places = torch.tensor([[3.0, 1.0], [-3.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(
        fields.field_at(fields.RECIPES["center"], SCENE, places), SCENE.centers[0] - places
    )


def test_pairs_move_the_sink_away_from_other_classes_and_bend_the_field() -> None:
    grid = torch.cartesian_prod(*[torch.arange(-4, 4, 0.25, dtype=torch.float64)] * 2)
    sinks = {}
    for name in ("center_local", "pairs"):
        driven = fields.field_at(fields.RECIPES[name], SCENE, grid)
        sinks[name] = grid[driven.norm(dim=1).argmin()]
    others = SCENE.points[SCENE.labels > 0]
    near, far = (torch.cdist(sinks[name][None], others).min() for name in ("center_local", "pairs"))
    assert far > near + 0.5
    place = SCENE.points[SCENE.labels == 1].mean(0)[None] + torch.tensor([[0.5, -0.6]])
    force, straight = fields.field_at(fields.RECIPES["pairs"], SCENE, place), sinks["pairs"] - place
    assert torch.nn.functional.cosine_similarity(force, straight) < np.cos(np.radians(15))


def test_the_page_asks_nobody_and_names_its_losses() -> None:
    html = page_pulling().fragment()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert [one["name"] for one in data["recipes"]] == list(fields.RECIPES)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", html)
    assert "<noscript>" in html
    with pytest.raises(ValueError, match="first must be one of"):
        page_pulling(first="arcface")


def rows() -> pd.DataFrame:
    parts = ("between", "how it is shown", "pose", "rest")
    return pd.DataFrame(
        [
            {"model": m, "seed": 0, "part": p, "share": s}
            for m in "ab"
            for p, s in zip(parts, (0.2, 0.3, 0.1, 0.4), strict=True)
        ]
    )


def test_bars_add_up_and_dots_lie_where_they_should() -> None:
    figure = spreads.parts_bars(rows(), synthetic=True)
    ends = [bar.get_x() + bar.get_width() for bar in figure.axes[0].patches]
    assert max(ends) == pytest.approx(100)
    assert any(text.get_text() == "synthetic faces" for text in figure.texts)
    below = rows().replace({"share": {0.1: -0.1, 0.4: 0.6}})  # what is below zero is not drawn
    ax = spreads.parts_bars(below).axes[0]
    assert max(bar.get_x() + bar.get_width() for bar in ax.patches) == pytest.approx(110)
    assert ax.get_xlim() == (0, pytest.approx(110))
    with pytest.raises(ValueError, match="rows must hold known parts"):
        spreads.parts_bars(rows().assign(part="moon"))
    left = pd.DataFrame({"model": ["a", "b"], "part": "pose", "mean": [0.5, 0.2], "low": 0.1, "high": 0.9})
    ax = spreads.left_panels(left, baseline="a", parts=["pose"]).axes[0]
    assert [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"] == [0.5, 0.2]
    assert ax.lines[-1].get_xdata() == [0.5, 0.5]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "0.5"]
    assert ax.get_xlim()[1] > 0.9
    below = left.assign(mean=-0.4, low=-0.6, high=-0.2)  # not measurable
    ax = spreads.left_panels(below, baseline="a", parts=["pose"]).axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["-0.5", "0"]


def test_weights_are_drawn_and_squares_stand_on_centers() -> None:
    va = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    labels = np.repeat([0, 1], 20)
    figure = spreads.affect_weights(labels, va, ("anger", "fear"))
    assert len(figure.axes) == 2
    with pytest.raises(ValueError, match="shown must be one of"):
        spreads.affect_weights(labels, va, ("anger", "fear"), shown="joy")
    told = {"a": {"silhouette": -0.25, "knn_accuracy": 0.5}}
    panel = spreads.centered_panels({"a": va}, labels, {"a": (np.array([[0.1, 0.2]]), [1])}, numbers=told)
    assert panel.axes[0].lines[0].get_xydata().tolist() == [[0.1, 0.2]]
    assert title_of(panel.axes[0]).endswith("silhouette \N{MINUS SIGN}0.25, k-NN 50%")
