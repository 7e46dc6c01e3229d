"""Intervals against SciPy, plain loops, and their own promise of coverage."""

import numpy as np
import pytest
import torch
from scipy import stats

from fer_lib.metrics import bootstrap_interval, ccc, mean_interval, paired_difference, pearson


def mean(values):
    return float(np.mean(values))


def cloud(n=40, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.uniform(-1, 1, n)
    return target + rng.normal(0, 0.4, n), target


class TestBootstrap:
    @pytest.mark.parametrize("confidence", [0.5, 0.95])
    def test_equals_scipy_draw_by_draw(self, confidence):
        pred, target = cloud()
        ours = bootstrap_interval(pearson, pred, target, confidence=confidence, resamples=200, seed=3)
        theirs = stats.bootstrap(
            (pred, target), pearson, paired=True, vectorized=False, n_resamples=200, batch=1,
            method="percentile", confidence_level=confidence, rng=np.random.default_rng(3),
        )  # fmt: skip
        assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-12)
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-12)
        assert ours.value == pearson(pred, target)

    def test_groups_are_drawn_whole(self):
        values = np.array([0.0, 0.0, 1.0, 5.0, 5.0, 5.0])
        groups = np.array(["a", "a", "b", "c", "c", "c"])
        seen = []
        bootstrap_interval(lambda v: seen.append(v) or mean(v), values, groups=groups, resamples=60, seed=0)
        for drawn in seen[:-1]:  # the last call is on all rows
            counts = {v: int((drawn == v).sum()) for v in (0.0, 1.0, 5.0)}
            assert counts[0.0] % 2 == 0
            assert counts[5.0] % 3 == 0
            assert counts[0.0] // 2 + counts[1.0] + counts[5.0] // 3 == 3

    def test_groups_of_one_row_are_rows(self):
        pred, target = cloud()
        rows = bootstrap_interval(ccc, pred, target, resamples=50)
        assert bootstrap_interval(ccc, pred, target, resamples=50, groups=np.arange(40)) == rows

    def test_repeated_frames_widen_only_the_grouped_interval(self):
        pred, target = (np.repeat(v, 25) for v in cloud())
        clip = np.repeat(np.arange(40), 25)
        rows = bootstrap_interval(ccc, pred, target, resamples=300)
        clips = bootstrap_interval(ccc, pred, target, resamples=300, groups=clip)
        assert clips.width == pytest.approx(5 * rows.width, rel=0.35)  # sqrt(25)
        assert (clips.n, rows.n) == (40, 1000)

    def test_covers_the_truth_as_often_as_it_says(self):
        hits = [
            (
                i := bootstrap_interval(mean, np.random.default_rng(s).normal(size=50), resamples=200, seed=s)
            ).low
            < 0
            < i.high
            for s in range(300)
        ]
        assert 0.90 < np.mean(hits) < 0.98  # four standard errors below .95, less the method's own .01

    def test_same_seed_same_interval(self):
        pred, target = cloud()
        first = bootstrap_interval(ccc, pred, target, resamples=50, seed=1)
        assert first == bootstrap_interval(ccc, pred, target, resamples=50, seed=1)
        assert first != bootstrap_interval(ccc, pred, target, resamples=50, seed=2)

    def test_a_statistic_of_two_columns(self):
        pred, target = (np.stack([v, v[::-1]], 1) for v in cloud())
        pred[:, 1] += 0.3
        both = bootstrap_interval(ccc, torch.tensor(pred), torch.tensor(target), resamples=60)
        one = bootstrap_interval(ccc, pred[:, 1], target[:, 1], resamples=60)
        assert both.low.shape == (2,)
        expected = (one.value, one.low, one.high)
        assert (both.value[1], both.low[1], both.high[1]) == pytest.approx(expected, rel=1e-12)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"confidence must lie between 0 and 1; got 95"):
            bootstrap_interval(mean, [1, 2, 3], confidence=95)
        with pytest.raises(ValueError, match="resamples must be 2 or more; got 1"):
            bootstrap_interval(mean, [1, 2, 3], resamples=1)
        with pytest.raises(ValueError, match="arrays must be at least one"):
            bootstrap_interval(mean)
        with pytest.raises(ValueError, match=r"equal lengths; got \[3, 2\]"):
            bootstrap_interval(ccc, [1, 2, 3], [1, 2])
        with pytest.raises(ValueError, match=r"equal lengths; got \[3, 2\]"):
            bootstrap_interval(mean, [1, 2, 3], groups=[1, 2])
        with pytest.raises(ValueError, match="2 or more rows or groups; got 1"):
            bootstrap_interval(mean, [1, 2, 3], groups=["a", "a", "a"])


class TestOverSeeds:
    def test_mean_interval_equals_scipy(self):
        values = np.random.default_rng(0).normal(0.5, 0.02, 30)
        ours = mean_interval(values, confidence=0.9)
        expected = stats.t.interval(0.9, 29, loc=values.mean(), scale=stats.sem(values))
        assert (ours.low, ours.high) == pytest.approx(expected, rel=1e-9)
        assert (ours.mean, ours.n) == (pytest.approx(values.mean()), 30)

    def test_hand_worked(self):
        # mean .52, s .02, s / sqrt(3) = .011547, t(.975, 2) = 4.302653: reach .049683
        ours = mean_interval([0.50, 0.52, 0.54])
        assert (ours.low, ours.high) == pytest.approx((0.470317, 0.569683), abs=1e-6)
        assert str(ours) == "0.520 [0.470, 0.570]"
        assert ours.width == pytest.approx(0.099366, abs=1e-6)

    def test_paired_difference_equals_scipy(self):
        rng = np.random.default_rng(0)
        luck = rng.normal(0, 0.05, 12)
        a, b = 0.52 + luck + rng.normal(0, 0.01, 12), 0.50 + luck + rng.normal(0, 0.01, 12)
        ours, test = paired_difference(a, b, confidence=0.99), stats.ttest_rel(a, b)
        assert ours.p_value == pytest.approx(test.pvalue, rel=1e-9)
        assert (ours.low, ours.high) == pytest.approx(tuple(test.confidence_interval(0.99)), rel=1e-9)
        assert ours.effect_size == pytest.approx(np.mean(a - b) / np.std(a - b, ddof=1), rel=1e-12)
        assert ours.p_value < stats.ttest_ind(a, b).pvalue / 10  # the pairing is worth it here

    def test_exchanging_the_methods_turns_the_sign(self):
        a, b = [0.5, 0.6, 0.55], [0.4, 0.58, 0.5]
        one, other = paired_difference(a, b), paired_difference(b, a)
        assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))
        assert one.p_value == pytest.approx(other.p_value)
        assert str(one).startswith("+0.0")

    def test_differences_that_are_all_equal(self):
        same = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
        assert (same.mean, same.low, same.high, same.effect_size, same.p_value) == (0, 0, 0, 0, 1)
        below = paired_difference([1.0, 2.0], [2.0, 3.0])
        assert (below.low, below.high, below.effect_size, below.p_value) == (-1, -1, -np.inf, 0)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"values must be \(n,\) with n >= 2; got \(1,\)"):
            mean_interval([0.5])
        with pytest.raises(ValueError, match="confidence must lie between 0 and 1; got 0"):
            mean_interval([0.5, 0.6], confidence=0)
        with pytest.raises(ValueError, match="a and b must pair up; got 3 and 2 values"):
            paired_difference([1, 2, 3], [1, 2])
        with pytest.raises(ValueError, match="b must be finite; got nan"):
            paired_difference([1, 2], [1, np.nan])
        with pytest.raises(ValueError, match=r"a must be \(n,\) with n >= 2"):
            paired_difference([1], [1])
