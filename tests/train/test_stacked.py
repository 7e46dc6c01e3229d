"""All seeds at once give what one by one gives: weights, histories, best epochs, whatever the head."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt.frozen import features_of
from fer_lib.adapt.regimes import free_for
from fer_lib.encoders import CPC, FaceChannel
from fer_lib.heads import DenseHead, FaceModel, JointHead
from fer_lib.losses import CenterLoss, IslandLoss, SubclassLoss, center_local_loss, focal_loss
from fer_lib.losses.reducing import check_labels, unread
from fer_lib.train import Fit, Settings, fit, predict, seeded
from fer_lib.train.sides import SideTargets
from fer_lib.train.stacked import STACK, fit_together, stack_size, why_not

SEEDS = (3, 1, 2)
SETTINGS = Settings(batch_size=16, learning_rate=3e-3)


def joint(shape, **options):
    return JointHead(shape, 3, embedding=8, **{"affect": "none"} | options)


HEADS = {
    "ccc": partial(joint, affect="ccc"),
    "parts": partial(joint, affect="eight", fusion="concatenate"),
    "focal": partial(joint, class_loss=partial(focal_loss, gamma=2.0)),
    "dense": lambda shape: DenseHead(shape, 3, hidden=(8,)),
    "center": lambda shape: joint(shape, metric_loss=CenterLoss(3, 8)),
    "learned centers": lambda shape: joint(shape, metric_loss=CenterLoss(3, 8, learn="gradient")),
    "island": lambda shape: joint(shape, metric_loss=IslandLoss(3, 8)),
    "subclass": lambda shape: joint(shape, metric_loss=SubclassLoss(3, 2, 8, 0.5)),
}


@pytest.fixture(scope="module")
def parts():
    faces = small_faces(count=60)
    both = SideTargets(faces, faces.table[["valence", "arousal"]].to_numpy().clip(-1, 1))
    return both.subset(slice(0, 43)), both.subset(slice(43, 60))  # a last batch of 11


def face_channel(**options):
    return FaceChannel(width=0.125, size=16, **{"dropout": 0.0} | options)


def learners(head, regime, make=face_channel):
    """One a seed: the same encoder, decision layers of their own."""
    found = []
    for seed in SEEDS:
        with seeded(7):
            encoder = make()
        with seeded(seed):
            found.append(free_for(FaceModel(encoder, head(encoder.feature_shape)), regime).tail())
    return found


def sets_of(learner, parts, faces=None, **options):
    return [
        features_of(learner.encoder, one, learner.start, cache=False, **options) for one in faces or parts
    ]


def plain(parts, head):
    """DenseHead wants the classes alone."""
    return [one.faces for one in parts] if head == "dense" else parts


def compare(alone, together, sets, settings=SETTINGS, epochs=4):
    """Train both ways; the largest differences of weights, histories and predictions."""
    one = [fit(m, *sets, epochs=epochs, seed=s, settings=settings) for m, s in zip(alone, SEEDS, strict=True)]
    all_ = fit_together(together, *sets, epochs=epochs, seeds=SEEDS, settings=settings)
    assert [f.best_epoch for f in one] == [f.best_epoch for f in all_]
    assert [f.stopped_early for f in one] == [f.stopped_early for f in all_]
    for a, b in zip(one, all_, strict=True):
        told = [f.history.drop(columns="seconds") for f in (a, b)]
        np.testing.assert_allclose(*[t.to_numpy(float) for t in told], atol=1e-4)
        assert list(told[0]) == list(told[1])
        assert a.best_score == pytest.approx(b.best_score, abs=1e-4)
    for a, b in zip(alone, together, strict=True):
        assert not b.training
        for name, value in a.state_dict().items():
            torch.testing.assert_close(b.state_dict()[name], value, rtol=0, atol=1e-4)
        np.testing.assert_allclose(predict(a, sets[1]), predict(b, sets[1]), atol=1e-4)
    return all_


@pytest.mark.parametrize("regime", ["last_conv", "decision"])
@pytest.mark.parametrize("head", HEADS)
def test_at_once_as_one_by_one(head, regime, parts):
    alone, together = (learners(HEADS[head], regime) for _ in range(2))
    before = together[0].state_dict()["head." + next(iter(dict(together[0].head.named_parameters())))].clone()
    sets = sets_of(alone[0], plain(parts, head))
    assert why_not(together, sets[0], SETTINGS) == ""
    found = compare(alone, together, sets)
    assert len({f.history["train_loss"][0] for f in found}) == len(SEEDS)  # each has its own weights, order
    after = together[0].state_dict()["head." + next(iter(dict(together[0].head.named_parameters())))]
    assert not torch.equal(before, after)


def test_with_views_balance_patience_and_sgd(parts):
    settings = Settings(
        batch_size=16, learning_rate=0.03, optimizer="sgd", balance=0.5, patience=1, select="loss", warmup=0.2
    )
    alone, together = (learners(HEADS["ccc"], "last_conv") for _ in range(2))
    train = sets_of(alone[0], parts[:1], views=3)[0]
    found = compare(alone, together, [train, sets_of(alone[0], parts[1:])[0]], settings, epochs=10)
    assert len({len(f.history) for f in found}) > 1  # some seeds stop before others


def test_batch_norm_behind_the_trunk_keeps_its_statistics(parts):
    alone, together = (
        learners(HEADS["ccc"], "last_conv", partial(CPC, width=0.25, size=32)) for _ in range(2)
    )
    assert any("running_mean" in name for name, _ in alone[0].named_buffers())
    # AdamW would turn the rounding of a bias before BatchNorm, whose gradient is 0, into steps
    settings = Settings(batch_size=16, learning_rate=0.01, optimizer="plain_sgd")
    compare(alone, together, sets_of(alone[0], parts), settings)


def test_a_seed_that_diverges_leaves_the_others_alone(parts):
    def build():
        found = learners(HEADS["ccc"], "decision")
        with torch.no_grad():
            found[1].head.classifier.weight.mul_(1e30)
            found[1].head.classifier.bias.fill_(math.inf)
        return found

    alone, together = build(), build()
    sets = sets_of(alone[0], parts)
    found = fit_together(together, *sets, epochs=2, seeds=SEEDS, settings=SETTINGS)
    assert [type(one) for one in found] == [Fit, FloatingPointError, Fit]
    with pytest.raises(FloatingPointError) as error:
        fit(alone[1], *sets, epochs=2, seed=SEEDS[1], settings=SETTINGS)
    assert str(error.value) == str(found[1])
    fit(alone[2], *sets, epochs=2, seed=SEEDS[2], settings=SETTINGS)
    torch.testing.assert_close(
        together[2].head.classifier.weight, alone[2].head.classifier.weight, rtol=0, atol=1e-4
    )


def test_each_seed_may_have_faces_of_its_own(parts):
    faces = small_faces(count=90, seed=4)
    rows = [(slice(0, 40), slice(40, 52)), (slice(20, 60), slice(60, 85)), (slice(50, 90), slice(0, 30))]
    settings = Settings(batch_size=16, learning_rate=3e-3, balance=0.5)
    alone, together = (learners(HEADS["dense"], "last_conv") for _ in range(2))
    sets = [
        sets_of(one, parts, [faces.subset(row) for row in own]) for one, own in zip(alone, rows, strict=True)
    ]
    train, validation = (list(each) for each in zip(*sets, strict=True))
    assert why_not(together, train, settings) == ""
    found = fit_together(together, train, validation, epochs=3, seeds=SEEDS, settings=settings)
    for seed, one, other, own, told in zip(SEEDS, alone, together, sets, found, strict=True):
        done = fit(one, *own, epochs=3, seed=seed, settings=settings)
        histories = [f.history.drop(columns="seconds").to_numpy(float) for f in (done, told)]
        np.testing.assert_allclose(*histories, atol=1e-4)
        np.testing.assert_allclose(predict(one, own[1]), predict(other, own[1]), atol=1e-4)
    with pytest.raises(
        ValueError, match=r"of one length; got 3 with \[12, 40\] faces, and 3. Give one for all"
    ):
        fit_together(together, [*train[:2], validation[0]], validation, epochs=1, seeds=SEEDS)


def test_says_what_cannot_be_stacked(parts):
    sets = sets_of(learners(HEADS["ccc"], "last_conv")[0], parts)
    local = learners(lambda shape: joint(shape, metric_loss=center_local_loss), "last_conv")
    assert "item()" in why_not(local, sets[0], SETTINGS)
    dropping = learners(HEADS["ccc"], "last_conv", partial(face_channel, dropout=0.5))
    assert "random" in why_not(dropping, sets[0], SETTINGS)
    whole = [learner.model for learner in learners(HEADS["ccc"], "all")]
    assert why_not(whole, parts[0], SETTINGS).startswith("more learns")
    with pytest.raises(ValueError, match=r"learners must be such as can be stacked; got: .*item.*Call fit"):
        fit_together(local, *sets, epochs=1, seeds=SEEDS)
    with pytest.raises(ValueError, match=r"seeds must be distinct, one a learner; got \[1, 1, 2\] for 3"):
        fit_together(local, *sets, epochs=1, seeds=(1, 1, 2))


def test_the_size_of_a_stack(monkeypatch):
    monkeypatch.delenv("FER_STACK", raising=False)
    assert stack_size() == (STACK if torch.cuda.is_available() else 1)
    monkeypatch.setenv("FER_STACK", "7")
    assert stack_size() == 7
    monkeypatch.setenv("FER_STACK", "many")
    with pytest.raises(ValueError, match=r"FER_STACK must be a whole number from 1 on; got 'many'"):
        stack_size()


def test_labels_are_read_but_for_a_stack():
    wrong = torch.tensor([0, 5])
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 3\); got 5"):
        check_labels("logits", torch.zeros(2, 3), wrong, 3)
    with unread():
        check_labels("logits", torch.zeros(2, 3), wrong, 3)
