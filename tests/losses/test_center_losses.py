"""Center, island and subclass losses against plain loops in float64, their rules by hand, and limits."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from fer_lib.losses import CenterLoss, IslandLoss, SubclassLoss, center_local_loss, va_center_loss
from fer_lib.losses.centers import _nearness
from fer_lib.losses.islands import between

B, D, K = 23, 6, 4


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(B, D, generator=generator, dtype=torch.float64)
    y = torch.randint(0, K - 1, (B,), generator=generator)  # the last class is absent
    va = torch.rand(B, 2, generator=generator, dtype=torch.float64) * 2 - 1
    return x, y, va


def half_square(a, b):
    return sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)) / 2


def made(kind, *args, **options):
    torch.manual_seed(1)
    return kind(*args, **options).double()


def means_of(x, y):
    return {j: x[y == j].mean(0) for j in range(K) if (y == j).any()}


def test_center_loss_is_the_mean_or_sum_of_half_squares(batch):
    x, y, _ = batch
    loss = made(CenterLoss, K, D).eval()
    plain = sum(half_square(row, loss.centers[j]) for row, j in zip(x, y.tolist(), strict=True))
    assert loss(x, y, reduction="sum").item() == pytest.approx(plain, abs=1e-10)
    assert loss(x, y).item() == pytest.approx(plain / B, abs=1e-10)


def test_gradient_of_the_center_loss_is_the_way_to_the_center(batch):
    x, y, _ = batch
    loss = made(CenterLoss, K, D).eval()
    x.requires_grad_(True)
    loss(x, y, reduction="sum").backward()
    torch.testing.assert_close(x.grad, (x - loss.centers[y]).detach(), atol=1e-12, rtol=0)


def test_centers_move_by_wens_rule_after_the_loss(batch):
    x, y, _ = batch
    loss = made(CenterLoss, K, D, 0.3).train()
    before = loss.centers.clone()
    value = loss(x, y)
    assert value != loss.eval()(x, y)  # the loss of the centers before
    for j in range(K):
        mine = x[y == j]
        step = sum(before[j] - row for row in mine) / (1 + len(mine)) if len(mine) else torch.zeros(D)
        torch.testing.assert_close(loss.centers[j], before[j] - 0.3 * step, atol=1e-12, rtol=0)


def test_one_face_moves_its_center_as_counted_by_hand():
    loss = CenterLoss(2, 1, 1.0)
    loss.centers = torch.tensor([[1.0], [5.0]])
    assert loss(torch.tensor([[4.0]]), torch.tensor([0])).item() == 4.5
    assert loss.centers.tolist() == [[2.5], [5.0]]  # 1 - (1 - 4) / (1 + 1)


def test_centers_stay_in_evaluation_and_travel_with_the_state(batch):
    x, y, _ = batch
    loss = made(CenterLoss, K, D).eval()
    before = loss.centers.clone()
    loss(x, y)
    assert torch.equal(loss.centers, before)
    assert "centers" in loss.state_dict()
    assert not list(loss.parameters())
    assert len(list(made(CenterLoss, K, D, learn="gradient").parameters())) == 1


def test_local_centers_are_the_means_of_the_batch(batch):
    x, y, _ = batch
    plain = sum(half_square(row, means_of(x, y)[j]) for row, j in zip(x, y.tolist(), strict=True))
    assert center_local_loss(x, y, reduction="sum").item() == pytest.approx(plain, abs=1e-10)
    assert gradcheck(lambda z: center_local_loss(z, y), x.requires_grad_(True))


def test_a_batch_of_one_has_no_local_loss_and_no_gradient():
    x = torch.randn(1, D, requires_grad=True)
    center_local_loss(x, torch.tensor([2])).backward()
    assert x.grad.abs().sum() == 0


def weight(face, middle, axes):
    apart = math.sqrt(sum((float(face[a]) - float(middle[a])) ** 2 for a in axes))
    return (2 * math.sqrt(len(axes)) - apart) ** 2 / 4


@pytest.mark.parametrize(("name", "axes"), [("both", (0, 1)), ("valence", (0,)), ("arousal", (1,))])
@pytest.mark.parametrize("given", [True, False])
def test_va_center_loss_weighs_each_face_by_its_affect(batch, name, axes, given):
    x, y, va = batch
    class_va = torch.tensor([[0.1, 0.2], [-0.5, 0.4], [0.8, -0.3], [0.0, 0.0]]).double() if given else None
    middles = class_va if given else means_of(va, y)
    plain = sum(
        weight(face, middles[j], axes) * half_square(row, means_of(x, y)[j])
        for row, j, face in zip(x, y.tolist(), va, strict=True)
    )
    found = va_center_loss(x, y, va, class_va, axes=name, reduction="sum")
    assert found.item() == pytest.approx(plain, abs=1e-10)
    assert gradcheck(lambda z: va_center_loss(z, y, va, class_va, axes=name), x.requires_grad_(True))


def test_va_center_loss_of_faces_at_their_class_is_twice_the_local_one(batch):
    x, y, _ = batch
    class_va = torch.rand(K, 2, dtype=torch.float64)
    same = va_center_loss(x, y, class_va[y], class_va)  # d = 0: w = (2 sqrt 2)^2 / 4
    assert same.item() == pytest.approx(2 * center_local_loss(x, y).item(), rel=1e-12)
    far = va_center_loss(x, y, torch.ones(B, 2).double(), -torch.ones(K, 2).double())
    assert far.item() == pytest.approx(0, abs=1e-12)


def cosine(a, b):
    dot = sum(float(p) * float(q) for p, q in zip(a, b, strict=True))
    return dot / math.sqrt(sum(float(p) ** 2 for p in a) * sum(float(q) ** 2 for q in b))


def ordered(n):
    return [(j, k) for j in range(n) for k in range(n) if j != k]


def test_islands_push_by_angle(batch):
    x, y, _ = batch
    loss = made(IslandLoss, K, D, 0.4, weight=0.7).train()
    c = loss.centers.clone()
    plain = sum(half_square(row, c[j]) for row, j in zip(x, y.tolist(), strict=True))
    plain += 0.7 * sum(cosine(c[j], c[k]) + 1 for j, k in ordered(K))
    assert loss(x, y, reduction="sum").item() == pytest.approx(plain, abs=1e-10)
    for j in range(K):  # eq. 4.3.2, term by term
        mine = x[y == j]
        step = (len(mine) * c[j] - mine.sum(0)) / (1 + len(mine))
        for k in range(K):
            if k != j:
                lengths = c[j].norm() * c[k].norm()
                step = step + 0.7 / (K - 1) * (
                    c[k] / lengths - (c[k] @ c[j]) / (c[k].norm() * c[j].norm() ** 3) * c[j]
                )
        torch.testing.assert_close(loss.centers[j], c[j] - 0.4 * step, atol=1e-12, rtol=0)


def test_euclidean_islands_push_by_distance(batch):
    x, y, _ = batch
    loss = made(IslandLoss, K, D, 0.4, weight=0.7, euclidean=True, margin=1.5).train()
    c = loss.centers.clone()
    short = {(j, k): max(1.5 - float((c[j] - c[k]).norm()), 0) for j, k in ordered(K)}
    assert any(short.values())
    assert not all(short.values())
    plain = sum(half_square(row, c[j]) for row, j in zip(x, y.tolist(), strict=True))
    plain += 0.7 * sum(value**2 for value in short.values())
    assert loss(x, y, reduction="sum").item() == pytest.approx(plain, abs=1e-10)
    for j in range(K):
        mine = x[y == j]
        step = (len(mine) * c[j] - mine.sum(0)) / (1 + len(mine))
        for k in range(K):
            if k != j:
                away = c[j] - c[k]
                step = step - 0.7 / (K - 1) * 2 * short[j, k] * away / away.norm()
        torch.testing.assert_close(loss.centers[j], c[j] - 0.4 * step, atol=1e-12, rtol=0)


@pytest.mark.parametrize("options", [{}, {"euclidean": True, "margin": 3.0}])
def test_pushing_lowers_what_it_says_it_lowers(options):
    loss = made(IslandLoss, K, D, 0.1, **options).train()
    face = loss.centers[:1].clone(), torch.tensor([0])
    apart = [between(loss.centers, loss.margin).item()]
    for _ in range(20):
        loss(*face)  # one class has a face; the others move by the push alone
        apart.append(between(loss.centers, loss.margin).item())
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.8 * apart[0]


def test_no_push_is_computed_where_it_is_not_used(batch, monkeypatch):
    x, y, _ = batch

    def told():
        raise AssertionError

    for loss in (
        made(IslandLoss, K, D).eval(),
        made(IslandLoss, K, D, learn="gradient").train(),
        made(SubclassLoss, K, 2, D, 0.5, learn="gradient").train(),
    ):
        monkeypatch.setattr(loss, "_push", told)
        assert loss(x, y).isfinite()


def test_margin_zero_pushes_nothing(batch):
    x, y, _ = batch
    near = made(IslandLoss, K, D, euclidean=True, margin=1e-9).train()
    plain = made(CenterLoss, K, D).train()
    assert near(x, y).item() == pytest.approx(plain(x, y).item(), rel=1e-12)
    torch.testing.assert_close(near.centers, plain.centers)


def test_one_center_a_class_is_the_center_loss(batch):
    x, y, _ = batch
    many, one = made(SubclassLoss, K, 1, D, margin=0.5).train(), made(CenterLoss, K, D).train()
    for _ in range(3):
        assert many(x, y).item() == one(x, y).item()
    assert torch.equal(many.centers, one.centers)


def test_each_face_goes_to_the_nearest_center_of_its_class(batch):
    x, y, _ = batch
    loss = made(SubclassLoss, K, 3, D, margin=0.4, alpha=0.6, weight=0.9).train()
    c = loss.centers.clone().reshape(K, 3, D)
    nearest = [min(range(3), key=lambda a: half_square(row, c[j, a])) for row, j in zip(x, y.tolist(), strict=True)]  # fmt: skip  # noqa: E501
    plain = sum(half_square(row, c[j, a]) for row, j, a in zip(x, y.tolist(), nearest, strict=True))
    over = lambda j, a, b: max(float((c[j, a] - c[j, b]).norm()) - 0.4, 0)  # noqa: E731
    plain += 0.9 * sum(over(j, a, b) ** 2 for j in range(K) for a, b in ordered(3))
    assert loss(x, y, reduction="sum").item() == pytest.approx(plain, abs=1e-10)
    for j in range(K):
        for a in range(3):
            mine = x[[i for i in range(B) if y[i] == j and nearest[i] == a]]
            step = (len(mine) * c[j, a] - mine.sum(0)) / (1 + len(mine))
            for b in range(3):
                if b != a:
                    away = c[j, a] - c[j, b]
                    step = step + 0.9 / 2 * 2 * over(j, a, b) * away / away.norm()
            found = loss.centers.reshape(K, 3, D)[j, a]
            torch.testing.assert_close(found, c[j, a] - 0.6 * step, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CenterLoss(K, D, learn="gradient"),
        lambda: IslandLoss(K, D, learn="gradient"),
        lambda: IslandLoss(K, D, euclidean=True, margin=2.0, learn="gradient"),
        lambda: SubclassLoss(K, 2, D, 0.3, learn="gradient"),
    ],
)
def test_gradients_of_faces_and_centers(batch, make):
    x, y, _ = batch
    torch.manual_seed(5)
    loss = make().double()

    def of(z, centers):
        return torch.func.functional_call(loss, {"centers": centers}, (z, y))

    assert gradcheck(of, (x.requires_grad_(True), loss.centers.detach().requires_grad_(True)))


def test_half_precision_features_are_scored_in_their_own_precision(batch):
    x, y, _ = batch
    loss = CenterLoss(K, D).eval()
    found = loss(x.to(torch.bfloat16), y)
    assert found.item() == pytest.approx(loss(x.float(), y).item(), rel=0.02)


def test_half_precision_sums_as_far_as_need_be():
    x, y = torch.full((1000, D), 100.0, dtype=torch.float16), torch.zeros(1000, dtype=torch.int64)
    assert center_local_loss(x, y).item() == 0  # sums of 100,000 are beyond float16
    assert va_center_loss(x.requires_grad_(True), y, torch.zeros(1000, 2)).item() == 0
    loss = CenterLoss(1, D, alpha=1.0)
    loss.centers = torch.zeros(1, D, dtype=torch.float16)
    loss(x, y)
    assert loss.centers.dtype == torch.float16
    torch.testing.assert_close(loss.centers.float(), torch.full((1, D), 1e5 / 1001), atol=0.06, rtol=0)


def test_faces_farther_from_their_class_than_can_be_weigh_nothing():
    assert _nearness(torch.tensor([0.0, 1.0, 2.0, 5.0]), 2.0).tolist() == [1.0, 0.25, 0.0, 0.0]


def va_of(va, class_va=None):
    return va_center_loss(torch.zeros(1, D), torch.tensor([0]), va, class_va)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: CenterLoss(0, D), "num_classes must be at least 1"),
        (lambda: CenterLoss(K, D, 0.0), r"alpha must lie in \(0, 1\]"),
        (lambda: CenterLoss(K, D, learn="wen"), "learn must be one of rule, gradient"),
        (lambda: IslandLoss(1, D), "num_classes must be at least 2"),
        (lambda: IslandLoss(K, D, margin=2.0), "margin must be above 0 with euclidean"),
        (lambda: IslandLoss(K, D, euclidean=True), "margin must be above 0 with euclidean"),
        (lambda: IslandLoss(K, D, weight=-1.0), "weight must be 0 or more"),
        (lambda: SubclassLoss(K, 0, D), "k must be at least 1"),
        (lambda: SubclassLoss(K, 2, D, -0.5), "margin must be 0 or more"),
        (lambda: CenterLoss(K, D)(torch.zeros(2, D + 1), torch.tensor([0, 1])), "must have 6 columns"),
        (lambda: CenterLoss(K, D)(torch.zeros(2, D), torch.tensor([0, K])), r"labels must lie in \[0, 4\)"),
        (lambda: CenterLoss(K, D)(torch.zeros(2, D), torch.tensor([0.0, 1.0])), "labels must be int64"),
        (lambda: CenterLoss(K, D)(torch.zeros(0, D), torch.zeros(0).long()), "at least one row"),
        (lambda: CenterLoss(K, D)(torch.zeros(1, D), torch.tensor([0]), reduction="none"), "reduction"),
        (
            lambda: center_local_loss(torch.zeros(2, D, 1), torch.tensor([0, 1])),
            "embeddings must be floating",
        ),
        (
            lambda: va_center_loss(torch.zeros(1, D), torch.tensor([0]), torch.zeros(1, 2), axes="va"),
            "axes must be one of",
        ),
        (lambda: va_center_loss(torch.zeros(1, D), torch.tensor([0]), torch.zeros(2)), "va must be"),
        (lambda: va_of(torch.full((1, 2), -2.0)), r"va must lie in \[-1, 1\]"),
        (lambda: va_of(torch.full((1, 2), math.nan)), r"va must lie in \[-1, 1\]"),
        (lambda: va_of(torch.zeros(1, 2), torch.zeros(7)), r"class_va must be \(K, 2\)"),
        (lambda: va_of(torch.zeros(1, 2), torch.zeros(7, 3)), r"class_va must be \(K, 2\)"),
        (lambda: va_of(torch.zeros(1, 2), torch.full((7, 2), math.nan)), r"class_va must lie in \[-1, 1\]"),
        (lambda: CenterLoss(2.5, D), "num_classes must be at least 1 and whole; got 2.5"),
    ],
)
def test_wrong_values_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
