"""Soft cross-entropy against loops, PyTorch's own, and its limits."""

import math

import pytest
import torch
from torch.nn import functional as F

from fer_lib.losses import soft_cross_entropy


def _rows(n, k, seed=0):
    return torch.rand(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def logits():
    return 4 * _rows(7, 5) - 2


@pytest.fixture
def shares():
    rows = _rows(7, 5, seed=1)
    return rows / rows.sum(1, keepdim=True)


def test_equals_loops(logits, shares):
    weight = [1.0, 2.0, 0.5, 1.0, 3.0]
    total = weights = 0.0
    for row, share in zip(logits.tolist(), shares.tolist(), strict=True):
        normaliser = sum(math.exp(value) for value in row)
        own = sum(w * q for w, q in zip(weight, share, strict=True))
        total -= own * sum(q * math.log(math.exp(v) / normaliser) for q, v in zip(share, row, strict=True))
        weights += own
    loss = soft_cross_entropy(logits, shares, weight=torch.tensor(weight))
    assert loss.item() == pytest.approx(total / weights, rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_equals_pytorch(logits, shares, smoothing):
    theirs = F.cross_entropy(logits, shares, label_smoothing=smoothing)
    torch.testing.assert_close(soft_cross_entropy(logits, shares, smoothing=smoothing), theirs)


def test_class_numbers_are_one_hot_rows(logits):
    labels = torch.tensor([0, 1, 2, 3, 4, 0, 1])
    weight = _rows(1, 5, seed=2)[0]
    theirs = F.cross_entropy(logits, labels, weight=weight)
    torch.testing.assert_close(soft_cross_entropy(logits, labels, weight=weight), theirs)
    rows = F.one_hot(labels, 5).double()
    torch.testing.assert_close(soft_cross_entropy(logits, rows, weight=weight), theirs)


def test_is_at_least_the_entropy_of_the_target(shares):
    entropy = -(shares * shares.log()).sum(1).mean()
    torch.testing.assert_close(soft_cross_entropy(shares.log(), shares), entropy)
    assert soft_cross_entropy(shares.log() + 0.1 * _rows(7, 5), shares) > entropy


def test_gradient(logits, shares):
    assert torch.autograd.gradcheck(
        lambda z: soft_cross_entropy(z, shares, smoothing=0.1), (logits.requires_grad_(),)
    )


def test_refuses(logits):
    with pytest.raises(ValueError, match=r"smoothing must be in \[0, 1\); got 1\.0"):
        soft_cross_entropy(logits, logits, smoothing=1.0)
    with pytest.raises(ValueError, match=r"target must be class numbers .*got \(7, 4\) for logits \(7, 5\)"):
        soft_cross_entropy(logits, logits[:, :4])
