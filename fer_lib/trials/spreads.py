"""How wide the faces of a class lie, and what the spread is made of (chapter 13).

Only a world knows what made two faces of a class differ. Of a corpus the annotated affect is known, no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.trials.comparing import drawn_sums
from fer_lib.trials.explaining import FOLDS, Reader, gains_of, readers_of, share_of
from fer_lib.trials.factors import OTHER, WAY, factors_of
from fer_lib.trials.runs import Runs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Spread:
    """Mean squared distances; their sum is the whole variance.

    Args:
        within: of the faces from the mean of their class.
        between: of these means, each counted by its faces, from the mean of all.
    """

    within: float
    between: float

    @property
    def share(self) -> float:
        """Part of the whole that lies between classes, 0 to 1; it does not depend on the scale."""
        whole = self.within + self.between
        return self.between / whole if whole > 0 else 0.0


def spread(embeddings: Any, labels: Any) -> Spread:
    r"""Split the variance of embeddings in two.

    .. math:: W = \frac{1}{N} \sum_i \lVert z_i - \bar z_{y_i} \rVert^2, \qquad
        B = \frac{1}{N} \sum_i \lVert \bar z_{y_i} - \bar z \rVert^2

    Args:
        embeddings: (N, D).
        labels: classes (N,).

    Raises:
        ValueError: rows that do not pair up, or numbers that are not finite.

    Example:
        >>> found = spread([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])
        >>> found.within, found.between, round(found.share, 3)
        (1.0, 25.0, 0.962)
    """
    z, y = _checked(embeddings, labels)
    means = _class_means(z, y)
    within = float(((z - means) ** 2).sum(1).mean())
    return Spread(within, float(((means - z.mean(0)) ** 2).sum(1).mean()))


Known = Mapping[str, Sequence[Reader]]


def know(factors: Mapping[str, np.ndarray], labels: Any, people: Any = None, *, folds: int = FOLDS) -> Known:
    """Make factors ready to explain what lies within classes: their class means are taken away.

    Args:
        factors: see `factors_of`.
        labels: (N,).
        people: (N,), see ``explaining.explained``.
        folds: at least 2.

    Raises:
        ValueError: rows that do not pair up.
    """
    return {
        name: readers_of(one - _class_means(*_checked(one, labels)), people, folds)
        for name, one in factors.items()
    }


def made_of(embeddings: Any, labels: Any, known: Known, people: Any = None) -> dict[str, np.ndarray]:
    r"""What each face adds to each part of the variance: between classes, groups of factors, and the rest.

    A world draws feeling, pose, light, person and picture independently, so their parts add up, but for
    chance. `WAY` holds all columns of `OTHER`; what is listed for it is what it explains beyond that.
    "person" is what two pictures of one person have in common: the mean of :math:`r_i \cdot r_j` over such
    pairs, of those faces that have a partner, carried over to all.

    Args:
        embeddings: (N, D).
        labels: (N,).
        known: see `know`.
        people: who is on each face, (N,); None leaves "person" out.

    Returns:
        "between", a part a group, "person", "rest": each (N,); the sum of all their means is the variance.
        Single numbers, and the sums of parts that explain nothing, may be below 0.
    """
    z, y = _checked(embeddings, labels)
    means = _class_means(z, y)
    residuals = z - means
    found = {"between": ((means - z.mean(0)) ** 2).sum(1)}
    found |= {name: gains_of(residuals, readers) for name, readers in known.items()}
    if OTHER in found and WAY in found:
        found[WAY] = found[WAY] - found[OTHER]
    if people is not None:
        found["person"] = _in_common(residuals, people)
    return found | {"rest": ((z - z.mean(0)) ** 2).sum(1) - sum(found.values())}


def _in_common(residuals: np.ndarray, people: Any) -> np.ndarray:
    who = np.unique(np.asarray(people), return_inverse=True)[1]
    count = np.bincount(who)[who]
    sums = np.zeros((who.max() + 1, residuals.shape[1]))
    np.add.at(sums, who, residuals)
    length = (residuals**2).sum(1)
    shared = ((residuals * sums[who]).sum(1) - length) / np.maximum(count - 1, 1)
    paired = count > 1
    scale = length.sum() / length[paired].sum() if length[paired].sum() > 0 else 0.0
    return np.where(paired, shared * scale, 0.0)


def made_of_runs(
    runs: Runs, models: Iterable[str], seeds: Sequence[int], faces: Any, *, key: str = "embeddings"
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """`made_of` for kept runs, by (model, seed).

    Args:
        runs: of ``fer_lib.trials.run``.
        models, seeds: which.
        faces: the set whose embeddings are read.
        key: which of a run's arrays hold these.
    """
    from fer_lib.datasets.splitting import people_of

    labels, people = faces.targets().numpy(), people_of(faces)
    known = know(factors_of(faces), labels, people)
    persons = None if faces.truth is None else people  # a corpus does not draw people apart from feelings
    return {
        (model, seed): made_of(runs.arrays(model, seed)[key], labels, known, persons)
        for model in models
        for seed in seeds
    }


def shares_of(made: Mapping[tuple[str, int], Mapping[str, np.ndarray]]) -> "pd.DataFrame":
    """Each part's share of the variance: model, seed, part, share."""
    import pandas as pd

    rows = []
    for (model, seed), parts in made.items():
        whole = sum(one.mean() for one in parts.values())
        rows += [
            {"model": model, "seed": seed, "part": part, "share": float(one.mean() / whole) if whole else 0.0}
            for part, one in parts.items()
        ]
    return pd.DataFrame(rows)


def left_by(
    made: Mapping[tuple[str, int], Mapping[str, np.ndarray]],
    baseline: str,
    people: Any,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> "pd.DataFrame":
    """How much of each part a loss leaves, in units of the spread between classes, and against the baseline.

    A loss that shrinks everything alike leaves all. Intervals (95 %) draw people again, the same for all
    models, whose seeds are averaged: they tell of other faces, not of other trainings.

    Args:
        made: of `made_of_runs`.
        baseline: the model to compare with.
        people: who is on each face, (N,).
        resamples, seed: of the bootstrap.

    Returns:
        A row a model and part but "between": model, part, mean, low, high (part / between), left, left_low,
        left_high (the same over the baseline's; nan where that is not clearly above 0), seeds_low, seeds_high
        (smallest and largest ``left`` of a seed).

    Raises:
        ValueError: the baseline is not among the models.
    """
    import pandas as pd

    models = list(dict.fromkeys(model for model, _ in made))
    if baseline not in models:
        raise ValueError(f"baseline must be one of {', '.join(models)}; got {baseline!r}. Choose one.")
    parts = [part for part in next(iter(made.values())) if part != "between"]
    each: dict[str, list[np.ndarray]] = {model: [] for model in models}
    for (model, _), one in made.items():
        columns = np.column_stack([one["between"], *(one[part] for part in parts)])
        drawn = drawn_sums(columns, people, resamples=resamples, seed=seed)
        sums = np.vstack([columns.sum(0), drawn])  # the first row is the sample itself
        each[model].append(sums[:, 1:] / sums[:, :1])
    amounts = {  # (seeds, 1 + resamples)
        (model, part): np.stack([ratios[:, k] for ratios in each[model]])
        for model in models
        for k, part in enumerate(parts)
    }
    lines = []
    for (model, part), seeds in amounts.items():
        over, base = seeds.mean(0), amounts[baseline, part].mean(0)
        low, high = np.quantile(over[1:], [0.025, 0.975])
        line = {"model": model, "part": part, "mean": over[0], "low": low, "high": high}
        sure = np.quantile(base[1:], 0.025) > 0
        ratio = over / base if sure else np.full(len(over), np.nan)
        ends = np.quantile(ratio[1:], [0.025, 0.975])
        line |= {"left": ratio[0], "left_low": ends[0], "left_high": ends[1]}
        single = seeds[:, 0] / amounts[baseline, part][:, 0] if sure else np.full(len(seeds), np.nan)
        lines.append(line | {"seeds_low": single.min(), "seeds_high": single.max()})
    return pd.DataFrame(lines)


def left_in_words(line: "pd.Series[Any] | None") -> str:
    """A row of `left_by` as a page tells it: the fraction that is left, with its interval.

    Args:
        line: None where there is no such part.

    Example:
        >>> import pandas as pd
        >>> left_in_words(pd.Series({"left": 0.95, "left_low": 0.8, "left_high": 1.1}))
        '0.95 [0.80, 1.10]'
        >>> left_in_words(None)
        'not measurable'
    """
    if line is None or np.isnan(line["left"]):
        return "not measurable"
    return f"{line['left']:.2f} [{line['left_low']:.2f}, {line['left_high']:.2f}]"


def less_left(one: "pd.Series[Any] | None", other: "pd.Series[Any] | None") -> str:
    """Of which of two parts a loss leaves the smaller fraction, for all people drawn and for every seed.

    Args:
        one, other: rows of `left_by`; None where there is no such part.

    Returns:
        "first", "second", "neither" where intervals or seeds overlap, or "unknown" where a part was nothing.
    """
    if one is None or other is None or np.isnan([one["left"], other["left"]]).any():
        return "unknown"
    low, high = ["left_low", "seeds_low"], ["left_high", "seeds_high"]
    if one[high].max() < other[low].min():
        return "first"
    return "second" if other[high].max() < one[low].min() else "neither"


def readable(embeddings: Any, labels: Any, wanted: Mapping[str, Any], people: Any = None) -> dict[str, float]:
    """How well each property of a face can be read from its embedding, among faces of its class.

    Args:
        embeddings: (N, D).
        labels: (N,).
        wanted: name of a property to its numbers (N,).
        people: (N,), see ``explaining.explained``.

    Returns:
        Share of each property's variance within classes that a ridge reader predicts for other people.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(200, 3))
        >>> {k: round(v, 2) for k, v in readable(z, np.zeros(200), {"first": z[:, 0] + 5}).items()}
        {'first': 1.0}
    """
    z, y = _checked(embeddings, labels)
    readers = know({"z": z}, y, people)["z"]
    found = {}
    for name, values in wanted.items():
        column = np.asarray(values, float)[:, None]
        found[name] = share_of(column - _class_means(column, y), readers)
    return found


def _checked(embeddings: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    z, y = np.asarray(embeddings, dtype=np.float64), np.asarray(labels)
    if z.ndim != 2 or y.shape != z.shape[:1] or not len(z) or not np.isfinite(z).all():
        raise ValueError(
            f"embeddings must be finite (N, D) with one label a row; got {z.shape} and {y.shape}, "
            f"{int((~np.isfinite(z)).sum())} not finite. Match them."
        )
    return z, np.unique(y, return_inverse=True)[1]


def _class_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each row (N, D) the mean of its class."""
    return np.stack([values[labels == k].mean(0) for k in range(labels.max() + 1)])[labels]
