"""CCC and its relatives against plain loops, SciPy, scikit-learn, torchmetrics and hand-worked numbers."""

import math

import numpy as np
import pytest
import torch
import torchmetrics.functional as tm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import root_mean_squared_error

from fer_lib.metrics import ccc, ccc_parts, imitate, pearson, rater_agreement, rmse

ESTIMATORS = (0, 1, "mixed")


def loop_ccc(pred, target, ddof=0):
    """Lin's coefficient with sums written out."""
    n = len(pred)
    mean_x = math.fsum(pred) / n
    mean_y = math.fsum(target) / n
    sxx = syy = sxy = 0.0
    for x, y in zip(pred, target, strict=True):
        sxx += (x - mean_x) ** 2
        syy += (y - mean_y) ** 2
        sxy += (x - mean_x) * (y - mean_y)
    n_cov = n - 1 if ddof == 1 else n
    n_var = n if ddof == 0 else n - 1
    return 2 * sxy / n_cov / (sxx / n_var + syy / n_var + (mean_x - mean_y) ** 2)


def cloud(n=200, seed=0, columns=None):
    rng = np.random.default_rng(seed)
    shape = (n,) if columns is None else (n, columns)
    target = rng.uniform(-1, 1, shape)
    return 0.6 * target + 0.1 + rng.normal(0, 0.3, shape), target


rows = st.integers(2, 30).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, n, elements=st.floats(-1, 1, width=16)) for _ in range(2)])
)


class TestCCC:
    @pytest.mark.parametrize("ddof", ESTIMATORS)
    @pytest.mark.parametrize("n", [2, 3, 35, 1000])
    def test_equals_the_sums_written_out(self, ddof, n):
        pred, target = cloud(n, seed=n)
        assert ccc(pred, target, ddof=ddof) == pytest.approx(loop_ccc(pred, target, ddof), rel=1e-12)

    def test_hand_worked(self):
        # means 2.5 and 3.5, both variances 1.25, covariance 1.25: 2.5 / (2.5 + 1) = 5/7
        assert ccc([1, 2, 3, 4], [2, 3, 4, 5]) == pytest.approx(5 / 7, rel=1e-15)
        # with N - 1 the moments are 5/3: (10/3) / (10/3 + 1) = 10/13; mixed: 2.5 / (10/3 + 1) = 15/26
        assert ccc([1, 2, 3, 4], [2, 3, 4, 5], ddof=1) == pytest.approx(10 / 13, rel=1e-15)
        assert ccc([1, 2, 3, 4], [2, 3, 4, 5], ddof="mixed") == pytest.approx(15 / 26, rel=1e-15)

    def test_a_perfect_batch_of_35_scores_971_with_the_mixed_estimator(self):
        target = np.random.default_rng(0).uniform(-1, 1, 35)
        assert ccc(target, target, ddof="mixed") == pytest.approx(34 / 35, rel=1e-12)
        assert round(ccc(target, target, ddof="mixed"), 3) == 0.971
        assert ccc(target, target) == ccc(target, target, ddof=1) == 1.0

    def test_the_mixed_estimator_is_the_unbiased_one_times_n_minus_1_over_n(self):
        pred, target = cloud(12)
        assert ccc(pred + 0.4, target, ddof="mixed") == pytest.approx(
            11 / 12 * ccc(pred + 0.4, target, ddof=1), rel=1e-12
        )

    def test_torchmetrics_divides_by_n_minus_1(self):
        pred, target = cloud(12)
        pred = pred + 0.4  # without a shift the two estimators coincide
        theirs = tm.concordance_corrcoef(torch.tensor(pred), torch.tensor(target)).item()
        assert ccc(pred, target, ddof=1) == pytest.approx(theirs, rel=1e-9)
        assert abs(ccc(pred, target) - theirs) > 1e-4  # so the agreement above tells the estimators apart

    def test_is_one_minus_the_squared_error_over_that_of_independent_pairs(self):
        pred, target = cloud(60)
        every_pair = np.mean([(x - y) ** 2 for x in pred for y in target])
        expected = 1 - np.mean((pred - target) ** 2) / every_pair
        assert ccc(pred, target) == pytest.approx(expected, rel=1e-12)

    def test_columns_are_separate(self):
        pred, target = cloud(50, columns=2)
        both = ccc(pred, target)
        assert both.shape == (2,)
        assert both == pytest.approx([ccc(pred[:, d], target[:, d]) for d in range(2)], rel=1e-12)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_takes_tensors_with_gradients_and_returns_a_float(self, dtype):
        pred, target = (torch.tensor(v).to(dtype) for v in cloud(40))
        value = ccc(pred.requires_grad_(), target)
        assert type(value) is float
        assert value == ccc(pred.detach().double().numpy(), target.double().numpy())

    def test_float32_input_far_from_zero_is_summed_in_float64(self):
        pred, target = cloud(500)
        far = [(v + 1000).astype(np.float32) for v in (pred, target)]
        assert ccc(*far) == pytest.approx(loop_ccc(*[f.astype(float) for f in far]), rel=1e-9)

    @pytest.mark.parametrize("ddof", ESTIMATORS)
    def test_constants(self, ddof):
        still, moving = [0.1, 0.1, 0.1], [0.1, 0.5, 0.9]  # .1 three times: the mean is not exactly .1
        assert ccc(still, moving, ddof=ddof) == 0.0
        assert ccc(moving, still, ddof=ddof) == 0.0
        assert ccc(still, still, ddof=ddof) == 1.0
        assert ccc(still, [0.2, 0.2, 0.2], ddof=ddof) == 0.0

    def test_differences_too_small_to_square_give_a_number(self):
        assert ccc([0.0, 1e-200], [0.0, -1e-200]) == 0.0

    def test_one_row(self):
        assert ccc([0.3], [0.3]) == 1.0
        assert ccc([0.3], [0.4]) == 0.0

    def test_group_is_the_plain_mean_over_groups_of_any_size_and_order(self):
        pred, target = cloud(30)
        group = np.array(["b", "a", "c"])[np.random.default_rng(1).integers(0, 3, 30)]
        parts = [loop_ccc(pred[group == g], target[group == g]) for g in "abc"]
        assert ccc(pred, target, group=group) == pytest.approx(sum(parts) / 3, rel=1e-12)
        assert abs(ccc(pred, target, group=group) - ccc(pred, target)) > 1e-3

    def test_one_group_is_no_group(self):
        pred, target = cloud(30, columns=2)
        assert np.array_equal(ccc(pred, target, group=np.zeros(30)), ccc(pred, target))

    @given(rows, st.sampled_from(ESTIMATORS))
    def test_symmetric_and_bounded(self, pair, ddof):
        value = ccc(*pair, ddof=ddof)
        assert -1 <= value <= 1
        assert value == pytest.approx(ccc(pair[1], pair[0], ddof=ddof), abs=1e-12)

    @given(rows)
    def test_never_above_the_correlation(self, pair):
        assert abs(ccc(*pair)) <= abs(pearson(*pair)) + 1e-9 or np.array_equal(*pair)

    @given(st.floats(-5, 5), st.floats(0.1, 10), st.sampled_from(["keep", "flip"]))
    def test_invariant_when_both_are_moved_and_scaled_alike(self, shift, scale, sign):
        pred, target = cloud(25)
        scale = scale if sign == "keep" else -scale
        assert ccc(scale * pred + shift, scale * target + shift) == pytest.approx(ccc(pred, target), rel=1e-9)

    def test_not_invariant_when_one_is_moved_or_scaled_alone(self):
        pred, target = cloud(25)
        assert ccc(pred + 0.5, target) < ccc(pred, target) - 0.05
        assert ccc(0.2 * pred, target) < ccc(pred, target) - 0.05

    @given(st.randoms(use_true_random=False))
    def test_order_of_rows_does_not_matter(self, random):
        pred, target = cloud(25)
        order = random.sample(range(25), 25)
        assert ccc(pred[order], target[order]) == pytest.approx(ccc(pred, target), rel=1e-12)


class TestRefusals:
    @pytest.mark.parametrize("metric", [ccc, pearson, rmse, ccc_parts])
    def test_bad_rows(self, metric):
        with pytest.raises(ValueError, match=r"pred must have the shape of target, \(3,\); got \(3, 1\)"):
            metric(np.zeros((3, 1)), np.zeros(3))
        with pytest.raises(ValueError, match=r"must be \(N,\) or \(N, D\) with N > 0; got \(0,\)"):
            metric([], [])
        with pytest.raises(ValueError, match=r"must be \(N,\) or \(N, D\) with N > 0; got \(1, 1, 1\)"):
            metric([[[1]]], [[[1]]])
        with pytest.raises(ValueError, match="pred must be finite; got 2 nan or infinite values"):
            metric([np.nan, np.inf, 0], [0, 1, 2])
        with pytest.raises(ValueError, match="target must be finite; got 1 nan"):
            metric([0, 1, 2], [0, 1, np.nan])

    def test_ccc_arguments(self):
        with pytest.raises(ValueError, match='ddof must be 0, 1 or "mixed"; got 2'):
            ccc([1, 2], [1, 2], ddof=2)
        with pytest.raises(ValueError, match="ddof must be 0 where there is one row; got 1"):
            ccc([1], [1], ddof=1)
        with pytest.raises(ValueError, match="ddof must be 0 where there is one row; got 'mixed'"):
            ccc([1, 2, 3], [1, 2, 4], ddof="mixed", group=[0, 0, 1])
        with pytest.raises(ValueError, match=r"group must be one label a row, \(3,\); got \(2,\)"):
            ccc([1, 2, 3], [1, 2, 3], group=[0, 1])

    def test_parts_of_a_constant(self):
        with pytest.raises(ValueError, match="pred must vary; got a constant"):
            ccc_parts([0.1, 0.1, 0.1], [1, 2, 3])
        with pytest.raises(ValueError, match="target must vary; got a constant"):
            ccc_parts([1, 2, 3], [0.1, 0.1, 0.1])

    @pytest.mark.parametrize("shape", [(5,), (5, 1)])
    def test_one_rater(self, shape):
        with pytest.raises(ValueError, match=r"ratings must be \(N, R\) with R >= 2"):
            rater_agreement(np.zeros(shape))


class TestParts:
    @given(rows)
    def test_the_product_is_the_ccc(self, pair):
        if 0 in (np.ptp(pair[0]), np.ptp(pair[1])):
            return
        parts = ccc_parts(*pair)
        assert parts.ccc == pytest.approx(ccc(*pair), abs=1e-9)
        assert parts.ccc == parts.precision * parts.accuracy
        assert 0 < parts.accuracy <= 1 + 1e-12

    def test_hand_worked(self):
        # pred = 3 + 2 target, target of deviation 1: v = 2, u = 3 / sqrt(2), C_b = 2 / (2 + .5 + 4.5) = 2/7
        target = np.array([-1.0, 1.0])
        parts = ccc_parts(3 + 2 * target, target)
        assert (parts.scale, parts.precision) == pytest.approx((2, 1), rel=1e-12)
        assert parts.shift == pytest.approx(3 / math.sqrt(2), rel=1e-12)
        assert parts.accuracy == pytest.approx(2 / 7, rel=1e-12)

    def test_noise_costs_precision_only_and_a_shift_accuracy_only(self):
        pred, target = cloud(300)
        moved = ccc_parts(pred + 0.4, target)
        assert moved.precision == pytest.approx(ccc_parts(pred, target).precision, rel=1e-12)
        assert moved.accuracy < ccc_parts(pred, target).accuracy
        assert ccc_parts(target[::-1].copy(), target).accuracy == pytest.approx(1, rel=1e-12)

    def test_columns(self):
        pred, target = cloud(50, columns=2)
        expected = [ccc_parts(pred[:, d], target[:, d]).scale for d in range(2)]
        assert ccc_parts(pred, target).scale == pytest.approx(expected, rel=1e-12)


class TestPearsonAndRMSE:
    def test_equal_scipy_and_sklearn(self):
        pred, target = cloud(80)
        assert pearson(pred, target) == pytest.approx(stats.pearsonr(pred, target).statistic, rel=1e-12)
        assert rmse(pred, target) == pytest.approx(root_mean_squared_error(target, pred), rel=1e-12)

    def test_columns(self):
        pred, target = cloud(50, columns=2)
        expected = [stats.pearsonr(pred[:, d], target[:, d]).statistic for d in range(2)]
        assert pearson(pred, target) == pytest.approx(expected, rel=1e-12)
        assert rmse(pred, target) == pytest.approx(np.sqrt(((pred - target) ** 2).sum(0) / 50), rel=1e-12)

    def test_a_constant_has_correlation_0(self):
        assert pearson([0.1, 0.1, 0.1], [1, 2, 3]) == 0.0

    def test_a_line_has_correlation_1_whatever_its_slope(self):
        assert pearson([1, 2, 4], [10, 20, 40]) == pytest.approx(1, rel=1e-12)
        assert pearson([1, 2, 4], [-1, -2, -4]) == pytest.approx(-1, rel=1e-12)


class TestRaters:
    def test_leaves_the_rater_out_of_the_mean(self):
        ratings = np.random.default_rng(0).normal(size=(40, 1)) + np.random.default_rng(1).normal(
            size=(40, 4)
        )
        expected = []
        for r in range(4):
            others = [sum(row[s] for s in range(4) if s != r) / 3 for row in ratings]
            expected.append(loop_ccc(ratings[:, r], others))
        assert rater_agreement(ratings) == pytest.approx(expected, rel=1e-12)

    def test_two_raters_agree_alike(self):
        ratings = np.stack(cloud(30), 1)
        assert rater_agreement(ratings, pearson) == pytest.approx([pearson(*ratings.T)] * 2, rel=1e-12)


class TestImitation:
    @given(st.floats(-1, 1), st.floats(0.05, 20), st.floats(-3, 3), st.integers(0, 99))
    def test_is_the_inverse_of_the_parts(self, precision, scale, shift, seed):
        _, target = cloud(40)
        parts = ccc_parts(imitate(target, precision=precision, scale=scale, shift=shift, seed=seed), target)
        got = (parts.precision, parts.scale, parts.shift)
        assert got == pytest.approx((precision, scale, shift), rel=1e-9, abs=1e-9)

    def test_a_precision_of_1_is_a_line(self):
        _, target = cloud(10)
        assert imitate(target, precision=1) == pytest.approx(target, rel=1e-12)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"target must be \(N,\) with N >= 3 and vary; got \(2,\)"):
            imitate([0, 1], precision=1)
        with pytest.raises(ValueError, match="N >= 3 and vary"):
            imitate([1, 1, 1], precision=1)
        with pytest.raises(ValueError, match=r"precision must lie in \[-1, 1\]; got 1.1"):
            imitate([1, 2, 3], precision=1.1)
        with pytest.raises(ValueError, match="scale must be above 0; got 0"):
            imitate([1, 2, 3], precision=1, scale=0)
