"""What a study could have seen, and how many runs it would take to see what matters."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.pairing import differences
from fer_lib.scoreboard.verdicts import Evidence, evidence, seen, welch

if TYPE_CHECKING:
    import pandas as pd

MOST_RUNS = 10_000


def evidence_with(found: "pd.DataFrame", runs: int) -> Evidence:
    """Evidence that so many runs of each corpus would give, if they scattered as those at hand do.

    Args:
        found: of ``fer_lib.scoreboard.pairing.differences``.
        runs: paired runs of each corpus, at least 2.

    Returns:
        The mean of the runs at hand with the standard error of the planned ones; without an interval where
        a corpus has a single run, from which no scatter can be told.

    Raises:
        ValueError: fewer than 2 runs.

    Example:
        >>> import pandas as pd
        >>> four = pd.DataFrame({"dataset": "a", "seed": range(4), "difference": [0.0, 1.0, 2.0, 3.0]})
        >>> round(evidence_with(four, 16).error / evidence(four).error, 3)
        0.5
    """
    if runs < 2:
        raise ValueError(f"runs must be at least 2; got {runs}. One run tells no scatter.")
    now = evidence(found)
    if math.isnan(now.error):
        return Evidence(now.mean, math.nan, 0.0, runs * now.corpora, now.corpora)
    spread = found.groupby("dataset", sort=False)["difference"].var(ddof=1).to_list()
    return Evidence(now.mean, *welch(spread, [runs] * now.corpora), runs * now.corpora, now.corpora)


def needed(found: "pd.DataFrame", smallest: float, confidence: float) -> float:
    """Paired runs of each corpus with which a difference of ``smallest`` is seen in 8 of 10 studies.

    Args:
        found: of ``fer_lib.scoreboard.pairing.differences``.
        smallest: the difference, > 0.
        confidence: of the interval, in (0, 1).

    Returns:
        A whole number; infinite above ten thousand, nan where no scatter is known.
    """

    def enough(runs: int) -> bool:
        return seen(evidence_with(found, runs), confidence) <= smallest

    if math.isnan(seen(evidence_with(found, 2), confidence)):
        return math.nan
    if not enough(MOST_RUNS):
        return math.inf
    low, high = 1, MOST_RUNS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def power_table(
    claims: Iterable[Claim], rows: "pd.DataFrame", *, runs: int = 30, confidence: float = 0.95
) -> "pd.DataFrame":
    """What these runs could have seen, and what so many runs of each corpus would.

    Args:
        claims: see ``fer_lib.scoreboard.claims``.
        rows: result rows.
        runs: that are planned for each corpus.
        confidence: of all intervals together.

    Returns:
        claim, paper, seen, then (what so many runs would see), needed, smallest, runs (of the corpus that has
        least); only claims for which the scatter is known.
    """
    import pandas as pd

    claims = list(claims)
    found = {claim.id: differences(claim, rows) for claim in claims}
    tested = sum(len(one) > 0 for one in found.values())
    alone = 1 - (1 - confidence) / max(tested, 1)
    lines = []
    for claim in claims:
        one = found[claim.id]
        now = evidence(one) if len(one) else None
        if now is None or not now.freedom > 0:
            continue
        lines.append(
            {"claim": claim.id, "paper": claim.paper, "seen": seen(now, alone),
             "then": seen(evidence_with(one, runs), alone), "needed": needed(one, claim.smallest, alone),
             "smallest": claim.smallest, "runs": int(one.groupby("dataset").size().min())}
        )  # fmt: skip
    return pd.DataFrame(lines, columns=["claim", "paper", "seen", "then", "needed", "smallest", "runs"])


def scatter_factor(runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Between which multiples of the scatter that so few runs show the true one lies (normal runs).

    Example:
        >>> [round(end, 2) for end in scatter_factor(3)]
        [0.52, 6.28]
    """
    from scipy import stats

    half = (1 - confidence) / 2
    low, high = stats.chi2.ppf([1 - half, half], runs - 1)
    return float(math.sqrt((runs - 1) / low)), float(math.sqrt((runs - 1) / high))
