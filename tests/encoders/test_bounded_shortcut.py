"""BReG-NeXt's shortcut: its equation, its limits, its slope; and the block that it is in."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.encoders.bregnext import Block, BoundedShortcut, bounded_shortcut

numbers = st.floats(-5, 5)
values = st.floats(-50, 50)


def tensor(value):
    return torch.tensor(value, dtype=torch.float64)


def slope_of(x, alpha, beta):
    x = tensor(x).requires_grad_(True)
    bounded_shortcut(x, tensor(alpha), tensor(beta)).backward()
    return x.grad.item()


@given(x=values, alpha=numbers.filter(lambda a: abs(a) > 1e-2), beta=numbers)
def test_equals_the_equation(x, alpha, beta):
    spread = math.sqrt(beta**2 + 1)
    expected = math.atan(alpha * x / spread) / (alpha * spread)
    found = bounded_shortcut(tensor(x), tensor(alpha), tensor(beta)).item()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(x=values, alpha=numbers, beta=numbers)
def test_the_slope_is_that_of_the_equation_and_never_above_one(x, alpha, beta):
    slope = slope_of(x, alpha, beta)
    assert slope == pytest.approx(1 / (1 + beta**2 + (alpha * x) ** 2), rel=1e-6)
    assert 0 < slope <= 1 + 1e-9


@given(x=values, alpha=numbers, beta=numbers)
def test_it_is_odd_in_x_and_even_in_its_numbers(x, alpha, beta):
    here = bounded_shortcut(tensor(x), tensor(alpha), tensor(beta))
    assert bounded_shortcut(tensor(-x), tensor(alpha), tensor(beta)) == -here
    assert bounded_shortcut(tensor(x), tensor(-alpha), tensor(-beta)) == here


def test_by_hand():
    # alpha = 1, beta = 0, x = 1: arctan 1; alpha = 2, beta = 1, x = 1: arctan(sqrt 2) / (2 sqrt 2)
    assert bounded_shortcut(tensor(1.0), tensor(1.0), tensor(0.0)).item() == pytest.approx(math.pi / 4)
    assert bounded_shortcut(tensor(1.0), tensor(2.0), tensor(1.0)).item() == pytest.approx(
        0.9553166181245093 / (2 * math.sqrt(2))
    )


def test_without_alpha_it_is_a_straight_line():
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    torch.testing.assert_close(bounded_shortcut(x, tensor(0.0), tensor(2.0)), x / 5)
    torch.testing.assert_close(bounded_shortcut(x, tensor(0.0), tensor(0.0)), x)  # the identity mapping


def test_gradients_at_and_around_zero():
    x = torch.tensor([0.0, 1e-6, -0.3, 2.0], dtype=torch.float64, requires_grad=True)
    for alpha, beta in ((1.0, 1.0), (0.0, 0.5), (-2.0, 0.0)):
        pair = (tensor(alpha).requires_grad_(True), tensor(beta).requires_grad_(True))
        assert torch.autograd.gradcheck(bounded_shortcut, (x, *pair))


def test_far_away_it_is_flat_and_finite():
    found = bounded_shortcut(torch.tensor([1e30, -1e30]), torch.tensor(1.0), torch.tensor(0.0))
    torch.testing.assert_close(found, torch.tensor([math.pi / 2, -math.pi / 2]))


def test_channels_of_zeros_stand_on_both_sides_and_sides_are_averaged():
    layer = BoundedShortcut(2, 5, stride=2)
    x = torch.rand(1, 2, 4, 4)
    found = layer(x)
    assert found.shape == (1, 5, 2, 2)
    assert found[:, [0, 3, 4]].abs().sum() == 0
    expected = bounded_shortcut(x, torch.tensor(1.0), torch.tensor(1.0))
    torch.testing.assert_close(found[0, 1, 0, 0], expected[0, 0, :2, :2].mean())


def test_a_block_adds_its_convolutions_to_the_shortcut():
    block = Block(3, 3).eval()
    with torch.no_grad():
        block.convolution.weight.zero_()
        block.convolution.bias.fill_(0.25)
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(block(x), block.shortcut(x) + 0.25)


def test_each_block_learns_two_numbers_that_start_at_one():
    shortcut = Block(3, 3).shortcut
    assert {name: value.item() for name, value in shortcut.named_parameters()} == {"alpha": 1, "beta": 1}
