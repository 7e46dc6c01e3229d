"""The supervised contrastive loss against double loops, another library, by hand, and at its limits."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import NTXentLoss, SupConLoss
from torch.nn import functional as F

from fer_lib.losses import contrastive_labels, supervised_contrastive_loss
from fer_lib.losses.contrastive import positives

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 3, 1])  # 2 and 3 have one sample each
STATES = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]])


def _embeddings(n=8, d=5, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _share(labels, i, j):
    if labels.ndim == 1:
        return bool(labels[i] == labels[j])
    return any(a == 1 and b == 1 for a, b in zip(labels[i].tolist(), labels[j].tolist(), strict=True))


def _loops(embeddings, labels, t, denominator):
    """Losses of the samples that have one, from the equations, number by number."""
    rows = [[x / math.sqrt(sum(y * y for y in row)) for x in row] for row in embeddings.tolist()]
    n, losses = len(rows), []
    for i in range(n):
        score = [math.exp(sum(a * b for a, b in zip(rows[i], rows[j], strict=True)) / t) for j in range(n)]
        alike = [j for j in range(n) if j != i and _share(labels, i, j)]
        other = [k for k in range(n) if k != i and (denominator == "all" or not _share(labels, i, k))]
        if alike and other:
            total = sum(score[k] for k in other)
            losses.append(-sum(math.log(score[j] / total) for j in alike) / len(alike))
    return losses


@pytest.mark.parametrize("denominator", ["all", "negatives"])
@pytest.mark.parametrize("labels", [LABELS, STATES], ids=["classes", "states"])
@pytest.mark.parametrize("t", [0.05, 1.0])
def test_equals_double_loops(denominator, labels, t):
    z = _embeddings(len(labels))
    losses = _loops(z, labels, t, denominator)
    for reduction, expected in (("mean", sum(losses) / len(losses)), ("sum", sum(losses))):
        ours = supervised_contrastive_loss(z, labels, t, denominator=denominator, reduction=reduction)
        assert ours.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("t", [0.07, 0.5])
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([0, 1, 0, 1, 1, 0, 1, 0])], ids=["single", "pairs"])
def test_equals_another_library(labels, t):
    # The code published with Khosla et al. multiplies by t / 0.07 (a "base temperature"): at t = 0.5 its loss
    # is 7.1 times this one. This library does not, nor do we. Its mean leaves samples without a positive out.
    z = _embeddings()
    theirs = SupConLoss(temperature=t)(z, labels)
    torch.testing.assert_close(supervised_contrastive_loss(z, labels, t), theirs, rtol=1e-9, atol=0)


def test_temperature_multiplies_nothing():
    # Orthogonal unit vectors, two of each class: -log(1 / 3) whatever t is; a base temperature would show.
    z, labels = torch.eye(4, dtype=torch.float64), torch.tensor([0, 0, 1, 1])
    for t in (0.07, 0.1, 10.0):
        assert supervised_contrastive_loss(z, labels, t).item() == pytest.approx(math.log(3), rel=1e-12)


def test_by_hand():
    # z = e1, e1, e2, -e1 with classes 0, 0, 1, 1 and t = 1. Sums over all others: e + 1 + 1/e (twice),
    # 1 + 1 + 1 for e2, 1/e + 1/e + 1 for -e1; the cosine of the positive pair is 1, 1, 0, 0.
    z = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [-1.0, 0.0]], dtype=torch.float64)
    labels, e = torch.tensor([0, 0, 1, 1]), math.e
    of_all = 2 * (math.log(e + 1 + 1 / e) - 1) + math.log(3) + math.log(2 / e + 1)
    assert supervised_contrastive_loss(z, labels, 1.0).item() == pytest.approx(of_all / 4, rel=1e-12)
    of_others = 2 * (math.log(1 + 1 / e) - 1) + math.log(2) + math.log(2 / e)
    ours = supervised_contrastive_loss(z, labels, 1.0, denominator="negatives", reduction="sum")
    assert ours.item() == pytest.approx(of_others, rel=1e-12)


def test_of_pairs_it_is_simclr():
    # Each class twice: NT-Xent of two views.
    z, labels = _embeddings(), torch.arange(4).repeat(2)
    torch.testing.assert_close(
        supervised_contrastive_loss(z, labels, 0.2), NTXentLoss(temperature=0.2)(z, labels)
    )


def test_negatives_are_a_part_of_all():
    z = _embeddings()
    whole, part = (
        supervised_contrastive_loss(z, LABELS, 0.3, denominator=name) for name in ("all", "negatives")
    )
    assert part < whole


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    t=st.floats(0.02, 2.0),
    scale=st.floats(1e-12, 1e12),
    denominator=st.sampled_from(["all", "negatives"]),
)
def test_neither_order_nor_scale_matters(seed, t, scale, denominator):
    generator = torch.Generator().manual_seed(seed)
    z, order = _embeddings(seed=seed), torch.randperm(8, generator=generator)
    before = supervised_contrastive_loss(z, LABELS, t, denominator=denominator)
    scales = scale * torch.linspace(0.5, 2, 8, dtype=torch.float64)[:, None]
    after = supervised_contrastive_loss((z * scales)[order], LABELS[order], t, denominator=denominator)
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("denominator", ["all", "negatives"])
@pytest.mark.parametrize("labels", [LABELS, STATES], ids=["classes", "states"])
def test_gradient(denominator, labels):
    z = _embeddings(len(labels)).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: supervised_contrastive_loss(x, labels, 0.4, denominator=denominator), (z,)
    )


def test_gradient_pulls_what_is_alike_and_pushes_the_rest():
    z = F.normalize(torch.tensor([[1.0, 0.2], [1.0, -0.2], [0.4, 1.0]]), dim=1).requires_grad_()
    labels = torch.tensor([0, 0, 1])
    supervised_contrastive_loss(z, labels, 0.5).backward()
    step = F.normalize(z - 0.1 * z.grad, dim=1)
    before, after = z.detach() @ z.detach().T, step.detach() @ step.detach().T
    assert after[0, 1] > before[0, 1]
    assert after[0, 2] < before[0, 2]


def test_small_temperatures_do_not_overflow():
    z = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1]])
    loss = supervised_contrastive_loss(z, torch.tensor([0, 1, 0, 1]), 1e-4)
    assert 1e4 < loss.item() < 1e5  # exp(1 / t) alone would be infinite


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    z = (300 * _embeddings()).to(dtype)  # squares overflow in float16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = supervised_contrastive_loss(z, LABELS, 0.1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, supervised_contrastive_loss(z.float(), LABELS, 0.1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("labels", [torch.tensor([0, 1, 2]), torch.eye(3)], ids=["classes", "states"])
@pytest.mark.parametrize("denominator", ["all", "negatives"])
def test_without_a_positive_it_is_zero_with_a_gradient(labels, denominator):
    z = torch.randn(3, 4, requires_grad=True)
    for reduction in ("mean", "sum"):
        loss = supervised_contrastive_loss(z, labels, 0.1, denominator=denominator, reduction=reduction)
        assert loss.item() == 0
        (gradient,) = torch.autograd.grad(loss, z)
        assert gradient.tolist() == torch.zeros(3, 4).tolist()


def test_a_single_sample_is_an_enemy_and_no_anchor():
    z = torch.eye(3, dtype=torch.float64)  # log(1 + 1), twice, over TWO anchors
    loss = supervised_contrastive_loss(z, torch.tensor([0, 0, 1]), 1.0)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-12)


def test_zero_vectors_give_finite_gradients():
    z = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    loss = supervised_contrastive_loss(z, torch.tensor([0, 0, 1]), 0.1)
    loss.backward()
    assert loss.isfinite()
    assert z.grad.isfinite().all()
    assert z.grad[0].tolist() == [0.0, 0.0]


def test_huge_embeddings_do_not_overflow_in_single_precision():
    z = torch.randn(8, 5)
    labels = torch.arange(8) % 3
    small = supervised_contrastive_loss(z, labels, 0.2)
    torch.testing.assert_close(supervised_contrastive_loss(z * 1e25, labels, 0.2), small)


def test_nan_embeddings_give_nan():
    z = torch.ones(2, 2).index_fill(0, torch.tensor(1), math.nan)
    assert supervised_contrastive_loss(z, torch.tensor([0, 0]), 0.1).isnan()


def test_one_class_is_fine_among_all():
    z = torch.eye(3, dtype=torch.float64)
    loss = supervised_contrastive_loss(z, torch.zeros(3, dtype=torch.long), 0.5)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-12)


Z = torch.randn(4, 2)
FOUR = torch.tensor([0, 0, 1, 1])
BAD = [
    ("at least 2 samples; got 1", (Z[:1], FOUR[:1], 0.1), {}),
    (r"floating-point \(N, D\); got torch.float32 \(4, 2, 1\)", (Z[..., None], FOUR, 0.1), {}),
    (r"floating-point \(N, D\); got torch.int64", (FOUR[:, None], FOUR, 0.1), {}),
    ("temperature must be positive and finite; got 0", (Z, FOUR, 0.0), {}),
    ("temperature must be positive and finite; got -1", (Z, FOUR, -1.0), {}),
    ("temperature must be positive and finite; got inf", (Z, FOUR, math.inf), {}),
    ("temperature must be positive and finite; got nan", (Z, FOUR, math.nan), {}),
    (r"with N = 4; got torch.int64 \(3,\)", (Z, FOUR[:3], 0.1), {}),
    (r"with N = 4; got torch.float32 \(4,\)", (Z, FOUR.float(), 0.1), {}),
    (r"with N = 4; got torch.int64 \(4, 1, 1\)", (Z, FOUR[:, None, None], 0.1), {}),
    ("must be 0 or 1", (Z, torch.full((4, 2), 0.5), 0.1), {}),
    ("denominator must be one of all, negatives; got 'some'", (Z, FOUR, 0.1), {"denominator": "some"}),
    ("reduction must be one of mean, sum; got 'none'", (Z, FOUR, 0.1), {"reduction": "none"}),
    ("two classes for the denominator 'negatives'", (Z, FOUR * 0, 0.1), {"denominator": "negatives"}),
    ("two classes for", (Z, torch.ones(4, 3), 0.1), {"denominator": "negatives"}),
]


@pytest.mark.parametrize(("words", "given", "options"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_is_refused(words, given, options):
    with pytest.raises(ValueError, match=words):
        supervised_contrastive_loss(*given, **options)


def test_positives_share_at_least_one_state():
    expected = [[_share(STATES, i, j) for j in range(6)] for i in range(6)]
    assert positives(STATES).tolist() == expected


def test_labels_of_every_task():
    assert contrastive_labels(torch.tensor([2, 0]), "softmax").tolist() == [2, 0]
    assert contrastive_labels(torch.tensor([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]), "distribution").tolist() == [
        1,
        0,
    ]
    assert torch.equal(contrastive_labels(STATES, "multi_label"), STATES)


def test_values_are_cut_into_squares():
    # Edges at -1/3 and 1/3: valence low, middle, high across, arousal upwards.
    values = torch.tensor([[-0.9, -0.9], [0.0, -0.5], [0.34, 0.0], [-0.34, 0.9], [1.3, 1.0]])
    assert contrastive_labels(values, "valence_arousal").tolist() == [0, 1, 5, 6, 8]
    assert contrastive_labels(values, "valence_arousal", bins=1).tolist() == [0] * 5


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be softmax"):
        contrastive_labels(FOUR, "ranking")
