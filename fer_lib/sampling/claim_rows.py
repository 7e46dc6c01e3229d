"""Errors of each person in the conditions and strategies that the scoreboard pairs (chapter 11).

The unit is the person, whose place among the sorted names stands in ``seed``; folds and seeds are averaged as
in `fer_lib.sampling.verdicts.by_person`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.sampling.verdicts import CONDITIONS, EARLY, by_person

if TYPE_CHECKING:
    import pandas as pd

STRATEGIES = {"random": "random", "gsx": "GSx", "gsy": "GSy", "igs": "iGS", "mcdue": "MCDUE"}
CONTROLS = {"100 %": "Transfer 100 %", "0 %": "Transfer 0 %", "others": "Others", "mean": "Constant"}
FEW = 0.3


def person_rows(study: "pd.DataFrame", *, dataset: str, encoder: str) -> list[dict[str, object]]:
    """Result rows of three tables, one a person.

    Args:
        study: of ``fer_lib.sampling.personal.study``, of both foldings.
        dataset, encoder: their names.

    Returns:
        "Fig 5, shared folds": the paper's conditions, each in the folds of frames that *no transfer* has run
        (as few as one of five in the small profiles). "Fig 5, controls": 100 %, 0 %, others and the constant,
        in folds of films. "Fig 6, few labels": each strategy's mean over the shares up to a half, random
        picks of three in ten, and all labels, in folds of frames.
    """
    frames, films = (study[study["folding"] == folding] for folding in ("frames", "clips"))
    shared = by_person(shared_folds(frames, "no transfer"))
    shares = by_person(frames[frames["condition"] == "share"])
    early = shares[shares["share"] <= EARLY + 1e-9]
    early = early.groupby(["person", "dimension", "strategy"], as_index=False, sort=False)["rmse"].mean()
    third = shares[(shares["strategy"] == "random") & np.isclose(shares["share"], FEW)]
    number = {name: k for k, name in enumerate(sorted(study["person"].unique()))}
    about = {"paper": "personalised-transfer", "dataset": dataset, "encoder": encoder}

    def made(
        part: "pd.DataFrame", table: str, name_of: Callable[[Any], str], regime: str = ""
    ) -> list[dict[str, object]]:
        from fer_lib import results

        return [
            results.row(
                **about, table=table, row=name_of(one), column=one.dimension.capitalize(),
                regime=regime or one.condition, metric=f"rmse_{one.dimension}", seed=number[one.person],
                value=float(one.rmse),
            )
            for one in part.itertuples()
        ]  # fmt: skip

    few = "Fig 6, few labels"
    return [
        *made(_of(shared, CONDITIONS), "Fig 5, shared folds", lambda one: CONDITIONS[one.condition]),
        *made(_of(by_person(films), CONTROLS), "Fig 5, controls", lambda one: CONTROLS[one.condition]),
        *made(early, few, lambda one: STRATEGIES[one.strategy], "share"),
        *made(third, few, lambda one: f"random, {FEW:.0%}".replace("%", " %"), "share"),
        *made(_of(by_person(frames), ["100 %"]), few, lambda one: "all labels", "share"),
    ]


def shared_folds(study: "pd.DataFrame", condition: str) -> "pd.DataFrame":
    """The rows of those folds of each person, seed, folding and dimension that a condition has run."""
    runs = ["person", "fold", "seed", "folding", "dimension"]
    return study.merge(study.loc[study["condition"] == condition, runs].drop_duplicates(), on=runs)


def _of(people: "pd.DataFrame", conditions: Any) -> "pd.DataFrame":
    return people[people["condition"].isin(list(conditions))]
