"""InfoNCE against a double loop, at its limits, its gradient, and what must not change it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.losses import candidate_scores, info_nce, picking


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _in_loops(queries, keys, temperature=1.0, labels=None):
    """Mean over queries of -log share of the own key; keys of the same label are passed over."""
    losses = []
    for i in range(len(queries)):
        total, own, rivals = 0.0, 0.0, 0
        for j in range(len(keys)):
            score = sum(a * b for a, b in zip(queries[i].tolist(), keys[j].tolist(), strict=True))
            if i == j:
                own = math.exp(score / temperature)
            elif labels is None or labels[i] != labels[j]:
                total, rivals = total + math.exp(score / temperature), rivals + 1
        if rivals:
            losses.append(-math.log(own / (own + total)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_equals_the_double_loop(temperature):
    queries, keys = _random(7, 3), _random(7, 3, seed=1)
    loss = info_nce(queries, keys, temperature=temperature).item()
    assert loss == pytest.approx(_in_loops(queries, keys, temperature), rel=1e-12)


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 1, 0, 0, 0, 0], [5, 4, 3, 2, 1, 0]])
def test_keys_of_the_same_label_are_no_candidates(labels):
    queries, keys = _random(6, 4), _random(6, 4, seed=1)
    loss = info_nce(queries, keys, labels=torch.tensor(labels)).item()
    assert loss == pytest.approx(_in_loops(queries, keys, labels=labels), rel=1e-12)


def test_candidates_of_its_own_for_each_query():
    queries, keys = _random(5, 3), _random(5, 4, 3, seed=1)
    place = torch.tensor([0, 3, 1, 2, 0])
    by_hand = []
    for i in range(5):
        scores = [math.exp(float(queries[i] @ keys[i, j])) for j in range(4)]
        by_hand.append(-math.log(scores[place[i]] / sum(scores)))
    assert info_nce(queries, keys, positive=place).item() == pytest.approx(sum(by_hand) / 5, rel=1e-12)
    first = info_nce(queries, keys).item()
    assert first == info_nce(queries, keys, positive=torch.zeros(5, dtype=torch.long)).item()


def test_both_forms_agree():
    queries, keys = _random(4, 3), _random(4, 3, seed=1)
    own = keys.expand(4, 4, 3)
    assert info_nce(queries, own, positive=torch.arange(4)).item() == pytest.approx(
        info_nce(queries, keys).item(), rel=1e-12
    )


@pytest.mark.parametrize("candidates", [2, 5, 64])
def test_equal_scores_give_log_n(candidates):
    keys = _random(candidates, 3)
    assert info_nce(torch.zeros_like(keys), keys).item() == pytest.approx(math.log(candidates), rel=1e-12)


def test_perfect_separation_gives_zero_and_the_worst_grows():
    keys = torch.eye(6, dtype=torch.float64)
    assert info_nce(50 * keys, keys).item() == pytest.approx(0, abs=1e-12)
    assert info_nce(-50 * keys, keys).item() == pytest.approx(50 + math.log(5), rel=1e-9)


def test_by_hand():
    # scores 1 and 0 for both queries, the own key scoring 1: -log(e / (e + 1))
    keys = torch.eye(2)
    assert info_nce(keys, keys).item() == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-6)


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 0, 1, 2, 1])])
def test_gradient(labels):
    queries, keys = _random(5, 3).requires_grad_(), _random(5, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda q, k: info_nce(q, k, temperature=0.5, labels=labels), (queries, keys)
    )


def test_keys_that_are_no_candidates_get_no_gradient():
    queries, keys = _random(3, 2), _random(3, 2, seed=1).requires_grad_()
    logits, place = candidate_scores(queries, keys, labels=torch.tensor([0, 0, 1]))
    torch.nn.functional.cross_entropy(logits[:1], place[:1]).backward()  # query 0 alone
    assert keys.grad[1].abs().max() == 0
    assert keys.grad[2].abs().max() > 0


def test_huge_scores_stay_finite():
    queries = 1e4 * _random(6, 3)
    assert info_nce(queries, queries, temperature=0.01).isfinite()


@settings(deadline=None)
@given(seed=st.integers(0, 100), scale=st.floats(0.1, 5), temperature=st.floats(0.05, 5))
def test_what_does_not_change_it(seed, scale, temperature):
    queries, keys = _random(6, 3, seed=seed), _random(6, 3, seed=seed + 1000)
    loss = info_nce(queries, keys, temperature=temperature).item()
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    turn, _ = torch.linalg.qr(_random(3, 3, seed=seed + 2000))
    assert loss >= 0
    assert info_nce(queries[order], keys[order], temperature=temperature).item() == pytest.approx(
        loss, rel=1e-9
    )
    assert info_nce(queries @ turn, keys @ turn, temperature=temperature).item() == pytest.approx(
        loss, rel=1e-7
    )
    # one shift for all keys adds the same to every score of a query
    assert info_nce(queries, keys + 1.5, temperature=temperature).item() == pytest.approx(
        loss, rel=1e-7, abs=1e-9
    )
    scaled = info_nce(scale * queries, keys, temperature=scale * temperature).item()
    assert scaled == pytest.approx(loss, rel=1e-7)


@settings(deadline=None)
@given(seed=st.integers(0, 100))
def test_the_bound_never_exceeds_log_n(seed):
    logits, place = candidate_scores(8 * _random(5, 3, seed=seed), _random(5, 3, seed=seed + 1))
    found = picking(logits, place)
    assert found["bound"] <= math.log(5)
    assert found["loss"] >= 0
    assert found["bound"] + found["loss"] == pytest.approx(math.log(5), rel=1e-12)


def test_picking_counts_by_hand():
    logits = torch.tensor([[2.0, 1.0, -torch.inf], [3.0, 1.0, 0.0], [0.0, -torch.inf, 5.0]])
    found = picking(logits, torch.tensor([0, 1, 2]))
    assert found["accuracy"] == pytest.approx(2 / 3)  # the second row prefers a rival
    assert found["chance"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)
    assert found["bound"] == pytest.approx((2 * math.log(2) + math.log(3)) / 3 - found["loss"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4, 2), torch.zeros(3, 2)), r"keys must be \(B, D\).*got \(3, 2\) and \(4, 2\)"),
        ((torch.zeros(4, 2), torch.zeros(4, 3)), r"keys must be \(B, D\).*got \(4, 3\) and \(4, 2\)"),
        ((torch.zeros(1, 2), torch.zeros(1, 2)), r"at least 2 candidates a query; got 1\. Raise the batch"),
        ((torch.zeros(0, 2), torch.zeros(0, 2)), r"at least 2 candidates a query; got 0"),
        ((torch.zeros(3, 2), torch.zeros(3, 1, 2)), r"at least 2 candidates a query; got 1"),
        ((torch.full((3, 2), torch.nan), torch.zeros(3, 2)), r"must be finite; got nan or inf"),
        ((torch.zeros(3, 2), torch.full((3, 2), torch.inf)), r"must be finite; got nan or inf"),
    ],
)
def test_refuses_shapes_and_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        info_nce(*arguments)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 2), {"temperature": 0.0}, r"temperature must be above 0; got 0\.0"),
        ((3, 2), {"positive": torch.arange(3)}, r"positive must be \(3,\) with keys \(B, N, D\)"),
        ((3, 4, 2), {"positive": torch.arange(4)}, r"positive must be \(3,\).*got \(4,\)"),
        ((3, 4, 2), {"positive": torch.tensor([0, 1, 4])}, r"positive must lie in \[0, 4\); got 0 to 4"),
        ((3, 4, 2), {"positive": torch.zeros(3)}, "positive must hold whole numbers; got torch.float32"),
        ((3, 4, 2), {"labels": torch.arange(3)}, r"labels must be \(3,\) with keys \(B, D\)"),
        ((3, 2), {"labels": torch.arange(4)}, r"labels must be \(3,\) with keys \(B, D\); got \(4,\)"),
        ((3, 2), {"labels": torch.ones(3)}, r"labels must hold at least two values; got 3 times 1\.0"),
    ],
)
def test_refuses_options(shape, options, message):
    with pytest.raises(ValueError, match=message):
        info_nce(torch.zeros(3, 2), torch.zeros(shape), **options)
