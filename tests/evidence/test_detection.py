"""Who is found: groups and intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib.evidence.detection import detection_table, faces_for_detection


def test_shares_and_intervals_by_group():
    rng = np.random.default_rng(0)
    n = 600
    known = pd.DataFrame(
        {
            "yaw_deg": rng.uniform(-28, 28, n),
            "skin_tone": rng.random(n),
            "age": rng.uniform(5, 85, n),
            "glasses": (rng.random(n) < 0.2).astype(float),
        }
    )
    found = np.abs(known["yaw_deg"]).to_numpy() < 14
    table = detection_table(found, known).set_index("group")
    assert table.loc["|yaw| 0 to 5", "found"] == 1
    assert table.loc["|yaw| 15 to 28", "found"] == 0
    ahead = known["yaw_deg"].abs() <= 15
    dark = ahead & (known["skin_tone"] >= 2 / 3)
    assert table.loc["dark", "faces"] == dark.sum()
    inside = stats.binomtest(int(found[dark].sum()), int(dark.sum())).proportion_ci(method="wilson")
    assert table.loc["dark", ["low", "high"]].tolist() == pytest.approx([inside.low, inside.high], rel=1e-4)


def test_pictures_and_what_is_known_of_them():
    pictures, known = faces_for_detection(3, size=48, seed=1)
    assert pictures.shape == (3, 3, 48, 48)
    assert pictures.dtype == np.uint8
    again, _ = faces_for_detection(3, size=48, seed=1)
    assert np.array_equal(pictures, again)
    assert known["yaw_deg"].abs().max() < 30
