"""The CCC loss against Lin's formula in loops, at its limits, and its gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.losses import ccc_loss
from fer_lib.metrics import ccc


def _loss_in_loops(pred, target):
    """1 minus Lin's (1989) coefficient with population moments, averaged over the columns."""
    total = 0.0
    for column in range(pred.shape[1]):
        x, y = pred[:, column].tolist(), target[:, column].tolist()
        n = len(x)
        mean_x, mean_y = sum(x) / n, sum(y) / n
        var_x = sum((a - mean_x) ** 2 for a in x) / n
        var_y = sum((b - mean_y) ** 2 for b in y) / n
        covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / n
        total += 2 * covariance / (var_x + var_y + (mean_x - mean_y) ** 2)
    return 1 - total / pred.shape[1]


def _random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_equals_the_formula_in_loops():
    pred, target = _random(20, 2), _random(20, 2, seed=1)
    assert ccc_loss(pred, target, eps=0.0).item() == pytest.approx(_loss_in_loops(pred, target), rel=1e-12)


def test_columns_are_averaged_or_added():
    pred, target = _random(9, 3), _random(9, 3, seed=1)
    each = [ccc_loss(pred[:, k], target[:, k]) for k in range(3)]
    assert ccc_loss(pred, target, reduction="sum").item() == pytest.approx(sum(each).item(), abs=1e-12)
    assert ccc_loss(pred, target).item() == pytest.approx(sum(each).item() / 3, abs=1e-12)
    with pytest.raises(ValueError, match="reduction must be one of"):
        ccc_loss(pred, target, reduction="none")


def test_is_one_minus_the_metric():
    pred, target = _random(30, 2), _random(30, 2, seed=1)
    assert ccc_loss(pred, target).item() == pytest.approx(1 - ccc(pred, target).mean(), abs=1e-6)


def test_by_hand():
    # both variances are 2/3, the covariance is 2/3, the means differ by 1: 1 - (4/3) / (4/3 + 1)
    pred, target = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([1.0, 2.0, 3.0]).double()
    assert ccc_loss(pred, target).item() == pytest.approx(3 / 7, abs=1e-7)


def test_limits():
    target = _random(10)
    centred = target - target.mean()
    assert ccc_loss(target, target).item() == pytest.approx(0, abs=1e-6)
    assert ccc_loss(-centred, centred).item() == pytest.approx(2, abs=1e-6)
    assert ccc_loss(torch.zeros(10).double(), target).item() == pytest.approx(1)  # constant prediction
    assert ccc_loss(torch.ones(10), torch.ones(10)).item() == 1  # both constant: 0 / eps, not nan


def test_gradient():
    pred = _random(6, 2).requires_grad_()
    assert torch.autograd.gradcheck(ccc_loss, (pred, _random(6, 2, seed=1)))


def test_a_constant_prediction_has_a_finite_gradient():
    pred = torch.zeros(8, requires_grad=True)
    ccc_loss(pred, torch.arange(8.0)).backward()
    assert pred.grad.isfinite().all()


@given(shift=st.floats(-2, 2), scale=st.floats(0.2, 3), seed=st.integers(0, 50))
def test_symmetric_and_unchanged_by_moving_both(shift, scale, seed):
    pred, target = _random(12, seed=seed), _random(12, seed=seed + 1000)
    loss = ccc_loss(pred, target, eps=0.0).item()
    assert ccc_loss(target, pred, eps=0.0).item() == pytest.approx(loss, rel=1e-9)
    moved = ccc_loss(scale * pred + shift, scale * target + shift, eps=0.0).item()
    assert moved == pytest.approx(loss, rel=1e-7)
    assert 0 <= loss <= 2


def test_depends_on_the_batch():
    pred, target = _random(40), _random(40, seed=1)
    halves = (ccc_loss(pred[:20], target[:20]) + ccc_loss(pred[20:], target[20:])) / 2
    assert ccc_loss(pred, target).item() != pytest.approx(halves.item(), abs=1e-4)


def test_refuses():
    with pytest.raises(ValueError, match=r"pred must have the target's shape.*got \(4, 2\) and \(4,\)"):
        ccc_loss(torch.zeros(4, 2), torch.zeros(4))
    with pytest.raises(ValueError, match=r"pred must hold at least 2 rows; got 1\. Raise the batch size\."):
        ccc_loss(torch.zeros(1, 2), torch.zeros(1, 2))
