"""The study of personal models: a person's folds, what may be asked for, what decides a run (ch. 11)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.sampling.picking import STRATEGIES
from fer_lib.sampling.wild import Plan

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

FOLDINGS = ("frames", "clips")
CONDITIONS = ("mean", "no transfer", "0 %", "others", "100 %")
EQUAL = "equal steps"
"""A condition that is asked for by name: random picks, trained for as many steps as all labels are."""


@dataclass(frozen=True)
class Part:
    """One fold of one person."""

    person: str
    fold: int
    train: np.ndarray
    test: np.ndarray


def parts_of(faces: "FaceSet", folding: str, seed: int) -> list[Part]:
    """Every person's folds, numbered from 0 in each."""
    from fer_lib.datasets import folds

    people = faces.table["subject"].to_numpy()
    found: list[Part] = []
    counts: dict[str, int] = {}
    for fold in folds(faces, folding, seed=seed):
        person = str(people[fold.test[0]])
        found.append(Part(person, counts.get(person, 0), fold.train, fold.test))
        counts[person] = counts.get(person, 0) + 1
    return found


def deciding(plan: Plan) -> dict[str, Any]:
    """What of a plan decides a run; the rest names the data and the twins, which have names of their own."""
    of_data = ("source", "source_root", "dataset", "data_root", "faces", "frames")
    of_others = ("wild_epochs", "wild_rate", "wild_optimizer", "shares", "scratch_folds", "scratch_epochs")
    return {name: value for name, value in asdict(plan).items() if name not in of_data + of_others}


def check(folding: str, strategies: Sequence[str], conditions: Sequence[str]) -> None:
    """Refuse what cannot be studied."""
    if folding not in FOLDINGS:
        known = " or ".join(FOLDINGS)
        raise ValueError(f"folding must be {known}; got {folding!r}. 'frames' is as printed.")
    unknown = [name for name in strategies if name not in STRATEGIES]
    if unknown:
        known = ", ".join(STRATEGIES)
        raise ValueError(f"strategies must be among {known}; got {unknown[0]!r}. Choose among these.")
    strange = [name for name in conditions if name not in (*CONDITIONS, EQUAL)]
    if strange or isinstance(conditions, str):
        known = ", ".join((*CONDITIONS, EQUAL))
        got = repr(strange[0] if strange else conditions)
        raise ValueError(f"conditions must be among {known}; got {got}. Choose among these.")
