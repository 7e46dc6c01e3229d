"""Is a study of personal models possible at all? Asked before anything is trained (chapter 11)."""

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.errors import DataError
from fer_lib.sampling.many import Descent

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

FOLDS = 5  # of each person
COUNTS = {"size": 1, "wild_epochs": 1, "epochs": 1, "batch_size": 1, "passes": 2, "scratch_folds": 0}
OPTIONAL = ("faces", "frames", "scratch_epochs")  # a whole number from 1 on, or None
OPTIMIZERS = ("sgd", "adamw")


def check_plan(plan: Any) -> None:
    """Refuse a plan with an entry out of its range.

    Args:
        plan: a ``Plan`` of `fer_lib.sampling.wild`.

    Raises:
        ValueError: names the entry, its range, its value, and what to do.
    """
    for name in OPTIONAL:
        if getattr(plan, name) is not None:
            _check_count(name, getattr(plan, name), 1, "None takes all there are.")
    for name, least in COUNTS.items():
        _check_count(name, getattr(plan, name), least, "Give a larger one.")
    for units in plan.hidden:
        _check_count("hidden", units, 1, "Give the units of each hidden layer, or () for none.")
    if plan.scratch_folds > FOLDS:
        raise ValueError(
            f"scratch_folds must be at most {FOLDS}; got {plan.scratch_folds}. A person has {FOLDS} folds."
        )
    for name in ("wild_rate", "learning_rate"):
        if not 0 < getattr(plan, name) < np.inf:
            raise ValueError(f"{name} must be above 0; got {getattr(plan, name)}. 0.001 is as printed.")
    Descent(plan.epochs, plan.learning_rate, plan.momentum, plan.batch_size, plan.dropout)
    if not 0 < plan.p < 1:
        raise ValueError(f"p must be in (0, 1); got {plan.p}. 0.5 is as printed.")
    if plan.wild_optimizer not in OPTIMIZERS:
        known = " or ".join(OPTIMIZERS)
        raise ValueError(f"wild_optimizer must be {known}; got {plan.wild_optimizer!r}. 'sgd' is as printed.")
    if not plan.shares or not all(0 < share < 1 for share in plan.shares):
        raise ValueError(f"shares must be in (0, 1); got {plan.shares}. All labels are the condition 100 %.")
    if list(plan.shares) != sorted(set(plan.shares)):
        raise ValueError(f"shares must rise; got {plan.shares}. Sort them, each once.")


def _check_count(name: str, value: Any, least: int, fix: str) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}. {fix}")


def check_people(faces: "FaceSet", foldings: Sequence[str]) -> None:
    """Refuse frames of people that cannot be learned person by person.

    Args:
        faces: of two people or more.
        foldings: how frames will be dealt into folds, see ``personal.study``.

    Raises:
        DataError: fewer than two people, somebody with fewer frames or films than folds, or with more frames
            than everybody else together, from whom as many are drawn.
        ValueError: a data set that is not folded in such a way.
    """
    from fer_lib.datasets import folds

    for folding in foldings:
        parts = folds(faces, folding)
        names = faces.table["subject"].to_numpy()
        if len(np.unique(names)) < 2:
            fix = "Load more people: each is compared with the others."
            raise DataError(faces.name, "there must be two people or more", f"only {names[0]}", fix)
        for part in parts:
            who = names[part.test[0]]
            others = int((names != who).sum())
            if len(part.train) > others:
                rule = f"all others together must have as many frames as {who} learns from, {len(part.train)}"
                raise DataError(faces.name, rule, others, f"Load more people, or fewer frames of {who}.")
