"""Runs of the two sides of a claim, in pairs: which there are, what they differ by, and what is left out."""

from typing import TYPE_CHECKING

import numpy as np

from fer_lib.scoreboard.claims import TURNED, Claim, chosen

if TYPE_CHECKING:
    import pandas as pd


def pairs_of(claim: Claim, rows: "pd.DataFrame") -> "pd.DataFrame":
    """Both sides of a claim, run by run.

    Two rows are a pair when data set, seed and the claim's ``by`` agree.

    Args:
        claim: which.
        rows: result rows; those without a seed or a value are no evidence.

    Returns:
        dataset, seed, the columns of ``by``, first, second; a row a pair.

    Raises:
        ValueError: two runs of one seed for the same side; says which.
    """
    import pandas as pd

    sides = [side.set_index(_keys(claim))["value"] for side in _sides(claim, rows)]
    return pd.concat(sides, axis=1, keys=["first", "second"], join="inner").reset_index()


def differences(claim: Claim, rows: "pd.DataFrame") -> "pd.DataFrame":
    """Differences of paired runs, turned so that a positive one speaks for the claim.

    The pairs of one seed (valence and arousal, say) are averaged, and a seed that lacks one of them is left
    out, see `left_out`. For "same" the difference is first less second.

    Args:
        claim: which.
        rows: result rows.

    Returns:
        dataset, seed, difference; a row a data set and seed.

    Raises:
        ValueError: two runs of one seed for the same side; says which.
    """
    sign = -1 if claim.direction in TURNED else 1
    both = _whole(pairs_of(claim, rows))
    return both.assign(difference=sign * (both["first"] - both["second"]))[["dataset", "seed", "difference"]]


def left_out(claim: Claim, rows: "pd.DataFrame") -> "pd.Series":
    """How many seeds of each corpus ran on one side or with one encoder only, and so count for nothing.

    Args:
        claim: which.
        rows: result rows.

    Returns:
        A count a data set, for those of `differences`.
    """
    import pandas as pd

    used = differences(claim, rows).groupby("dataset", sort=False).size()
    ran = pd.concat([side[["dataset", "seed"]] for side in _sides(claim, rows)]).drop_duplicates()
    counted = ran.groupby("dataset").size().reindex(used.index)
    return (counted - used).astype(int)


def why_none(claim: Claim, rows: "pd.DataFrame") -> str:
    """Why a claim has no pair of runs, in words; "" where it has one.

    Example:
        >>> import pandas as pd
        >>> one = Claim("a", "ciao", "t", "S.", "V", "09", "f", {"row": "x"}, {"row": "y"}, "higher", 0.5)
        >>> why_none(one, pd.DataFrame({"paper": ["ciao"], "row": ["y"], "seed": [0], "value": [0.1]}))
        'no rows for the first side'
    """
    lacking = [
        name
        for name, patterns in (("first", claim.first), ("second", claim.second))
        if chosen(rows, claim.paper, patterns).empty
    ]
    if lacking:
        return "no rows for either side" if len(lacking) > 1 else f"no rows for the {lacking[0]} side"
    if any(side.empty for side in _sides(claim, rows)):
        return "rows for both sides, but not with seeds"
    if pairs_of(claim, rows).empty:
        return f"rows for both sides, but no two that share {', '.join(_keys(claim))}"
    return ""


def variance_ratio(claim: Claim, rows: "pd.DataFrame") -> float:
    """What pairs are worth: the variance of differences over that which unrelated runs would have.

    Args:
        claim: which.
        rows: result rows.

    Returns:
        The median over corpora of Var(first - second) / (Var(first) + Var(second)): 1 where pairs share no
        luck, 0 where they share all; nan without two pairs that scatter.
    """
    found = []
    for _, part in _whole(pairs_of(claim, rows)).groupby("dataset", sort=False):
        alone = part[["first", "second"]].var(ddof=1).sum()
        if alone > 0:
            found.append(float((part["first"] - part["second"]).var(ddof=1) / alone))
    return float(np.median(found)) if found else float("nan")


def _keys(claim: Claim) -> list[str]:
    return ["dataset", "seed", *claim.by]


def _sides(claim: Claim, rows: "pd.DataFrame") -> "list[pd.DataFrame]":
    """The rows of the first and of the second side that have a seed and a value."""
    keys, sides = _keys(claim), []
    for patterns in (claim.first, claim.second):
        side = chosen(rows, claim.paper, patterns).dropna(subset=["seed", "value"])
        twice = side.duplicated(keys)
        if twice.any():
            place = side.loc[twice, keys].iloc[0].to_dict()
            raise ValueError(
                f"rows must hold one value a seed for each side of {claim.id}; got two for {place}. Narrow "
                "the claim's patterns, or give one run of each chapter."
            )
        sides.append(side)
    return sides


def _whole(pairs: "pd.DataFrame") -> "pd.DataFrame":
    """Means over the pairs of each seed, of the seeds that lack none: dataset, seed, first, second."""
    seeds = pairs.groupby(["dataset", "seed"])[["first", "second"]].agg(["mean", "size"])
    if seeds.empty:
        return pairs[["dataset", "seed", "first", "second"]]
    sizes = seeds["first", "size"]
    kept = seeds.xs("mean", axis=1, level=1)[sizes == sizes.groupby("dataset").transform("max")]
    return kept.reset_index()
