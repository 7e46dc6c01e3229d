"""Accuracies and macro F1 against scikit-learn, plain loops and hand-worked numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from fer_lib.metrics import accuracy, class_recall, confusion, macro_f1, mean_class_accuracy

labels = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n) for _ in range(2)])
)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label")
@given(labels)
def test_equal_sklearn(pair):
    pred, target = pair
    assert accuracy(pred, target) == pytest.approx(sk.accuracy_score(target, pred), rel=1e-12)
    assert mean_class_accuracy(pred, target) == pytest.approx(
        sk.balanced_accuracy_score(target, pred), rel=1e-12
    )
    expected = sk.f1_score(target, pred, average="macro", zero_division=np.nan)
    assert macro_f1(pred, target) == pytest.approx(expected, rel=1e-12)
    assert np.array_equal(
        confusion(pred, target, num_classes=5), sk.confusion_matrix(target, pred, labels=range(5))
    )


@given(st.integers(0, 10_000))
def test_multi_label_f1_equals_sklearn(seed):
    rng = np.random.default_rng(seed)
    target, pred = rng.integers(0, 2, (2, 12, 4))
    target[:, 3] = pred[:, 3] = 0  # a state that neither occurs nor is predicted
    expected = sk.f1_score(target, pred, average="macro", zero_division=np.nan)
    assert macro_f1(pred, target) == pytest.approx(expected, rel=1e-12)


def test_hand_worked():
    pred, target = [0, 1, 1, 1], [0, 0, 0, 1]
    assert accuracy(pred, target) == 0.5
    assert mean_class_accuracy(pred, target) == pytest.approx((1 / 3 + 1) / 2)
    assert macro_f1(pred, target) == pytest.approx(
        (2 / 4 + 2 / 4) / 2
    )  # class 0: TP 1, FN 2; class 1: TP 1, FP 2


def test_always_naming_the_frequent_class():
    target = np.repeat([0, 1, 2, 3], [70, 10, 10, 10])
    pred = np.zeros(100, dtype=int)
    assert accuracy(pred, target) == 0.7
    assert mean_class_accuracy(pred, target) == 0.25
    assert macro_f1(pred, target) == pytest.approx(2 * 70 / (140 + 30) / 4)


def test_mean_class_accuracy_is_accuracy_when_the_classes_are_equally_many():
    rng = np.random.default_rng(0)
    target = np.repeat(np.arange(7), 20)
    pred = np.where(rng.random(140) < 0.5, target, rng.integers(0, 7, 140))
    assert mean_class_accuracy(pred, target) == pytest.approx(accuracy(pred, target), rel=1e-12)


def test_scores_and_distributions_count_by_their_largest():
    scores = torch.tensor([[0.2, 0.5, 0.3], [3.0, -1.0, 3.0]])
    assert accuracy(scores, torch.tensor([1, 0])) == 1.0  # of equal scores the first
    assert accuracy(scores, np.array([[0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])) == 0.5
    assert macro_f1(scores, [1, 0]) == 1.0


def test_recall_of_an_absent_class_is_nan_and_stays_out_of_the_mean():
    recall = class_recall([0, 2, 1], [0, 2, 2], num_classes=4)
    assert recall[[0, 2]].tolist() == [1.0, 0.5]
    assert np.isnan(recall[[1, 3]]).all()
    assert mean_class_accuracy([0, 2, 1], [0, 2, 2]) == 0.75


def test_threshold_of_the_states():
    target = [[1, 0], [1, 1]]
    scores = np.array([[0.5, 0.2], [0.4, 0.7]])
    assert macro_f1(scores, target) == pytest.approx((2 / 3 + 1) / 2)
    assert macro_f1(scores, target, threshold=0.4) == 1.0


def test_no_state_at_all_scores_0():
    assert macro_f1(np.zeros((3, 2)), np.zeros((3, 2))) == 0.0


class TestRefusals:
    @pytest.mark.parametrize("metric", [accuracy, confusion, class_recall, mean_class_accuracy, macro_f1])
    def test_labels(self, metric):
        with pytest.raises(TypeError, match="pred must hold class indices; got float64"):
            metric([0.2, 0.8], [0, 1])
        with pytest.raises(TypeError, match="target must hold class indices; got float64"):
            metric([0, 1], [0.0, 1.0])
        with pytest.raises(ValueError, match="target must be 0 or more; got 2 negative labels"):
            metric([0, 1, 1], [0, -1, -1])
        with pytest.raises(ValueError, match=r"pred must have the shape of target, \(3,\); got \(2,\)"):
            metric([0, 1], [0, 1, 1])
        with pytest.raises(ValueError, match="with N > 0"):
            metric([], [])
        with pytest.raises(ValueError, match="pred must be finite; got nan"):
            metric(np.full((2, 3), np.nan), [0, 1])

    def test_num_classes(self):
        with pytest.raises(ValueError, match="num_classes must be above the largest label; got 2, label 2"):
            confusion([0, 1], [0, 2], num_classes=2)

    def test_states(self):
        with pytest.raises(
            ValueError, match=r"target must hold 0 or 1 where it has two axes; got 0.2 to 0.8"
        ):
            macro_f1([[0, 1]], [[0.2, 0.8]])
        with pytest.raises(ValueError, match=r"pred must lie in \[0, 1\]; got -2.0 to 3.0"):
            macro_f1([[-2.0, 3.0]], [[0, 1]])
        with pytest.raises(ValueError, match="pred must have the shape of target"):
            macro_f1([[0, 1, 1]], [[0, 1]])
