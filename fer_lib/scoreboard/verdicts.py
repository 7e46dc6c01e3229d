"""What our runs say about each claim: paired differences over seeds, corrected for how many are judged."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.results.published import PAPERS, published
from fer_lib.scoreboard.claims import TURNED, Claim, chosen

if TYPE_CHECKING:
    import pandas as pd

HOLDS, FAILS, UNDECIDED, UNTESTED = "holds", "fails", "undecided", "not run"
WORLD = "world:"
LINE = (
    *("claim", "dataset", "verdict", "mean", "low", "high", "plain_low", "plain_high"),
    *("seen", "smallest", "runs", "corpora"),
)
"""Columns of `verdicts`."""


def differences(claim: Claim, rows: "pd.DataFrame") -> "pd.DataFrame":
    """Differences of paired runs, turned so that a positive one speaks for the claim.

    Two rows are a pair when data set, seed and the claim's ``by`` agree; the pairs of one seed (valence and
    arousal, say) are averaged, and a seed that lacks one of them is left out. For "same" the difference is
    first less second.

    Args:
        claim: which.
        rows: result rows.

    Returns:
        dataset, seed, difference; a row a data set and seed.

    Raises:
        ValueError: two runs of one seed for the same side; says which.
    """
    import pandas as pd

    keys = ["dataset", "seed", *claim.by]
    sides = []
    for patterns in (claim.first, claim.second):
        side = chosen(rows, claim.paper, patterns).dropna(subset=["seed", "value"])
        twice = side.duplicated(keys)
        if twice.any():
            place = side.loc[twice, keys].iloc[0].to_dict()
            raise ValueError(
                f"rows must hold one value a seed for each side of {claim.id}; got two for {place}. Narrow "
                "the claim's patterns, or give one run of each chapter."
            )
        sides.append(side.set_index(keys)["value"])
    pairs = pd.concat(sides, axis=1, keys=["first", "second"], join="inner").reset_index()
    sign = -1 if claim.direction in TURNED else 1
    pairs["difference"] = sign * (pairs["first"] - pairs["second"])
    if pairs.empty:
        return pairs[["dataset", "seed", "difference"]]
    seeds = pairs.groupby(["dataset", "seed"])["difference"].agg(["mean", "size"]).reset_index()
    whole = seeds["size"] == seeds.groupby("dataset")["size"].transform("max")
    return seeds[whole].rename(columns={"mean": "difference"})[["dataset", "seed", "difference"]]


@dataclass(frozen=True)
class Evidence:
    """Mean of some corpora's mean differences, with its standard error.

    Args:
        mean: of the corpora's means.
        error: standard error over seeds.
        freedom: degrees of freedom (Welch and Satterthwaite).
        runs: paired runs in all.
        corpora: how many.
    """

    mean: float
    error: float
    freedom: float
    runs: int
    corpora: int

    def interval(self, confidence: float) -> tuple[float, float]:
        """Ends of Student's interval; not a number with a single run a corpus."""
        from scipy import stats

        if not self.freedom > 0:
            return math.nan, math.nan
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return self.mean - half, self.mean + half


def evidence(found: "pd.DataFrame") -> Evidence:
    """Sum up `differences`, each corpus with the same weight.

    A corpus with a single run, or whose runs differ by rounding alone, counts for the mean but leaves the
    whole without an interval: of its scatter nothing is known.
    """
    groups = [group.to_numpy(float) for _, group in found.groupby("dataset", sort=False)["difference"]]
    k = len(groups)
    mean = float(np.mean([group.mean() for group in groups]))
    runs = sum(map(len, groups))
    if any(len(group) < 2 or np.ptp(group) <= 1e-9 * np.abs(group).max() for group in groups):
        return Evidence(mean, math.nan, 0.0, runs, k)
    parts = np.array([group.var(ddof=1) / len(group) for group in groups]) / k**2
    total = parts.sum()
    below = sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    return Evidence(mean, float(np.sqrt(total)), float(total**2 / below), runs, k)


def judge(claim: Claim, low: float, high: float) -> str:
    """The verdict that an interval of the difference allows.

    A claim of a difference holds when the interval lies above zero and reaches ``smallest``; it fails when
    all of the interval lies below ``smallest``: the difference is absent, contrary, or too small to matter.
    A claim that something is *not* lower (or higher) holds when the interval lies above minus ``smallest``,
    and fails when it lies below that. A claim of sameness holds when the interval lies within ``smallest`` of
    zero on both sides, and fails when it lies beyond. Everything else is undecided.

    Example:
        >>> gain = Claim("a", "ciao", "t", "s", "s", "c", "f", {}, {}, "higher", 1.0)
        >>> [judge(gain, *ends) for ends in ((0.2, 3.0), (-2.0, 0.5), (-1.0, 3.0))]
        ['holds', 'fails', 'undecided']
    """
    if math.isnan(low) or math.isnan(high):
        return UNDECIDED
    if claim.direction == "same":
        if -claim.smallest < low and high < claim.smallest:
            return HOLDS
        return FAILS if low > claim.smallest or high < -claim.smallest else UNDECIDED
    if claim.direction.startswith("not"):
        return HOLDS if low > -claim.smallest else FAILS if high < -claim.smallest else UNDECIDED
    if high < claim.smallest:
        return FAILS
    return HOLDS if low > 0 else UNDECIDED


def verdicts(claims: Iterable[Claim], rows: "pd.DataFrame", *, confidence: float = 0.95) -> "pd.DataFrame":
    """Judge claims, corpus by corpus and over all corpora.

    The intervals over all corpora hold together with the given confidence (Bonferroni, for the number of
    claims that were tested), and so, by themselves, do those of single corpora of claims with several. The
    one corpus of a claim has the claim's own interval.

    Args:
        claims: see ``fer_lib.scoreboard.claims``.
        rows: result rows of one run of each chapter.
        confidence: in (0, 1), of all intervals of either kind together.

    Returns:
        A row a claim and data set, before them one with the data set "" for all together: claim, dataset,
        verdict, mean, low, high (corrected), plain_low, plain_high (each alone), seen (the smallest true
        difference that these runs would have found in 8 of 10 studies), smallest, runs, corpora; nan and
        "not run" where no pair of runs is there.

    Raises:
        ValueError: a confidence out of range, or two runs of one seed.
    """
    import pandas as pd

    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1); got {confidence}. Use 0.95, say.")
    claims = list(claims)
    lines: list[tuple[Claim, str, Evidence | None, bool]] = []  # the last: one of several corpora
    for claim in claims:
        found = differences(claim, rows)
        lines.append((claim, "", evidence(found) if len(found) else None, False))
        several = found["dataset"].nunique() > 1
        lines += [
            (claim, str(name), evidence(one), several) for name, one in found.groupby("dataset", sort=False)
        ]
    tested = {
        False: sum(one is not None for _, dataset, one, _ in lines if not dataset),
        True: sum(part for *_, part in lines),
    }
    table = []
    for claim, dataset, one, part in lines:
        line = {"claim": claim.id, "dataset": dataset, "smallest": claim.smallest}
        if one is None:
            table.append(line | {"verdict": UNTESTED, "runs": 0, "corpora": 0})
            continue
        corrected = 1 - (1 - confidence) / tested[part]
        ends = one.interval(corrected)
        line |= {"verdict": judge(claim, *ends), "mean": one.mean, "low": ends[0], "high": ends[1]}
        line |= dict(zip(("plain_low", "plain_high"), one.interval(confidence), strict=True))
        table.append(line | {"seen": seen(one, corrected), "runs": one.runs, "corpora": one.corpora})
    return pd.DataFrame(table, columns=list(LINE))


def seen(one: Evidence, confidence: float, *, power: float = 0.8) -> float:
    """Smallest true difference that as much evidence would tell from zero, with a given probability."""
    from scipy.special import nctdtrinc, stdtrit

    if not one.freedom > 0:
        return math.nan
    critical = stdtrit(one.freedom, (1 + confidence) / 2)
    return float(nctdtrinc(one.freedom, 1 - power, critical) * one.error)


def printed_difference(claim: Claim) -> float:
    """The difference that the paper's own numbers show, turned like ours; nan where it prints none.

    The mean over all pairs of printed rows that agree in data set and ``by``.
    """
    import pandas as pd

    if claim.paper not in PAPERS:  # a claim of yours about another work
        return math.nan
    rows = published(claim.paper)
    keys = ["dataset", *claim.by]
    sides = [
        chosen(rows, claim.paper, patterns).groupby(keys)["value"].mean()
        for patterns in (_unworldly(claim.first), _unworldly(claim.second))
    ]
    pairs = pd.concat(sides, axis=1, keys=["first", "second"], join="inner")
    sign = -1 if claim.direction in TURNED else 1
    return float(sign * (pairs["first"] - pairs["second"]).mean()) if len(pairs) else math.nan


def _unworldly(patterns: Mapping[str, str]) -> dict[str, str]:
    """Patterns for printed rows: without "world:", and "Fig 5" for our "Fig 5, shared folds"."""
    plain = {column: pattern.replace(WORLD, "") for column, pattern in patterns.items()}
    return plain | ({"table": plain["table"].split(",")[0]} if "table" in plain else {})
