"""The best score that any reader of faces can reach against a set's annotations: the ceiling of its plots.

A world knows the probability that its panel gives each label to each face. A reader who knew it too, and
answered as the metric rewards, would still be marked down where annotators slipped, leaned or disagreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.faceset import METRICS
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

WHAT = {
    "accuracy": "share of faces with the label that the panel gives most often",
    "mean_class_accuracy": "mean over classes, answering the class likeliest for its share of the labels",
    "macro_f1": "mean F1 over states, each called present where its probability promises the highest F1",
    "ccc": "mean CCC of valence and arousal, for the panel's mean rating at the annotations' spread",
}


@dataclass(frozen=True)
class Ceiling:
    """The best reachable score.

    Attributes:
        value: in the metric's own scale, 0 to 1.
        metric: which.
        what: how the oracle answers, in words.
        parts: the score of each class, state or axis, where the metric has them.
    """

    value: float
    metric: str
    what: str
    parts: dict[str, float]


def ceiling(faces: FaceSet, task: str | None = None) -> Ceiling:
    """Score an oracle that knows the truth and the panel against the annotations of a world's faces.

    The oracle knows what is shown in the whole clip where the annotators judged clips; a reader of single
    frames stays below it. Its answers depend on the truth alone, never on the annotations it is scored by.

    Args:
        faces: of a world.
        task: one of ``faces.tasks``; None takes the set's own.

    Raises:
        DataError: the faces have no truth: real corpora have no known ceiling.
        ValueError: a task that the faces do not allow.

    Example:
        >>> from fer_lib.datasets import load
        >>> best = ceiling(load("world:fer2013", size=32, limit=64))
        >>> best.metric, 0.4 < best.value < 1
        ('accuracy', True)
    """
    faces = faces if task is None else faces.as_task(task)
    if faces.truth is None:
        raise DataError(faces.name, "faces must come from a world", "no truth", "Load a name with world:.")
    if faces.task == "valence_arousal":
        return _values(faces)
    names = [f"label_{name}" for name in faces.classes]
    chance = faces.truth[names].to_numpy(dtype=float)
    target = faces.targets().numpy()
    if faces.task == "multi_label":
        return _states(chance, target, faces.classes)
    target = target.argmax(1) if faces.task == "distribution" else target
    metric = faces.metric if faces.metric in ("accuracy", "mean_class_accuracy") else METRICS[faces.task]
    return _classes(chance, target, faces.classes, metric)


def _classes(chance: np.ndarray, target: np.ndarray, classes: tuple[str, ...], metric: str) -> Ceiling:
    """Bayes: the likeliest class, or, where classes count alike, the likeliest for its share."""
    weighted = chance / np.maximum(chance.mean(0), 1e-12) if metric == "mean_class_accuracy" else chance
    answer = weighted.argmax(1)
    there = np.unique(target)
    parts = {classes[k]: float((answer[target == k] == k).mean()) for k in there}
    value = (
        float(np.mean(list(parts.values())))
        if metric == "mean_class_accuracy"
        else float((answer == target).mean())
    )
    return Ceiling(value, metric, WHAT[metric], parts)


def _states(chance: np.ndarray, target: np.ndarray, classes: tuple[str, ...]) -> Ceiling:
    parts = {}
    for k, name in enumerate(classes):
        called, present = chance[:, k] >= best_threshold(chance[:, k]), target[:, k] > 0
        both = called.sum() + present.sum()
        parts[name] = float(2 * (called & present).sum() / both) if both else 0.0
    return Ceiling(float(np.mean(list(parts.values()))), "macro_f1", WHAT["macro_f1"], parts)


def best_threshold(chance: np.ndarray) -> float:
    """The probability from which on a state is called present for the highest expected F1.

    With the faces in the order of their probability p, calling the first m present promises
    F1(m) = 2 sum_{i<=m} p_i / (m + sum_i p_i).

    Args:
        chance: (N,) probabilities.

    Returns:
        The lowest probability that is still called present.

    >>> float(best_threshold(np.array([0.9, 0.5, 0.1])))
    0.5
    """
    order = np.sort(chance)[::-1]
    promised = 2 * order.cumsum() / (np.arange(1, len(order) + 1) + order.sum())
    return float(order[promised.argmax()])


def _values(faces: FaceSet) -> Ceiling:
    """CCC 2 s_pt / (s_p^2 + s_t^2 + (m_p - m_t)^2) is largest for m_t + (p - m_p) s_t / s_p: then it is r."""
    assert faces.truth is not None
    target = faces.targets().numpy().astype(float)
    parts = {}
    for k, axis in enumerate(("valence", "arousal")):
        expected = faces.truth[f"label_{axis}"].to_numpy(dtype=float)
        steady = expected.std() < 1e-12 or target[:, k].std() < 1e-12
        parts[axis] = 0.0 if steady else float(np.corrcoef(expected, target[:, k])[0, 1])
    return Ceiling(float(np.mean(list(parts.values()))), "ccc", WHAT["ccc"], parts)
