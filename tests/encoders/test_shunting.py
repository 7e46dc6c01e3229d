"""Equation 1 against plain loops, by hand, at its limits, and its gradient."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.encoders import ShuntingInhibition, shunting


def _loops(u, inhibition, decay):
    """Eq. 1, unit by unit."""
    result = torch.empty_like(u)
    for image in range(u.shape[0]):
        for channel in range(u.shape[1]):
            for x in range(u.shape[2]):
                for y in range(u.shape[3]):
                    at = (image, channel, x, y)
                    result[at] = u[at] / (decay[channel] + inhibition[at])
    return result


def _convolve(features, weight, bias):
    """3 x 3 convolution with a border of zeros, then ReLU, in loops."""
    channels, height, width = features.shape
    result = torch.empty(len(weight), height, width, dtype=features.dtype)
    for out in range(len(weight)):
        for x in range(height):
            for y in range(width):
                total = bias[out].clone()
                for c in range(channels):
                    for dx in (-1, 0, 1):
                        for dy in (-1, 0, 1):
                            if 0 <= x + dx < height and 0 <= y + dy < width:
                                total += weight[out, c, dx + 1, dy + 1] * features[c, x + dx, y + dy]
                result[out, x, y] = max(total, 0.0)
    return result


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = ShuntingInhibition(2, 3).double()
    with torch.no_grad():
        layer.raw_decay += torch.tensor([-1.0, 0.0, 1.0])
    return layer


def test_equals_the_equation_in_loops(layer):
    features = torch.rand(2, 2, 4, 4, dtype=torch.float64)
    decay = [1e-3 + math.log1p(math.exp(raw)) for raw in layer.raw_decay.tolist()]
    for image in range(2):
        u = _convolve(features[image], layer.excite.weight, layer.excite.bias)
        inhibition = _convolve(features[image], layer.inhibit.weight, layer.inhibit.bias)
        expected = _loops(u[None], inhibition[None], decay)[0]
        torch.testing.assert_close(layer(features)[image], expected, rtol=1e-12, atol=1e-12)


def test_by_hand():
    u = torch.tensor([[[[2.0]], [[6.0]]]])
    inhibition = torch.tensor([[[[0.0]], [[1.0]]]])
    assert shunting(u, inhibition, torch.tensor([0.5, 2.0])).flatten().tolist() == [4.0, 2.0]


def test_without_inhibition_the_gain_is_one_over_the_decay():
    u = torch.rand(1, 2, 3, 3)
    torch.testing.assert_close(shunting(u, torch.zeros_like(u), 0.5), 2 * u)


def test_where_the_twin_grows_with_the_unit_the_answer_saturates_at_one():
    u = torch.tensor([[[[1e6]]]])
    assert shunting(u, u, 0.5).item() == pytest.approx(1.0, abs=1e-6)


@given(
    u=st.floats(0, 1e3), inhibition=st.floats(0, 1e3), more=st.floats(1e-3, 1e3), decay=st.floats(1e-3, 10)
)
def test_more_inhibition_never_raises_the_answer(u, inhibition, more, decay):
    def value(i):
        u64, i64 = (torch.tensor(v, dtype=torch.float64) for v in (u, i))
        return shunting(u64, i64, decay).item()

    assert 0 <= value(inhibition + more) <= value(inhibition) <= u / decay * (1 + 1e-12)


def test_gradient_of_the_equation():
    u, inhibition = (torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    decay = torch.tensor([0.5, 0.8], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(shunting, (u, inhibition, decay))


def test_gradient_of_the_layer(layer):
    features = torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (features,))
    parameters = dict(layer.named_parameters())

    def call(*values):
        return torch.func.functional_call(layer, dict(zip(parameters, values, strict=True)), features)

    assert torch.autograd.gradcheck(call, tuple(parameters.values()))


def test_the_decay_starts_at_one_half_and_cannot_reach_zero():
    layer = ShuntingInhibition(1, 4)
    torch.testing.assert_close(layer.decay, torch.full((4,), 0.5))
    with torch.no_grad():
        layer.raw_decay.fill_(-1e4)
        layer.inhibit.weight.zero_()  # a silent twin
    torch.testing.assert_close(layer.decay, torch.full((4,), 1e-3))
    assert layer(torch.rand(1, 1, 5, 5)).isfinite().all()


def test_a_constant_decay_is_no_parameter_and_is_kept_in_the_state():
    constant = ShuntingInhibition(1, 4, learn_decay=False)
    assert "raw_decay" not in dict(constant.named_parameters())
    torch.testing.assert_close(constant.decay, torch.full((4,), 0.5))
    learned = ShuntingInhibition(1, 4)
    assert set(constant.state_dict()) == set(learned.state_dict())
