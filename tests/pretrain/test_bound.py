"""The bound against what is known in closed form: Gaussian vectors, and labels that are all there is."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from fer_lib.pretrain.bound import (
    bound_study,
    gaussian_correlation,
    gaussian_information,
    gaussian_pairs,
    label_bound,
    queries_and_keys,
)


def test_information_equals_that_of_the_covariance_matrix():
    # I = (log det of x's + log det of y's - log det of both) / 2, with numpy's determinant
    rho, dimensions = 0.6, 3
    block = np.eye(dimensions)
    both = np.block([[block, rho * block], [rho * block, block]])
    expected = -np.linalg.slogdet(both)[1] / 2
    assert gaussian_information(rho, dimensions) == pytest.approx(expected, rel=1e-12)
    assert gaussian_information(0.0, 5) == 0


@pytest.mark.parametrize("information", [0.0, 0.1, 3.0, 12.0])
def test_correlation_undoes_information(information):
    rho = gaussian_correlation(information, 8)
    assert gaussian_information(rho, 8) == pytest.approx(information, abs=1e-12)


def test_pairs_have_the_correlation():
    x, y = gaussian_pairs(0.7, dimensions=2, pairs=40000, generator=torch.Generator().manual_seed(0))
    assert (x * y).mean(0).tolist() == pytest.approx([0.7, 0.7], abs=0.02)
    assert y.var(0).tolist() == pytest.approx([1, 1], abs=0.03)
    assert abs((x[:, 0] * y[:, 1]).mean().item()) < 0.02


def test_the_optimal_critic_is_the_log_ratio_of_densities():
    rho, dimensions = 0.5, 3
    x, y = gaussian_pairs(rho, dimensions=dimensions, pairs=4, generator=torch.Generator().manual_seed(0))
    queries, keys = queries_and_keys(x, y, rho, "optimal")
    scores = queries @ keys.T
    given = [multivariate_normal(rho * a, (1 - rho**2) * np.eye(dimensions)) for a in x.numpy()]
    free = multivariate_normal(np.zeros(dimensions), np.eye(dimensions))
    expected = torch.tensor([[one.logpdf(b) - free.logpdf(b) for b in y.numpy()] for one in given])
    gap = scores - expected  # constant in each row: it cancels in the softmax
    assert torch.allclose(gap, gap[:, :1].expand_as(gap), atol=1e-10)


def test_the_bound_holds_and_saturates():
    found = bound_study([0.0, 1.0, 3.0, 12.0], [4, 64], dimensions=8, pairs=1024, seed=1)
    few, many = (found[found["candidates"] == n].set_index("x") for n in (4, 64))
    for frame in (few, many):
        assert (frame["low"] <= frame.index + 1e-9).all()  # never credibly above the truth
        assert frame["y"].is_monotonic_increasing
    assert few.loc[12.0, "y"] == pytest.approx(math.log(4), abs=0.01)
    assert many.loc[12.0, "y"] <= math.log(64)
    assert many.loc[1.0, "y"] > few.loc[1.0, "y"]
    assert abs(many.loc[0.0, "y"]) < 1e-9


def test_the_bilinear_critic_stays_below_the_optimal():
    options = {"dimensions": 8, "pairs": 1024, "seed": 2}
    best = bound_study([4.0], [64], **options)["y"].item()
    bilinear = bound_study([4.0], [64], critic="bilinear", **options)["y"].item()
    assert 0 < bilinear < best - 0.1


def test_label_bound_equals_the_sum_over_all_draws():
    shares, candidates = [0.5, 0.3, 0.2], 4
    total = 0.0
    for own, p in enumerate(shares):
        for rivals in itertools.product(range(3), repeat=candidates - 1):
            chance = p * math.prod(shares[r] for r in rivals)
            total += chance * math.log(1 + sum(r == own for r in rivals))
    assert label_bound(shares, candidates) == pytest.approx(math.log(candidates) - total, rel=1e-12)


def test_label_bound_rises_to_the_entropy():
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    entropy = -(shares * np.log(shares)).sum()
    bounds = [label_bound(shares, n) for n in (2, 8, 64, 4096)]
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(entropy, abs=0.01)
    assert bounds[-1] < entropy
    assert label_bound([1.0], 16) == pytest.approx(0)


def test_refuses():
    with pytest.raises(ValueError, match=r"correlation must lie in \(-1, 1\); got 1"):
        gaussian_information(1.0, 2)
    with pytest.raises(ValueError, match="information must be at least 0 nats; got -1"):
        gaussian_correlation(-1.0, 2)
    with pytest.raises(ValueError, match="critic must be one of optimal, bilinear; got 'cubic'"):
        queries_and_keys(torch.zeros(2, 2), torch.zeros(2, 2), 0.1, "cubic")
    with pytest.raises(ValueError, match=r"shares must sum to 1.*got 0\.5 and 8"):
        label_bound([0.25, 0.25], 8)
