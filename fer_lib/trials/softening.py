"""What soft labels know, what weights do to answers, and differences with two kinds of interval."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.affect import va_bins
from fer_lib.trials.baseline import RUNGS, TAKEN

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
    labels, va = np.asarray(labels), np.asarray(va, dtype=np.float64)
    found = np.zeros((bins * bins, num_classes))
    np.add.at(found, (va_bins(va[:, 0], va[:, 1], bins), labels), 1)
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


def gained(
    after: np.ndarray, before: np.ndarray, target: Any, *, people: Any = None, resamples: int = 1000
) -> dict[str, float]:
    """Difference of mean class accuracy of two models, with intervals over seeds and over faces.

    Args:
        after: probabilities (S, N, K), a row a seed.
        before: the same of the other model, of the same faces and seeds.
        target: class numbers, (N,).
        people: (N,) labels of people or clips, drawn as a whole; None draws faces.
        resamples: draws of the bootstrap.

    Returns:
        mean, low, high (95 %, Student's t over seeds: luck in training), p_value, faces_low and faces_high
        (95 %, bootstrap of the faces with seeds averaged: luck of the test set), as shares.

    Raises:
        ValueError: shapes that do not match, or fewer than two seeds.
    """
    from fer_lib.metrics import paired_difference

    target = np.asarray(target)
    if after.shape[:2] != before.shape[:2] or after.ndim != 3 or after.shape[1] != len(target):
        raise ValueError(
            f"after and before must be (S, {len(target)}, K), a row a seed; got {after.shape} and "
            f"{before.shape}. Give the same seeds and faces."
        )
    right = [np.asarray(one.argmax(2) == target, float) for one in (after, before)]
    scores = [[class_mean(row, target) for row in one] for one in right]
    seeds = paired_difference(*scores)
    gain = (right[0] - right[1]).mean(0)
    low, high = _over_people(gain, target, np.arange(len(target)) if people is None else people, resamples)
    return {
        "mean": seeds.mean, "low": seeds.low, "high": seeds.high, "p_value": seeds.p_value,
        "faces_low": low, "faces_high": high,
    }  # fmt: skip


def _over_people(
    gain: np.ndarray, target: np.ndarray, people: np.ndarray, resamples: int
) -> tuple[float, float]:
    """Ends of the 95 % bootstrap interval of `class_mean`, by how often each of P people is drawn."""
    _, who = np.unique(people, return_inverse=True)
    size = (int(who.max()) + 1, int(target.max()) + 1)
    sums, counts = np.zeros(size), np.zeros(size)
    np.add.at(sums, (who, target), gain)
    np.add.at(counts, (who, target), 1)
    drawn = np.random.default_rng(0).multinomial(size[0], np.full(size[0], 1 / size[0]), resamples)
    with np.errstate(invalid="ignore"):
        found = np.nanmean((drawn @ sums) / (drawn @ counts), axis=1)  # (resamples,)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def class_mean(values: np.ndarray, target: np.ndarray) -> float:
    """Mean over the classes of the mean of some values (N,) of their faces.

    Example:
        >>> class_mean(np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1]))
        0.75
    """
    counts = np.bincount(target)
    sums = np.bincount(target, weights=values)
    return float((sums[counts > 0] / counts[counts > 0]).mean())


def ladder_frames(found: "LadderRuns") -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Levels and steps of the ladder in per cent, with the thesis's Table 3.1 where it has them.

    The thesis's steps are those of its own order: its encoder grows after pre-training, ours before.

    Returns:
        Levels: name, row and column (of the table), mean, low, high (95 % over seeds), published. Steps:
        name, mean, low, high, faces_low, faces_high, p_value, published; nan over faces for the last step,
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
            gain = {"name": rung.name, "published": told[rung.name]}
            if len(before[1]) == len(faces):
                pair = found.probabilities[rung.name], found.probabilities[before[2]]
                more = gained(*pair, faces.targets().numpy(), people=people_of(faces))
                more = {key: value if key == "p_value" else 100 * value for key, value in more.items()}
            else:
                d = paired_difference(own, before[0])
                more = {"mean": d.mean, "low": d.low, "high": d.high, "p_value": d.p_value}
            steps.append(gain | more)
        before = own, faces, rung.name
    return pd.DataFrame(levels), pd.DataFrame(steps)


def losses_of(found: "LadderRuns") -> "pd.DataFrame":
    """What the whole baseline loses, in points, when one thing is left out of it.

    Args:
        found: of a ladder with the rung "+ augmented" and some of ``TAKEN``.

    Returns:
        name (of the missing rung), mean, low, high, faces_low, faces_high, p_value: whole minus without.
    """
    import pandas as pd

    from fer_lib.datasets.splitting import people_of

    faces, whole = found.tests["+ augmented"], found.probabilities["+ augmented"]
    target, people, lines = faces.targets().numpy(), people_of(faces), []
    for name, rung in TAKEN.items():
        if rung.name in found.tests:
            more = gained(whole, found.probabilities[rung.name], target, people=people)
            lines.append({"name": name} | {k: v if k == "p_value" else 100 * v for k, v in more.items()})
    return pd.DataFrame(lines)
