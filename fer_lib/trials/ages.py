"""Faces by age: which expressions they show, and how often a model is right (chapter 14)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.datasets.splitting import people_of
from fer_lib.metrics import bootstrap_interval
from fer_lib.trials.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

NOBODY = "all ages"


def age_groups(faces: Any, *, oldest: int = 60) -> np.ndarray:
    """Group of ten years of each face, as text (N,): "0-9", "10-19", ..., "60+".

    Args:
        faces: a set whose table or world's truth has a column "age".
        oldest: from which age on there is one group.

    Returns:
        `NOBODY` for each face where the corpus does not tell.
    """
    for table in (faces.table, faces.truth):
        if table is not None and "age" in table:
            first = np.minimum(np.floor(table["age"].to_numpy(float) / 10) * 10, oldest).astype(int)
            return np.array([f"{a}+" if a == oldest else f"{a}-{a + 9}" for a in first])
    return np.full(len(faces.table), NOBODY)


def shares_by_age(faces: Any) -> "pd.DataFrame":
    """Share of each expression among the faces of each age.

    Returns:
        A row an age group, young first: a column a class, rows sum to 1; and ``faces``, how many.
    """
    import pandas as pd

    groups, labels = age_groups(faces), faces.targets().numpy()
    names = _ordered(groups)
    counts = np.array([np.bincount(labels[groups == g], minlength=len(faces.classes)) for g in names])
    shares = pd.DataFrame(counts / counts.sum(1, keepdims=True), index=names, columns=list(faces.classes))
    return shares.assign(faces=counts.sum(1))


def accuracy_by_age(
    runs: Runs, model: str, seeds: Sequence[int], faces: Any, *, resamples: int = 500
) -> "pd.DataFrame":
    """Share of the faces of each age that are named rightly, mean over the seeds.

    Returns:
        A row an age group: group, mean, low, high (95 %, bootstrap over persons or, where they are not known,
        over faces; nan with fewer than two), faces.
    """
    import pandas as pd

    right, groups, people = right_of(runs, model, seeds, faces), age_groups(faces), people_of(faces)
    lines = []
    for name in _ordered(groups):
        mine = groups == name
        who = people[mine]
        line = {"group": name, "mean": float(right[mine].mean()), "faces": int(mine.sum())}
        ends = (np.nan, np.nan)
        if len(np.unique(who)) > 1:
            over = bootstrap_interval(np.mean, right[mine], resamples=resamples, groups=who)
            ends = (float(over.low), float(over.high))
        lines.append(line | dict(zip(("low", "high"), ends, strict=True)))
    return pd.DataFrame(lines)


def right_of(runs: Runs, model: str, seeds: Sequence[int], faces: Any) -> np.ndarray:
    """Share of the seeds that name each face rightly, (N,)."""
    labels = faces.targets().numpy()
    return np.mean([runs.arrays(model, s)["probabilities"].argmax(1) == labels for s in seeds], axis=0)


def chance_of_spread(
    values: Any, groups: Any, people: Any = None, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Do groups differ more than groups drawn by lot would?

    The statistic is the share of the values' variance that lies between the groups. An age belongs to a
    person and not to a picture, so the lot deals groups to people: pictures of one person, which resemble
    each other, stay together, and do not count as so many witnesses.

    Args:
        values: (N,) or (N, K): of several columns the variances are added.
        groups: (N,) labels.
        people: (N,), who is on each face; somebody who is in two groups counts as two. None takes each face
            for a person.
        draws: of the lot.
        seed: of the draws.

    Returns:
        The share in [0, 1], and the probability of one as large by lot, at least 1 / (draws + 1).

    Example:
        >>> share, p = chance_of_spread([0.0, 0.1, 1.0, 0.9] * 5, ["a", "a", "b", "b"] * 5)
        >>> round(share, 2), p < 0.01
        (0.99, True)
    """
    values = np.asarray(values, float).reshape(len(groups), -1)
    members = np.unique(np.asarray(groups), return_inverse=True)[1]
    who = np.arange(len(members)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    values = values - values.mean(0)
    whole = (values**2).sum()
    if whole == 0 or members.max() < 1:
        return 0.0, 1.0
    several = np.unique(np.column_stack([who, members]), axis=0, return_inverse=True)
    dealt, person = several[0][:, 1], several[1].ravel()
    sums = np.column_stack([np.bincount(person, weights=column) for column in values.T])  # of each person
    faces, names = np.bincount(person), np.eye(members.max() + 1)

    def share(dealt: np.ndarray) -> float:
        table = names[dealt].T
        return float(((table @ sums) ** 2 / (table @ faces)[:, None]).sum() / whole)

    rng, found = np.random.default_rng(seed), share(dealt)
    as_large = sum(share(rng.permutation(dealt)) >= found - 1e-12 for _ in range(draws))
    return found, (as_large + 1) / (draws + 1)


def _ordered(groups: np.ndarray) -> list[str]:
    """Groups that occur, young first."""
    return sorted(set(groups.tolist()), key=lambda name: int(re.sub(r"\D.*", "", name) or 0))
