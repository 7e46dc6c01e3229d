"""The page's growing network says what the library's states say; the drawings show their numbers."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from fer_lib.memory import GrowWhenRequired
from fer_lib.memory.watching import crescents, habituation, watch
from fer_lib.views import memory as drawings


@pytest.fixture(scope="module")
def grown():
    points = crescents(60, late=20)
    return watch(GrowWhenRequired(activity_threshold=0.8), points), points


def test_the_page_holds_every_birth_and_the_last_state(grown) -> None:
    states, points = grown
    html = drawings.page_growth(states, points, dense=5, every=10).fragment()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    shown = {state["step"]: state for state in data["states"]}
    assert {s.step for s in states if s.did.inserted} <= set(shown)
    assert set(shown) >= {2, 3, 4, 5, 6, 80}
    assert len(shown) < len(states)
    assert len(shown[80]["nodes"]) == len(states[-1].nodes)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", html)
    assert "<noscript>" in html
    for needed in (".live {", ".gr-node {", "const element =", "class Growth {"):
        assert needed in html


def test_points_keep_their_shape_and_lie_in_the_drawing(grown) -> None:
    states, points = grown
    placed = np.array(drawings.page_growth(states, points).data["inputs"])
    assert placed.min() >= 0
    assert (placed.max(0) <= [drawings.WIDE, drawings.HIGH]).all()
    ratio = np.ptp(placed, 0) / np.ptp(points, 0)
    assert ratio[0] == pytest.approx(ratio[1], rel=0.01)
    assert np.corrcoef(placed[:, 1], points[:, 1])[0, 1] == pytest.approx(-1, abs=1e-4)  # up is up
    with pytest.raises(ValueError, match="inputs must be points of a plane"):
        drawings.page_growth(states, np.zeros((3, 3)))


def test_panels_show_as_many_nodes_as_there_are(grown) -> None:
    states, points = grown
    figure = drawings.growth_panels(states, points, (10, 80))
    nodes = [ax.collections[1].get_offsets() for ax in figure.axes[:2]]
    assert [len(n) for n in nodes] == [len(states[8].nodes), len(states[-1].nodes)]


def test_habituation_curves_have_their_values() -> None:
    figure = drawings.habituation_curves({"a": habituation(5, tau=0.3, kappa=1.05)}, threshold=0.2)
    assert figure.axes[0].lines[0].get_ydata()[1] == pytest.approx(0.7)


def frames(count: int = 30) -> pd.DataFrame:
    columns = (
        "true_valence",
        "prior_valence",
        "valence",
        "true_arousal",
        "prior_arousal",
        "arousal",
        "activity",
    )
    table = pd.DataFrame({name: np.linspace(0, 1, count) * (k + 1) / 8 for k, name in enumerate(columns)})
    return table.assign(second=np.arange(count) * 0.2, utterance=np.arange(count) // 10)


def test_along_a_video() -> None:
    rows = frames()
    lines = {f"{who}_{axis}": [0.1, 0.2] for who in ("prior", "memory") for axis in ("valence", "arousal")}
    figure = drawings.along_video(rows, pd.DataFrame({"second": [5.0, 5.8]} | lines), synthetic=True)
    np.testing.assert_array_equal(figure.axes[0].lines[2].get_ydata(), rows["valence"])
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), rows["true_arousal"])
    assert any(text.get_text() == "synthetic faces" for text in figure.texts)


def test_gains_and_growth() -> None:
    gains = pd.DataFrame(
        {
            "setting": ["memory"] * 2,
            "axis": ["valence", "arousal"],
            "mean": [0.1, -0.2],
            "low": -0.3,
            "high": 0.3,
        }
    )
    figure = drawings.gains_panel(gains)
    assert [ax.lines[0].get_xdata()[0] for ax in figure.axes] == [0.1, -0.2]
    rows = pd.concat(frames().assign(setting=name, size=k) for k, name in enumerate("ab"))
    left, right = drawings.growth_in_time(rows).axes
    assert [line.get_label() for line in left.lines] == ["a", "b"]
    assert left.lines[1].get_ydata()[0] == 1
    assert right.lines[0].get_xdata()[-1] == pytest.approx(5.8 / 60)
