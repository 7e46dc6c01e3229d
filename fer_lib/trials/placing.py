"""Runs in the places of printed tables: the one maker of result rows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fer_lib.trials.runs import Runs

Place = tuple[str, str, str]
"""Table, row and column as a paper prints them."""


def result_rows(
    runs: Runs,
    places: Iterable[tuple[str, Place]],
    *,
    metric: str = "mean_class_accuracy",
    score: Callable[[Mapping[str, np.ndarray]], float] | None = None,
    times: float = 100.0,
    **about: Any,
) -> list[dict[str, Any]]:
    """Rows of ``fer_lib.results.row`` for printed places, one a place and seed.

    Args:
        runs: of ``fer_lib.trials.run``.
        places: (model, (table, row, column)); a model may stand at several.
        metric: of the rows of ``runs``; with ``score``, the name of what that gives.
        score: takes the arrays of a run where its rows do not hold the number.
        times: factor; 100 gives per cent.
        **about: further columns of ``fer_lib.results.row``, such as paper, dataset, encoder and profile.
    """
    from fer_lib.results import row

    kept = runs.rows.drop_duplicates(["model", "seed"]) if score else runs.rows[runs.rows["metric"] == metric]
    found = []
    for model, (table, line, column) in places:
        for one in kept[kept["model"] == model].itertuples():
            value = score(runs.arrays(model, one.seed)) if score else one.value
            found.append(row(
                table=table, row=line, column=column, metric=metric, seed=int(one.seed),
                value=times * float(value), device=one.device, seconds=float(one.seconds), **about,
            ))  # fmt: skip
    return found
