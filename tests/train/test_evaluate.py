"""Metrics by task, and scores restricted to a few classes."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_faces import small_faces

from fer_lib.metrics import ccc
from fer_lib.train import evaluate, restrict


def _restricted_in_loops(pred, target, chosen):
    """Accuracy among the faces of the chosen classes, choosing between those only."""
    right = count = 0
    for scores, label in zip(pred, target, strict=True):
        if label in chosen:
            best = max(chosen, key=lambda k: scores[k])
            right, count = right + (best == label), count + 1
    return right / count


def test_values():
    faces = small_faces("valence_arousal")
    pred = faces.targets().numpy() * 0.5 + 0.1
    scores = evaluate(pred, faces)
    expected = ccc(pred, faces.targets().numpy())
    assert scores == {"ccc_valence": pytest.approx(expected[0]), "ccc_arousal": pytest.approx(expected[1])}


@pytest.mark.parametrize("task", ["categorical", "distribution"])
def test_classes(task):
    faces = small_faces(task)
    pred = np.random.default_rng(0).random((48, 3)).astype(np.float32)
    labels = faces.table["expression"].to_numpy()
    scores = evaluate(pred, faces)
    assert set(scores) == {"accuracy", "mean_class_accuracy", "happy_neutral"}  # four_classes lacks anger
    assert scores["accuracy"] == pytest.approx((pred.argmax(1) == labels).mean())
    assert scores["happy_neutral"] == pytest.approx(_restricted_in_loops(pred, labels, [0, 1]))


def test_states():
    faces = small_faces("multi_label")
    assert evaluate(faces.targets().numpy(), faces) == {"macro_f1": 1.0}


def test_restrict_equals_loops_and_keeps_only_the_chosen():
    rng = np.random.default_rng(1)
    pred, target = rng.random((60, 5)), rng.integers(0, 5, 60)
    chosen = [4, 1, 2]
    best, truth = restrict(pred, target, chosen)
    assert len(best) == np.isin(target, chosen).sum()
    assert (best == truth).mean() == pytest.approx(_restricted_in_loops(pred, target, chosen))
    assert [chosen[k] for k in truth] == target[np.isin(target, chosen)].tolist()
