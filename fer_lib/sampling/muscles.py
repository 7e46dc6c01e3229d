"""How personal habits must be before knowing a person pays, asked of a reader who sees every muscle (ch. 11).

A network on small pictures reads so badly that it hides the answer. So the reader here is given what the
renderer knows: how far each action unit is drawn. Then people need not be painted, and there can be many. The
reader is linear. Strangers teach it first; a person's own labels then move its weights, as far as they must:

    w = argmin sum (y - x w)^2 + penalty |w - w_strangers|^2,

the fine-tuning of a warm start in closed form. The penalty is chosen among the strangers, each of whom plays
the new person once, with weights that were learned without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.errors import DataError
from fer_lib.metrics import rmse
from fer_lib.sampling.habits import Habitual
from fer_lib.sampling.verdicts import DIMENSIONS, gaps

if TYPE_CHECKING:
    import pandas as pd

PENALTIES = np.logspace(-1, 5, 13)
FOLDS = 5
SIZE = 32  # of pictures that nobody paints
RIDGE = 1.0  # of the strangers' own weights, against units that nobody moves


@dataclass(frozen=True)
class Moments:
    """Moments of some people, without pictures.

    Args:
        units: (N, A + 1) action units as drawn, mean of both sides, brought to the strangers' mean 0 and
            deviation 1 where they are read; the last column is 1.
        labels: (N, 2) valence and arousal, by annotators who know the person.
        people: (N,) names.
        films: (N,) names.
    """

    units: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    films: np.ndarray

    def of(self, person: str) -> "Moments":
        """Those of one person."""
        mine = self.people == person
        return Moments(self.units[mine], self.labels[mine], self.people[mine], self.films[mine])


def moments(
    factors: Sequence[float], split: str, *, people: int, each: int, seed: int = 0
) -> dict[float, Moments]:
    """Draw moments of AMIGOS's world, the same for each size of habits.

    Args:
        factors: 0 or more; 1 leaves people as the world drew them.
        split: "train" for strangers, "test" for people to be learned.
        people: how many; the world itself has 30 and 10.
        each: moments of each person, about; whole stretches of five.
        seed: which world of its kind.
    """
    import pandas as pd

    from fer_lib.worlds import WORLDS
    from fer_lib.worlds.drawing import draw_chunk

    world = replace(WORLDS["amigos"], people={"train": people, "test": people})
    chunks = range(-(-people * each // world.chunk_rows))
    plain = Habitual(**vars(world), factor=0.0)
    crowd = plain.cast(split, seed)
    table = pd.concat([plain.tables(crowd, k, SIZE)[0] for k in chunks], ignore_index=True)
    labels = table[list(DIMENSIONS)].to_numpy(dtype=np.float64)
    names = [table[name].to_numpy(str) for name in ("subject", "video")]
    found = {}
    for factor in factors:
        accented = Habitual(**vars(world), factor=float(factor))
        crowd = accented.cast(split, seed)
        units = [draw_chunk(accented, crowd, k).shown.units.double().mean(2).numpy() for k in chunks]
        found[factor] = Moments(np.hstack([np.vstack(units), np.ones((len(labels), 1))]), labels, *names)
    return found


def moved(start: np.ndarray, units: np.ndarray, labels: np.ndarray, penalty: float) -> np.ndarray:
    """Weights that fit some labels, held to those they start from.

    Args:
        start: (A, L), of strangers.
        units: (n, A); labels: (n, L).
        penalty: above 0; the larger, the less is moved.

    Example:
        >>> start, units, labels = np.array([[1.0]]), np.array([[1.0], [1.0]]), np.array([[3.0], [3.0]])
        >>> moved(start, units, labels, 2.0).item(), round(moved(start, units, labels, 1e-9).item(), 6)
        (2.0, 3.0)
    """
    square = units.T @ units + penalty * np.eye(units.shape[1])
    return start + np.linalg.solve(square, units.T @ (labels - units @ start))


def study(
    factors: Sequence[float],
    shares: Sequence[float] = (0.05, 0.2, 1.0),
    *,
    people: int,
    each: int,
    seed: int = 0,
) -> "pd.DataFrame":
    """Read many people by muscles, before and after some of their own labels; folds of whole films.

    Args:
        factors: how large habits are, of strangers and of people alike.
        shares: of a person's training moments that are labelled, drawn at random, in (0, 1].
        people: so many strangers, and so many to be learned, at least 3.
        each: moments of each.
        seed: of the world, the folds and the random labels.

    Returns:
        Rows as of `personal.study`, with ``factor`` and ``penalty``: conditions "0 %" (strangers' weights)
        and "own" (of each share).

    Raises:
        ValueError: fewer than three people, or shares out of range.
        DataError: fewer films a person than folds.
    """
    import pandas as pd

    if people < 3 or not all(0 < share <= 1 for share in shares):
        told = f"got {people} and {tuple(shares)}. Give more people, or other shares."
        raise ValueError(f"people must be 3 or more and shares in (0, 1]; {told}")
    rows = []
    crowds = [moments(factors, split, people=people, each=each, seed=seed) for split in ("train", "test")]
    for factor in factors:
        strangers, known = (crowd[factor] for crowd in crowds)
        mean, spread = strangers.units.mean(0), strangers.units.std(0)
        mean[-1], spread[spread < 1e-6] = 0.0, 1.0
        strangers, known = (
            Moments((one.units - mean) / spread, one.labels, one.people, one.films)
            for one in (strangers, known)
        )
        start = _fit(strangers)
        for share, penalty in _chosen(strangers, shares, seed).items():
            for person in np.unique(known.people):
                rows += [
                    row | {"factor": factor} for row in _read(known.of(person), start, share, penalty, seed)
                ]
    found = pd.DataFrame(rows)
    return found[~(found["condition"].eq("0 %") & found["share"].ne(shares[0]))].reset_index(drop=True)


def _fit(some: Moments, without: Moments | None = None) -> np.ndarray:
    """Ridge weights of some people, or of all but one of them."""
    square, target = some.units.T @ some.units, some.units.T @ some.labels
    if without is not None:
        square, target = square - without.units.T @ without.units, target - without.units.T @ without.labels
    return np.linalg.solve(square + RIDGE * np.eye(len(square)), target)


def _chosen(strangers: Moments, shares: Sequence[float], seed: int) -> dict[float, float]:
    """For each share the penalty with the least mean error when each stranger plays the new person."""
    errors = np.zeros((len(shares), len(PENALTIES)))
    for person in np.unique(strangers.people):
        one = strangers.of(person)
        start = _fit(strangers, without=one)
        for i, share in enumerate(shares):
            for j, penalty in enumerate(PENALTIES):
                own = [row for row in _read(one, start, share, penalty, seed) if row["condition"] == "own"]
                errors[i, j] += np.mean([row["rmse"] for row in own])
    return {share: float(PENALTIES[k]) for share, k in zip(shares, errors.argmin(1), strict=True)}


def _read(
    one: Moments, start: np.ndarray, share: float, penalty: float, seed: int
) -> list[dict[str, object]]:
    """Rows of one person: each fold of films, with strangers' weights and with moved ones."""
    films = np.unique(one.films)
    if len(films) < FOLDS:
        raise DataError(
            "moments", f"{FOLDS} folds need as many films", len(films), "Draw more of each person."
        )
    draw = np.random.default_rng(seed)
    part = dict(zip(draw.permutation(films), np.arange(len(films)) % FOLDS, strict=True))
    fold_of = np.array([part[film] for film in one.films])
    rows: list[dict[str, object]] = []
    for fold in range(FOLDS):
        train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        chosen = draw.permutation(train)[: max(1, round(share * len(train)))]
        own = moved(start, one.units[chosen], one.labels[chosen], penalty)
        for condition, weights, labels in (("0 %", start, 0), ("own", own, len(chosen))):
            answers = one.units[test] @ weights
            for k, dimension in enumerate(DIMENSIONS):
                rows.append(
                    {
                        "person": str(one.people[0]), "fold": fold, "seed": seed, "folding": "clips",
                        "dimension": dimension, "condition": condition, "strategy": "", "share": share,
                        "labels": labels, "penalty": penalty,
                        "rmse": float(rmse(answers[:, k], one.labels[test, k])),
                    }
                )  # fmt: skip
    return rows


def own_gains(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What a person's own labels gain over strangers' weights, for each size of habits and share.

    Args:
        rows: of :func:`study`.

    Returns:
        A row a dimension, share and factor: labels (mean), mean (rmse of strangers' weights minus rmse after
        own labels, paired over people), low, high (95 %), smallest (see `smallest_effect`), people, pays (low
        above 0).
    """
    import pandas as pd

    parts = []
    for (share, factor), part in rows[rows["condition"] == "own"].groupby(["share", "factor"]):
        both = pd.concat([part, rows[(rows["condition"] == "0 %") & (rows["factor"] == factor)]])
        names: dict[str, dict[str, object]] = {"0 %": {"condition": "0 %"}, "own": {"condition": "own"}}
        told = {"share": share, "factor": factor, "labels": part["labels"].mean()}
        parts.append(gaps(both, names, [("0 %", "own")]).assign(**told))
    found = pd.concat(parts).sort_values(["dimension", "share", "factor"], ascending=[False, True, True])
    return found.assign(pays=found["low"] > 0).drop(columns=["one", "other"]).reset_index(drop=True)
