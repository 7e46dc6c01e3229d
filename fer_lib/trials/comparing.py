"""Is one model better than another? Pairs of seeds, people drawn anew, and what could be seen at all."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.trials.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

_AT_ONCE = 4_000_000  # drawn people held in memory


def gain(
    after: Any, before: Any, labels: Any, people: Any = None, *, resamples: int = 1000
) -> dict[str, float]:
    """Difference of mean class accuracy of two models, in points, with intervals over seeds and over people.

    Over seeds the question is whether another training would show the difference again on these faces; over
    people, whether these trainings would show it on those of others.

    Args:
        after: probabilities (S, N, K), a row a seed.
        before: the same of the other model, for the same seeds and faces.
        labels: class numbers, (N,).
        people: (N,), drawn as a whole; None draws faces. See ``fer_lib.datasets.splitting.people_of``.
        resamples: of the bootstrap.

    Returns:
        mean, low, high and p (95 %, Student's t over seeds); deviation (of the differences over seeds); n
        (seeds); discordant (share of the faces that only one of the two names rightly, mean over seeds);
        faces_low, faces_high (95 %, bootstrap with the seeds averaged).

    Raises:
        ValueError: shapes that do not match, or fewer than two seeds, faces or people.
    """
    from fer_lib.metrics import paired_difference

    after, before, labels = np.asarray(after), np.asarray(before), np.asarray(labels)
    if after.ndim != 3 or after.shape[:2] != before.shape[:2] or after.shape[1:2] != labels.shape:
        raise ValueError(
            f"after and before must be (S, {len(labels)}, K), a row a seed; got {after.shape} and "
            f"{before.shape}. Give the same seeds and faces."
        )
    right = [100.0 * (one.argmax(2) == labels) for one in (after, before)]
    scores = [np.array([class_mean(row, labels) for row in one]) for one in right]
    d = paired_difference(*scores)
    low, high = np.quantile(
        _class_means_drawn((right[0] - right[1]).mean(0), labels, people, resamples), [0.025, 0.975]
    )
    return {
        "mean": d.mean, "low": d.low, "high": d.high, "p": d.p_value,
        "deviation": float(np.std(scores[0] - scores[1], ddof=1)), "n": d.n,
        "discordant": float((right[0] != right[1]).mean()),
        "faces_low": float(low), "faces_high": float(high),
    }  # fmt: skip


def gains(
    runs: Runs, pairs: Iterable[tuple[str, str]], seeds: Sequence[int], faces: Any, *, resamples: int = 1000
) -> "pd.DataFrame":
    """`gain` of pairs of models, with p values adjusted for asking several times.

    Args:
        runs: with all models and seeds.
        pairs: names of models, (better?, than); see `pairs_with`.
        seeds: at least two.
        faces: the reported set.
        resamples: of the bootstrap over people.

    Returns:
        A row a pair: model, against, what `gain` tells, and holm (p adjusted by Holm for their number).
    """
    import pandas as pd

    from fer_lib.datasets.splitting import people_of
    from fer_lib.evidence.independence import adjusted

    pairs, labels, people = list(pairs), faces.targets().numpy(), people_of(faces)
    told = {
        name: answers(runs, name, seeds) for name in dict.fromkeys(name for pair in pairs for name in pair)
    }
    lines = [
        {"model": model, "against": other}
        | gain(told[model], told[other], labels, people, resamples=resamples)
        for model, other in pairs
    ]
    return pd.DataFrame(lines).assign(holm=adjusted(np.array([line["p"] for line in lines])))


def pairs_with(models: Iterable[str], baseline: str) -> list[tuple[str, str]]:
    """Every model but the baseline, against it.

    Example:
        >>> pairs_with(["a", "b", "c"], "b")
        [('a', 'b'), ('c', 'b')]
    """
    return [(model, baseline) for model in models if model != baseline]


def answers(runs: Runs, model: str, seeds: Sequence[int]) -> np.ndarray:
    """Probabilities of a model's runs for the reported faces, (seeds, N, K)."""
    return np.stack([runs.arrays(model, seed)["probabilities"] for seed in seeds])


def class_mean(values: Any, labels: Any) -> float:
    """Mean over the classes of the mean of some values (N,) of their faces, where there are any.

    Example:
        >>> class_mean(np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1]))
        0.75
    """
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=values)
    return float((sums[counts > 0] / counts[counts > 0]).mean())


def drawn_sums(values: Any, people: Any = None, *, resamples: int = 1000, seed: int = 0) -> np.ndarray:
    """Sums over the faces of people who are drawn anew, as many as there are: the bootstrap over people.

    A person who is drawn twice brings all faces twice. Ratios of such sums are bootstrap draws of means.

    Args:
        values: (N, M), a row a face.
        people: (N,), who is on each; None takes each face for a person.
        resamples: draws.
        seed: of the draws, which depend on nothing else but the number of people.

    Returns:
        (resamples, M).

    Raises:
        ValueError: rows that do not pair up, fewer than two people, or no draw.

    Example:
        >>> drawn_sums([[1.0], [1.0], [1.0], [1.0]], ["a", "a", "b", "b"], resamples=3)[:, 0].tolist()
        [4.0, 4.0, 4.0]
    """
    values = np.asarray(values, dtype=np.float64)
    who = np.arange(len(values)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    count = int(who.max()) + 1 if len(who) else 0
    if values.ndim != 2 or len(who) != len(values) or count < 2 or resamples < 1:
        raise ValueError(
            f"values must be (N, M) with one of two or more people a row, and resamples 1 or more; got "
            f"{values.shape}, {len(who)} rows of {count} people, {resamples}. Nothing can vary otherwise."
        )
    each = np.column_stack([np.bincount(who, weights=column, minlength=count) for column in values.T])
    generator, found = np.random.default_rng(seed), []
    step = max(1, _AT_ONCE // count)
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        drawn = generator.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        found.append(times.astype(np.float64) @ each)
    return np.concatenate(found)


def _class_means_drawn(values: np.ndarray, labels: np.ndarray, people: Any, resamples: int) -> np.ndarray:
    """`class_mean` of values (N,) for people drawn anew, (resamples,); each draw by its own faces."""
    of_class = np.eye(int(labels.max()) + 1)[labels]
    sums = drawn_sums(np.hstack([of_class * values[:, None], of_class]), people, resamples=resamples)
    total, faces = np.split(sums, 2, axis=1)
    with np.errstate(invalid="ignore"):
        return np.nanmean(total / faces, axis=1)


def signs_p(differences: Any, people: Any = None) -> float:
    """Probability of a sum as far from zero when each person's differences change sign by the toss of a coin.

    With one face a person, and differences of -1, 0 and 1, this is McNemar's exact test.

    Args:
        differences: whole numbers (N,), such as 1 where the first of two models alone is right and -1 where
            the second is.
        people: (N,); None takes each face for a person.

    Returns:
        Two-sided p in (0, 1], exact.

    Example:
        >>> round(signs_p([1, 1, 1, 0]), 6), round(signs_p([1, 1, 1, 0], ["a", "a", "a", "b"]), 6)
        (0.25, 1.0)

    Reference: McNemar (1947); Fisher (1935), section 21, for the change of signs. Chapter 15.
    """
    from scipy.stats import binom

    each = np.asarray(differences, dtype=np.int64)
    if people is not None:
        who = np.unique(np.asarray(people), return_inverse=True)[1]
        each = np.bincount(who, weights=each).astype(np.int64)
    chances = np.ones(1)  # of the sums from -(len - 1) / 2 to as far above
    for size, count in zip(*np.unique(np.abs(each[each != 0]), return_counts=True), strict=True):
        steps = np.zeros(2 * size * count + 1)
        steps[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, steps)
    sums = np.abs(np.arange(len(chances)) - len(chances) // 2)
    return min(1.0, float(chances[sums >= abs(each.sum())].sum()))


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
