"""Is one variant better than another? Pairs of seeds, pairs of faces, and what could be seen at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.metrics import bootstrap_interval, paired_difference
from fer_lib.trials.runs import Runs

if TYPE_CHECKING:
    import pandas as pd


def gains(
    runs: Runs,
    models: Sequence[str],
    baseline: str,
    seeds: Sequence[int],
    faces: Any,
    *,
    resamples: int = 1000,
) -> "pd.DataFrame":
    """Differences in mean class accuracy to one model, in points, with two kinds of intervals.

    Over seeds the question is whether another training would show the difference again on these faces; over
    faces (persons, where they are known), whether these trainings would show it on other ones.

    Args:
        runs: with all models and seeds.
        models: to compare; the baseline itself is left out.
        baseline: a model's name.
        seeds: at least two.
        faces: the reported set.
        resamples: of the bootstrap over faces.

    Returns:
        A row a model: model, mean, low, high (95 % over seeds), p, holm (p adjusted by Holm for the number of
        models), deviation (of the differences over seeds), discordant (share of the faces that only one of
        the two names rightly, mean over seeds), faces_low, faces_high, n.
    """
    import pandas as pd

    from fer_lib.evidence.independence import adjusted

    labels, people = faces.targets().numpy(), people_of(faces)
    right = {name: 100 * _right(runs, name, seeds, labels) for name in (*models, baseline)}
    lines = []
    for name in models:
        if name == baseline:
            continue
        pair = [_class_means(right[one], labels) for one in (name, baseline)]
        d = paired_difference(*pair)
        each = (right[name] - right[baseline]).mean(0)
        over = bootstrap_interval(_class_mean, each, labels, resamples=resamples, groups=people)
        line = {"model": name, "mean": d.mean, "low": d.low, "high": d.high, "p": d.p_value, "n": d.n}
        line |= {"deviation": float(np.std(pair[0] - pair[1], ddof=1))}
        line |= {"discordant": float((right[name] != right[baseline]).mean())}
        lines.append(line | {"faces_low": float(over.low), "faces_high": float(over.high)})
    return pd.DataFrame(lines).assign(holm=adjusted(np.array([line["p"] for line in lines])))


def detectable(deviation: float, n: int, *, power: float = 0.8, confidence: float = 0.95) -> float:
    r"""Smallest true difference that n pairs would find with a given probability.

    With :math:`n` pairs whose differences have standard deviation :math:`s`, the paired t test's statistic
    follows a noncentral t distribution; the difference is :math:`\lambda s / \sqrt n` for the
    :math:`\lambda` that brings it beyond the critical value with probability ``power``.

    Args:
        deviation: s, >= 0.
        n: pairs, at least 2.
        power: in (0, 1), above (1 - confidence) / 2.
        confidence: of the test, in (0, 1).

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> round(detectable(1.0, 3), 2), round(detectable(1.0, 30), 2)
        (3.26, 0.53)

    Reference: chapter 14.
    """
    from scipy.special import nctdtrinc, stdtrit

    if deviation < 0 or n < 2 or not 0 < confidence < 1 or not (1 - confidence) / 2 < power < 1:
        raise ValueError(
            f"deviation must be 0 or more, n at least 2, power and confidence in (0, 1); got {deviation}, "
            f"{n}, {power}, {confidence}. 0.8 and 0.95 are usual."
        )
    critical = stdtrit(n - 1, 0.5 + confidence / 2)
    return float(nctdtrinc(n - 1, 1 - power, critical) * deviation / np.sqrt(n))


def face_noise(discordant: float, faces: int, *, confidence: float = 0.95) -> float:
    r"""Half-width of the interval of a difference in accuracy that comes from the faces alone, in points.

    Of :math:`n` faces a share :math:`d` is named rightly by only one of two models; a difference near zero
    has the standard error :math:`\sqrt{d / n}`, as in McNemar's test.

    Args:
        discordant: d, in [0, 1].
        faces: n, as many of each class.
        confidence: in (0, 1).

    Example:
        >>> round(face_noise(0.2, 3500), 2)
        1.48

    Reference: McNemar (1947). Chapter 14.
    """
    from scipy.special import ndtri

    if not 0 <= discordant <= 1 or faces < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"discordant must lie in [0, 1], faces be at least 1, confidence in (0, 1); got {discordant}, "
            f"{faces}, {confidence}. Count faces that only one of two models names rightly."
        )
    return float(100 * ndtri(0.5 + confidence / 2) * np.sqrt(discordant / faces))


def in_words(low: float, high: float) -> str:
    """What an interval of a difference tells.

    Example:
        >>> in_words(0.1, 0.5), in_words(-0.1, 0.5), in_words(-0.2, -0.1)
        ('above zero', 'open', 'below zero')
    """
    return "above zero" if low > 0 else "below zero" if high < 0 else "open"


def pooled(deviations: Any) -> float:
    """Root of the mean variance: one standard deviation for several comparisons of as many pairs.

    Example:
        >>> pooled([3.0, 4.0]) == 12.5**0.5
        True
    """
    return float(np.sqrt(np.square(np.asarray(deviations, float)).mean()))


def people_of(faces: Any) -> Any:
    """Who is on each face, (N,), from the table's subjects or a world's truth; None where nobody knows."""
    for table, column in ((faces.table, "subject"), (faces.truth, "identity")):
        if table is not None and column in table and table[column].nunique() > 1:
            return table[column].astype(str).to_numpy()
    return None


def news_of(labels: Any, parts: Any) -> tuple[float, float]:
    """How many bits a part of the plane holds, and how many of them the expression does not tell already.

    Args:
        labels: class numbers (N,).
        parts: part numbers (N,).

    Returns:
        Entropy H(part) and conditional entropy H(part | class) of these faces, in bits.

    Example:
        >>> news_of([0, 0, 1, 1], [0, 1, 2, 2])
        (1.5, 0.5)
    """
    labels, parts = np.asarray(labels), np.asarray(parts)
    counts = np.zeros((labels.max() + 1, parts.max() + 1))
    np.add.at(counts, (labels, parts), 1)
    joint = counts / counts.sum()
    whole, both, one = (_entropy(p) for p in (joint.sum(0), joint, joint.sum(1)))
    return whole, both - one


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _right(runs: Runs, name: str, seeds: Sequence[int], labels: np.ndarray) -> np.ndarray:
    """Which faces are named rightly, (seeds, N)."""
    return np.stack([runs.arrays(name, seed)["probabilities"].argmax(1) == labels for seed in seeds]).astype(
        float
    )


def _class_means(right: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([_class_mean(row, labels) for row in right])


def _class_mean(values: np.ndarray, labels: np.ndarray) -> float:
    """Mean of the classes' means; classes without faces do not count."""
    sums, counts = np.bincount(labels, weights=values), np.bincount(labels)
    return float((sums[counts > 0] / counts[counts > 0]).mean())
