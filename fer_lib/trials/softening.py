"""What soft labels know, what weights do to answers, and what the rungs of a ladder bring (chapter 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.affect import faces_in_squares, va_bins
from fer_lib.trials.baseline import RUNGS, TAKEN
from fer_lib.trials.comparing import gain

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.trials.baseline import LadderRuns


def plane_shares(labels: Any, va: Any, bins: int, *, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """P(class | square) of a set, and how many faces each square holds.

    Args:
        labels: class numbers, (N,).
        va: valence and arousal, (N, 2), in [-1, 1].
        bins: squares along each axis.
        num_classes: K.

    Returns:
        Shares (bins, bins, K), rows by arousal from -1 upwards, columns by valence; nan in empty squares.
        Counts (bins, bins).

    Example:
        >>> shares, counts = plane_shares([0, 1, 1], [[0.5, 0.5], [0.6, 0.7], [-0.5, 0.0]], 2, num_classes=2)
        >>> shares[1, 1].tolist(), counts.tolist()
        ([0.5, 0.5], [[0, 0], [1, 2]])
    """
    found, _ = faces_in_squares(labels, va, bins, num_classes)
    counts = found.sum(1, keepdims=True)
    shares = np.where(counts > 0, found / np.maximum(counts, 1), np.nan)
    return shares.reshape(bins, bins, num_classes), counts.reshape(bins, bins).astype(int)


def looked_up(shares: np.ndarray, va: Any, fallback: np.ndarray) -> np.ndarray:
    """P(class | square) at given places, (N, K); ``fallback`` (K,) where the square is empty."""
    va, bins = np.asarray(va, dtype=np.float64), len(shares)
    found = shares.reshape(bins * bins, -1)[va_bins(va[:, 0], va[:, 1], bins)]
    return np.where(np.isnan(found), fallback, found)


def held_out(
    train: tuple[Any, Any], other: tuple[Any, Any], bins: Sequence[int], *, num_classes: int
) -> "pd.DataFrame":
    """How well squares of each size foretell the classes of the set they were counted on, and of another.

    The loss is half the squared distance of the shares from the one-hot label (eq. 3.4.2 of the thesis),
    which stays finite where a class never occurred.

    Args:
        train: labels (N,) and affect (N, 2) that are counted.
        other: the same of faces that are not.
        bins: squares along each axis, several.
        num_classes: K.

    Returns:
        bins, counted and held_out (mean losses), alone (share of training faces without company).
    """
    import pandas as pd

    labels, va = (np.asarray(values) for values in train)
    whole = np.bincount(labels, minlength=num_classes) / len(labels)
    lines = []
    for count in bins:
        shares, faces = plane_shares(labels, va, count, num_classes=num_classes)
        losses = [
            _distance(looked_up(shares, places, whole), np.asarray(names)) for names, places in (train, other)
        ]
        alone = (faces.ravel()[va_bins(va[:, 0], va[:, 1], count)] == 1).mean()
        lines.append({"bins": count, "counted": losses[0], "held_out": losses[1], "alone": float(alone)})
    return pd.DataFrame(lines)


def _distance(shares: np.ndarray, labels: np.ndarray) -> float:
    return float(((shares - np.eye(shares.shape[1])[labels]) ** 2).sum(1).mean() / 2)


def tilted(probabilities: np.ndarray, weights: Any) -> np.ndarray:
    r"""What training with class weights aims at, from answers of a training without: no new training.

    .. math:: q_c = \frac{w_c \, p_c}{\sum_k w_k \, p_k}

    Args:
        probabilities: (..., K).
        weights: of the classes, (K,), not negative.

    Example:
        >>> tilted(np.array([[0.75, 0.25]]), [1.0, 3.0]).tolist()
        [[0.5, 0.5]]

    Reference: Saerens et al. (2002), eq. 2.4, for weights that are ratios of priors. Chapter 12.
    """
    raised = np.asarray(probabilities) * np.asarray(weights, dtype=float)
    return raised / raised.sum(-1, keepdims=True)


def accuracy_under(recall: Any, prior: Any) -> float:
    """Accuracy that class recalls (K,) would give where classes have the shares ``prior`` (K,).

    Classes without a recall (nan) are left out, and the others' shares raised.

    Example:
        >>> accuracy_under([1.0, 0.0], [0.9, 0.1])
        0.9
    """
    recall, prior = np.asarray(recall, float), np.asarray(prior, float)
    known = ~np.isnan(recall)
    return float((recall[known] * prior[known]).sum() / prior[known].sum())


def ladder_frames(found: "LadderRuns") -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Levels and steps of the ladder in per cent, with the thesis's Table 3.1 where it has them.

    The thesis's steps are those of its own order: its encoder grows after pre-training, ours before.

    Returns:
        Levels: name, row and column (of the table), mean, low, high (95 % over seeds), published. Steps:
        name, mean, low, high, faces_low, faces_high, p, published; nan over faces for the last step,
        whose faces are others.
    """
    import pandas as pd

    from fer_lib.datasets.splitting import people_of
    from fer_lib.metrics import mean_interval, paired_difference
    from fer_lib.results import published

    printed = published("emotion-gcn", "Table 3.1").set_index(["row", "column"])["value"]
    eight = printed[:, "8 classes"].to_list()
    order = ("+ weighted", "+ pre-trained", "+ stronger encoder", "+ aligned", "+ augmented")
    told = dict(zip(order, np.diff(eight), strict=True))
    told["without contempt"] = printed.iloc[-1] - eight[-1]
    levels, steps, before = [], [], None
    scores = found.rows[found.rows["metric"] == "mean_class_accuracy"]
    for rung in RUNGS:
        if rung.name not in found.tests:
            continue
        faces, mine = found.tests[rung.name], scores["model"] == rung.name
        own = 100 * scores.loc[mine, "value"].to_numpy()
        place = (rung.printed or rung.name.removeprefix("+ "), f"{len(faces.classes)} classes")
        over = mean_interval(own)
        levels.append(
            {"name": rung.name, "row": place[0], "column": place[1], "mean": over.value, "low": over.low,
             "high": over.high, "published": printed.get(place, np.nan)}
        )  # fmt: skip
        if before is not None:
            step = {"name": rung.name, "published": told[rung.name]}
            if len(before[1]) == len(faces):
                pair = found.probabilities[rung.name], found.probabilities[before[2]]
                more = gain(*pair, faces.targets().numpy(), people_of(faces))
            else:
                d = paired_difference(own, before[0])
                more = {"mean": d.mean, "low": d.low, "high": d.high, "p": d.p_value}
            steps.append(step | more)
        before = own, faces, rung.name
    return pd.DataFrame(levels), pd.DataFrame(steps)


def losses_of(found: "LadderRuns") -> "pd.DataFrame":
    """What the whole baseline loses, in points, when one thing is left out of it.

    Args:
        found: of a ladder with the rung "+ augmented" and some of ``TAKEN``.

    Returns:
        name (of the missing rung) and what ``comparing.gain`` tells: whole minus without.
    """
    import pandas as pd

    from fer_lib.datasets.splitting import people_of

    faces, whole = found.tests["+ augmented"], found.probabilities["+ augmented"]
    target, people, lines = faces.targets().numpy(), people_of(faces), []
    for name, rung in TAKEN.items():
        if rung.name in found.tests:
            lines.append({"name": name} | gain(whole, found.probabilities[rung.name], target, people))
    return pd.DataFrame(lines)
