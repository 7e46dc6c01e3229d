"""Recorded programs repeat the function they were recorded from, for any input, and stay short."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.views.steps import STEPS
from fer_lib.views.tracing import trace


def steps(program):
    names, found, at = list(STEPS), [], 0
    while at < len(program.code):
        found.append(names[program.code[at]])
        at += 1 + STEPS[found[-1]][0]
    return found


def mixed(x):
    """Shapes, branches by value, in-place work and constants, as layouts have them."""
    rows = x.reshape(2, 3).clone()
    rows.neg_()
    bent = torch.where(
        rows >= 0, rows.clamp(0.2, 0.7).sqrt(), torch.exp(rows) + torch.tensor([0.0, 1.0, 2.0])
    )
    turned = torch.sin(bent[:, :1]) * torch.cos(bent) - torch.tanh(bent.mean(1, keepdim=True))
    both = torch.cat([turned, torch.maximum(turned, bent * 0.3)], 0)
    return torch.addcmul(both, both, both, value=0.5).lerp(both, 0.25).flatten()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-2, 2, width=32), min_size=6, max_size=6))
def test_a_program_holds_for_inputs_it_was_not_recorded_with(values):
    program = trace(mixed, torch.tensor([0.3, -0.2, 0.5, 1.0, -1.0, 0.1]))
    np.testing.assert_allclose(program.run(values), mixed(torch.tensor(values)), rtol=2e-5, atol=2e-6)


def test_constants_are_computed_and_equal_steps_kept_once():
    program = trace(
        lambda x: (x * (2.0 * torch.ones(1)) + 0.0) * 1.0 + x * torch.full((1,), 2.0), torch.ones(1)
    )
    assert steps(program) == ["mul", "add"]
    assert program.constants == [2.0]
    assert program.run([3.0]) == [12.0]


def test_what_no_output_needs_is_left_out():
    def wasteful(x):
        torch.exp(x)
        return x + 1

    assert steps(trace(wasteful, torch.zeros(1))) == ["add"]


def test_unknown_operations_and_writes_into_parts_are_refused():
    with pytest.raises(TypeError, match="function must use known operations; got erf"):
        trace(torch.erf, torch.ones(1))

    def writes(x):
        y = x * 1.5
        y[:1] += 1
        return y

    with pytest.raises(TypeError, match="function must"):
        trace(writes, torch.ones(2))
    with pytest.raises(ValueError, match="values must be 1 numbers; got 2"):
        trace(lambda x: x + 1, torch.ones(1)).run([1.0, 2.0])
