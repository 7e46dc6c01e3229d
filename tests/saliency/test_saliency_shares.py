import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_lib.saliency import region_shares, share_changes, share_intervals

NAMES = ("eyes", "mouth", "mask")
UNIT = st.floats(0, 1, width=32)


def halves():
    """Eyes above, mouth in the lower left, a mask over the lowest row; 4 x 4."""
    masks = np.zeros((1, 3, 4, 4))
    masks[0, 0, :2] = 1
    masks[0, 1, 2:, :2] = 1
    masks[0, 2, 3:] = 1
    return masks


def test_hand_counted_shares():
    heat = np.zeros((1, 4, 4))
    heat[0, 0, 0], heat[0, 2, 0], heat[0, 3, 0], heat[0, 2, 3] = 4, 3, 2, 1  # the third lies under the mask
    shares = region_shares(heat, (NAMES, halves())).iloc[0]
    assert shares[["eyes", "mouth", "mask", "elsewhere"]].tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    areas = {"eyes": 8 / 16, "mouth": 2 / 16, "mask": 4 / 16, "elsewhere": 2 / 16}
    for name, area in areas.items():
        assert shares[f"{name}_density"] == pytest.approx(shares[name] / area)


def test_a_flat_map_has_density_one_everywhere():
    shares = region_shares(np.full((1, 4, 4), 0.3), (NAMES, halves()))
    np.testing.assert_allclose(shares.filter(like="_density"), 1)


@given(arrays(float, (2, 3, 3), elements=UNIT), arrays(float, (2, 3, 3, 3), elements=UNIT))
def test_shares_sum_to_one_and_do_not_depend_on_scale(heat, masks):
    shares = region_shares(heat, (NAMES, masks))
    parts = shares[[*NAMES, "elsewhere"]].to_numpy()
    lit = heat.sum((1, 2)) > 0
    np.testing.assert_allclose(parts[lit].sum(1), 1)
    assert (parts[lit] >= -1e-12).all()
    assert np.isnan(parts[~lit]).all()
    again = region_shares(7 * heat, (NAMES, masks))
    np.testing.assert_allclose(again, shares, rtol=1e-9, atol=1e-12)


def test_overlapping_regions_share_a_pixel():
    masks = np.zeros((1, 2, 1, 1))
    masks[0, :, 0, 0] = [1.0, 0.5]
    shares = region_shares(np.ones((1, 1, 1)), (("eyes", "brows"), masks)).iloc[0]
    assert shares[["eyes", "brows", "elsewhere"]].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_what_is_not_known_is_nan():
    masks = halves()
    empty = region_shares(np.zeros((1, 4, 4)), (NAMES, masks))
    assert empty.isna().all(axis=None)
    masks[0, 1] = 0  # a face without a mouth
    shares = region_shares(np.ones((1, 4, 4)), (NAMES, masks)).iloc[0]
    assert shares["mouth"] == 0
    assert np.isnan(shares["mouth_density"])


def test_bad_shapes_and_signs():
    with pytest.raises(ValueError, match=r"regions must be \(N, 3, S, S\)"):
        region_shares(np.ones((1, 5, 5)), (NAMES, halves()))
    with pytest.raises(ValueError, match="maps must not be negative; got -1"):
        region_shares(-np.ones((1, 4, 4)), (NAMES, halves()))


def frame(*values):
    return pd.DataFrame({"eyes": values, "mouth": [1 - v for v in values]})


def test_intervals_over_seeds_are_student_t():
    from scipy import stats

    seeds = [frame(0.1, 0.2), frame(0.3, 0.3), frame(0.4, 0.6)]
    table = share_intervals(seeds).set_index("region")
    means = [0.15, 0.3, 0.5]
    half = stats.t.ppf(0.975, 2) * np.std(means, ddof=1) / np.sqrt(3)
    assert table.loc["eyes", ["mean", "low", "high", "n"]].tolist() == pytest.approx(
        [np.mean(means), np.mean(means) - half, np.mean(means) + half, 3]
    )
    single = share_intervals(seeds[:1]).set_index("region")
    assert single.loc["mouth", "mean"] == pytest.approx(0.85)
    assert np.isnan(single.loc["mouth", "low"])


def test_intervals_over_faces_cover_the_truth():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(60):
        table = share_intervals(pd.DataFrame({"eyes": rng.beta(2, 5, 60)}))
        hits += table["low"].item() <= 2 / 7 <= table["high"].item()
    assert hits >= 51  # 95 % of 60, less what chance may take


def test_faces_of_one_group_are_drawn_together():
    values = np.repeat(np.random.default_rng(0).random(10), 20)
    groups = np.repeat(np.arange(10), 20)
    alone, together = share_intervals(frame(*values)), share_intervals(frame(*values), groups=groups)
    assert together["n"].tolist() == [10, 10]
    width = lambda table: (table["high"] - table["low"]).iloc[0]  # noqa: E731
    assert width(together) > 2 * width(alone)


def test_missing_values_are_left_out():
    table = share_intervals(pd.DataFrame({"mask": [0.2, np.nan, 0.4], "mouth": [np.nan] * 3}))
    table = table.set_index("region")
    assert table.loc["mask", "mean"] == pytest.approx(0.3)
    assert table["n"].tolist() == [2, 0]
    assert np.isnan(table.loc["mouth", "mean"])


def test_changes_are_paired_by_seed():
    before = [frame(0.1), frame(0.5), frame(0.9)]
    after = [frame(0.2), frame(0.6), frame(1.0)]
    table = share_changes(after, before).set_index("region")
    assert table.loc["eyes", "mean"] == pytest.approx(0.1)
    assert table.loc["eyes", "high"] - table.loc["eyes", "low"] < 1e-9  # the seeds' own spread cancels
    assert table.loc["mouth", "mean"] == pytest.approx(-0.1)
    with pytest.raises(ValueError, match="after must have one frame a seed as before; got 2 and 3"):
        share_changes(after[:2], before)
