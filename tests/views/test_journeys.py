"""The figure of home and away."""

import pandas as pd
import pytest

from fer_lib.views.journeys import journeys


def _lost():
    line = {"metric": "accuracy", "low": 1.0, "high": 30.0}
    return pd.DataFrame(
        [
            line | {"world": "a", "home": 60.0, "away": 40.0, "loss": 20.0, "ceiling": 80.0},
            line | {"world": "b", "home": 35.0, "away": 38.0, "loss": -3.0, "ceiling": 70.0},
        ]
    )


def test_points_losses_and_ceiling_are_drawn():
    figure = journeys(_lost())
    away, home, ceiling = (c.get_offsets()[:, 0].tolist() for c in figure.axes[0].collections[1:])
    assert (away, home, ceiling) == ([40, 38], [60, 35], [80, 70])
    assert [text.get_text() for text in figure.axes[0].texts] == ["-20", "+3"]
    assert figure.axes[0].get_yticklabels()[0].get_text().startswith("a")


def test_columns_are_checked():
    with pytest.raises(ValueError, match=r"lost must have the columns of losses\(\); got none of \['loss'\]"):
        journeys(_lost().drop(columns="loss"))
