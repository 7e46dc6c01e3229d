"""What a paper's own numbers say about a claim: the difference of its printed rows."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fer_lib.results.published import PAPERS, published
from fer_lib.scoreboard.claims import TURNED, Claim, chosen

if TYPE_CHECKING:
    import pandas as pd

WORLD = "world:"


def printed_difference(claim: Claim, ours: "pd.DataFrame | None" = None) -> float:
    """The difference that the paper's own numbers show, turned like ours.

    Args:
        claim: which.
        ours: pairs of runs (``fer_lib.scoreboard.pairing.pairs_of``). With them only those printed cells
            count that were run here, a world counting as its corpus. A column in which the paper and we have
            nothing in common (our encoder stands for another one, say) narrows nothing. None takes all that
            the paper prints.

    Returns:
        The mean over the pairs of printed rows that agree in data set and ``by``; nan where it prints none.
    """
    import pandas as pd

    if claim.paper not in PAPERS:  # a claim of yours about another work
        return math.nan
    rows, keys = published(claim.paper), ["dataset", *claim.by]
    sides = [
        chosen(rows, claim.paper, patterns).groupby(keys)["value"].mean()
        for patterns in (_unworldly(claim.first), _unworldly(claim.second))
    ]
    pairs = pd.concat(sides, axis=1, keys=["first", "second"], join="inner").reset_index()
    pairs = _common(pairs, ours, keys) if ours is not None else pairs
    sign = -1 if claim.direction in TURNED else 1
    return float(sign * (pairs["first"] - pairs["second"]).mean()) if len(pairs) else math.nan


def _common(pairs: "pd.DataFrame", ours: "pd.DataFrame", keys: list[str]) -> "pd.DataFrame":
    """The printed pairs in cells that were run; all of them where no cell is common."""
    ran = ours[keys].assign(dataset=ours["dataset"].str.replace(WORLD, "")).drop_duplicates()
    shared = [key for key in keys if set(pairs[key]) & set(ran[key])]
    if not shared:
        return pairs
    cells = set(ran[shared].itertuples(index=False, name=None))
    narrowed = pairs[[cell in cells for cell in pairs[shared].itertuples(index=False, name=None)]]
    return narrowed if len(narrowed) else pairs


def _unworldly(patterns: Mapping[str, str]) -> dict[str, str]:
    """Patterns for printed rows: without "world:", and "Fig 5" for our "Fig 5, shared folds"."""
    plain = {column: pattern.replace(WORLD, "") for column, pattern in patterns.items()}
    return plain | ({"table": plain["table"].split(",")[0]} if "table" in plain else {})
