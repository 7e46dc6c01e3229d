"""Single faces on which two networks disagree, and how their outputs hang together (chapter 15)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.graph import spearman_correlation
from fer_lib.trials.comparing import signs_p
from fer_lib.trials.runs import Runs

if TYPE_CHECKING:
    import pandas as pd


def outcomes(runs: Runs, pair: tuple[str, str], labels: Any, people: Any = None) -> "pd.DataFrame":
    """How many of the reported faces both networks name rightly, one of them alone, or neither.

    Args:
        runs: of both with the same seeds.
        pair: names of two models.
        labels: (N,) true classes.
        people: (N,), who is on each face; None takes each face for a person.

    Returns:
        A row a seed: seed, both, first, second, neither; and p, the chance that "first" and "second" would
        differ as much if each person fell to either with probability 1/2: McNemar's exact test, where each
        face is another person's. See ``fer_lib.trials.comparing.signs_p``.
    """
    import pandas as pd

    truth, lines = np.asarray(labels), []
    for seed in sorted({seed for name, seed in runs.folders if name == pair[0]}):
        first, second = (runs.arrays(model, seed)["probabilities"].argmax(1) == truth for model in pair)
        alone = int((first & ~second).sum()), int((~first & second).sum())
        p = signs_p(first.astype(int) - second, people)
        lines.append((seed, int((first & second).sum()), *alone, int((~first & ~second).sum()), p))
    return pd.DataFrame(lines, columns=["seed", "both", "first", "second", "neither", "p"])


def near_misses(
    runs: Runs, pair: tuple[str, str], labels: Any, *, seed: int, count: int = 3, near: float = 0.15
) -> dict[str, np.ndarray]:
    """Faces that one of two networks names rightly and the other not, though their affects nearly agree.

    Args:
        runs: of both; both regress affect.
        pair: names of two models.
        labels: (N,) true classes.
        seed: of the runs.
        count: of faces of each kind, at most: those of the surest right answers.
        near: largest distance of the two predictions in the affect plane. Where no face is that near, all
            count.

    Returns:
        "first", "second": positions of the faces that this one alone names rightly.
    """
    told = [runs.arrays(model, seed) for model in pair]
    truth = np.asarray(labels)
    apart = np.linalg.norm(told[0]["affect"] - told[1]["affect"], axis=1)
    right = [one["probabilities"].argmax(1) == truth for one in told]
    found = {}
    for name, mine, other in (("first", 0, 1), ("second", 1, 0)):
        alone = right[mine] & ~right[other]
        close = alone & (apart <= near)
        places = np.flatnonzero(close if close.any() else alone)
        sure = told[mine]["probabilities"][places].max(1)
        found[name] = places[np.argsort(-sure, kind="stable")][:count]
    return found


def cards(
    runs: Runs, pair: tuple[str, str], faces: Any, places: np.ndarray, *, seed: int
) -> list[list[tuple[str, str]]]:
    """What is true of faces and what two networks said, as ``fer_lib.views.graphs.face_cards`` takes it.

    Args:
        runs: of both.
        pair: names of two models.
        faces: the reported ``SideTargets``.
        places: of the faces.
        seed: of the runs.
    """
    truth, va = faces.targets().numpy(), faces.sides[:, :2].numpy()
    told = [runs.arrays(model, seed) for model in pair]
    found = []
    for place in places:
        lines = [(f"label: {faces.classes[truth[place]]}", ""), (_affect(va[place]), "")]
        for model, one in zip(pair, told, strict=True):
            guess = int(one["probabilities"][place].argmax())
            mark = "green" if guess == truth[place] else "red"
            right = "right" if guess == truth[place] else "wrong"
            lines.append((f"{model}: {faces.classes[guess]} ({right})", mark))
            lines.append((_affect(one["affect"][place]), ""))
        found.append(lines)
    return found


def _affect(va: np.ndarray) -> str:
    return f"   v {va[0]:+.2f}, a {va[1]:+.2f}".replace("-", "\N{MINUS SIGN}")


def output_ties(probabilities: Any, affect: Any, classes: Any) -> float:
    """How closely what a network says of expressions and of affects go together, over faces.

    Args:
        probabilities: (N, K).
        affect: (N, 2), predicted.
        classes: K names.

    Returns:
        Mean size of Spearman's correlation between the network's choice of each expression (1 or 0) and each
        affect: the same number that the labels have by ``spearman_correlation``.
    """
    found = spearman_correlation(np.asarray(probabilities).argmax(1), affect, classes)
    return float(np.abs(found[:-2, -2:]).mean())
