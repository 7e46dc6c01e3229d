"""Squares, corrected answers and differences of chapter 12 against loops and by hand."""

import numpy as np
import pytest

from fer_lib.affect import soft_labels
from fer_lib.metrics import mean_class_accuracy
from fer_lib.trials.softening import (
    accuracy_under,
    held_out,
    looked_up,
    plane_shares,
    tilted,
)


@pytest.fixture
def faces():
    rng = np.random.default_rng(3)
    return rng.integers(0, 4, 300), rng.uniform(-1, 1, (300, 2))


def test_squares_hold_what_a_loop_counts(faces):
    labels, va = faces
    shares, counts = plane_shares(labels, va, 6, num_classes=5)
    for up in range(6):
        for across in range(6):
            mates = [
                int(c) for c, (v, a) in zip(labels, va, strict=True)
                if min(int((v + 1) * 3), 5) == across and min(int((a + 1) * 3), 5) == up
            ]  # fmt: skip
            assert counts[up, across] == len(mates)
            if mates:
                wanted = [mates.count(c) / len(mates) for c in range(5)]
                assert shares[up, across].tolist() == pytest.approx(wanted)
            else:
                assert np.isnan(shares[up, across]).all()


def test_looking_up_gives_the_soft_labels_and_falls_back(faces):
    labels, va = faces
    shares, _ = plane_shares(labels, va, 5, num_classes=4)
    np.testing.assert_allclose(looked_up(shares, va, np.zeros(4)), soft_labels(labels, va, 5), atol=1e-7)
    alone, _ = plane_shares([0], [[0.9, 0.9]], 4, num_classes=2)
    assert looked_up(alone, [[-0.9, 0.0]], np.array([0.3, 0.7])).tolist() == [[0.3, 0.7]]


def test_held_out_loss_is_the_loop_and_one_square_knows_the_shares_only(faces):
    labels, va = faces
    found = held_out((labels[:200], va[:200]), (labels[200:], va[200:]), (1, 4, 200), num_classes=4)
    pi = np.bincount(labels[:200], minlength=4) / 200
    wanted = np.mean([((pi - np.eye(4)[y]) ** 2).sum() / 2 for y in labels[200:]])
    assert found["held_out"][0] == pytest.approx(wanted)
    assert found["counted"].is_monotonic_decreasing
    assert found["counted"].iloc[-1] == pytest.approx(0, abs=0.01)
    assert found["alone"].iloc[0] == 0
    assert found["alone"].iloc[-1] > 0.9
    four = soft_labels(labels[:200], va[:200], 4)
    own = np.mean([((row - np.eye(4)[y]) ** 2).sum() / 2 for row, y in zip(four, labels[:200], strict=True)])
    assert found["counted"][1] == pytest.approx(own, abs=1e-6)


def test_corrected_answers_are_bayes_rule_for_other_frequencies():
    likelihood, prior = np.array([0.2, 0.5, 0.1]), np.array([0.8, 0.15, 0.05])
    answer = likelihood * prior / (likelihood * prior).sum()
    np.testing.assert_allclose(tilted(answer, 1 / prior), likelihood / likelihood.sum())
    squared = likelihood * prior**2
    np.testing.assert_allclose(tilted(answer, prior), squared / squared.sum())


def test_accuracy_at_given_shares(faces):
    labels, _ = faces
    pred = np.roll(labels, 7)
    recall = np.array([(pred[labels == c] == c).mean() for c in range(4)])
    assert accuracy_under(recall, np.bincount(labels) / 300) == pytest.approx((pred == labels).mean())
    assert accuracy_under(recall, np.full(4, 0.25)) == pytest.approx(mean_class_accuracy(pred, labels))
    assert accuracy_under([0.5, np.nan], [0.2, 0.8]) == 0.5
