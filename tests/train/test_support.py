"""The support vector machine on features: its choice, its invariance, and what it refuses."""

import numpy as np
import pytest
from sklearn.svm import SVC

from fer_lib.train.support import svm_on_features


def rings(count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = 1 + labels + 0.1 * rng.normal(size=count)
    return np.column_stack([radius * np.cos(angle), 100 * radius * np.sin(angle)]), labels


def test_it_is_scikit_learns_machine_on_standardised_features():
    train, validation = rings(80, 0), rings(80, 1)
    machine = svm_on_features(train, validation, strengths=(1.0,))
    scaled = [(x - train[0].mean(0)) / train[0].std(0) for x in (train[0], validation[0])]
    plain = SVC(C=1.0, class_weight="balanced").fit(scaled[0], train[1])
    np.testing.assert_array_equal(machine.predict(validation[0]), plain.predict(scaled[1]))
    assert (machine.predict(validation[0]) == validation[1]).mean() > 0.95


def test_the_choice_is_the_best_on_the_validation_faces():
    train, validation = rings(60, 2), rings(60, 3)
    machine = svm_on_features(train, validation, strengths=(1e-6, 10.0, 1e-5))
    assert machine.named_steps["svc"].C == 10.0


def test_what_suits_the_training_faces_better_is_not_chosen_for_that():
    train, other = rings(60, 2), rings(60, 3)[0]
    weak = svm_on_features(train, train, strengths=(1e-6,))
    machine = svm_on_features(train, (other, weak.predict(other)), strengths=(10.0, 1e-6))
    assert machine.named_steps["svc"].C == 1e-6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train": (np.zeros((3, 2)), np.zeros(2))}, "train must be finite features"),
        ({"validation": (np.full((2, 2), np.nan), np.zeros(2))}, "validation must be finite features"),
        ({"strengths": ()}, "strengths must be one or more"),
        ({"strengths": (0.0,)}, "strengths must be one or more"),
        ({"train": (np.zeros((3, 2)), np.zeros(3))}, "two classes"),
    ],
)
def test_wrong_values_are_told(change, words):
    given = {"train": rings(20, 0), "validation": rings(20, 1)} | change
    train, validation = given.pop("train"), given.pop("validation")
    with pytest.raises(ValueError, match=words):
        svm_on_features(train, validation, **given)
