"""What our runs say about each claim: paired differences over seeds, corrected for how many are judged."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.pairing import differences, left_out, pairs_of, why_none
from fer_lib.scoreboard.printed import printed_difference

if TYPE_CHECKING:
    import pandas as pd

HOLDS, FAILS, UNDECIDED, UNTESTED = "holds", "fails", "undecided", "not run"
LINE = (
    *("claim", "dataset", "verdict", "mean", "low", "high", "plain_low", "plain_high"),
    *("seen", "smallest", "runs", "corpora", "left_out", "lacking", "printed"),
)
"""Columns of `verdicts`."""


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
    """Sum up differences of pairs, each corpus with the same weight.

    A corpus with a single run, or whose runs differ by rounding alone, counts for the mean but leaves the
    whole without an interval: of its scatter nothing is known.
    """
    groups = [group.to_numpy(float) for _, group in found.groupby("dataset", sort=False)["difference"]]
    mean = float(np.mean([group.mean() for group in groups]))
    runs = sum(map(len, groups))
    if any(len(group) < 2 or np.ptp(group) <= 1e-9 * np.abs(group).max() for group in groups):
        return Evidence(mean, math.nan, 0.0, runs, len(groups))
    return Evidence(
        mean, *welch([g.var(ddof=1) for g in groups], [len(g) for g in groups]), runs, len(groups)
    )


def welch(variances: Sequence[float], runs: Sequence[int]) -> tuple[float, float]:
    """Standard error of a mean of means, and its degrees of freedom (Welch and Satterthwaite).

    Args:
        variances: of the runs of each corpus, with n - 1; one of them above 0.
        runs: of each corpus, 2 or more.

    Example:
        >>> [round(number, 3) for number in welch([4.0, 4.0], [4, 4])]
        [0.707, 6.0]
    """
    counts = np.asarray(runs, dtype=float)
    parts = np.asarray(variances, dtype=float) / counts / len(counts) ** 2
    total = parts.sum()
    return float(np.sqrt(total)), float(total**2 / (parts**2 / (counts - 1)).sum())


def by_seed(found: "pd.DataFrame") -> Evidence | None:
    """The same evidence if corpora are averaged within each seed first, whatever ties them together.

    `evidence` takes the corpora's errors as independent. Where a seed goes up or down on all of them, this is
    the safe reading; it has far fewer degrees of freedom.

    Args:
        found: of ``fer_lib.scoreboard.pairing.differences``.

    Returns:
        None with a single corpus, or corpora that do not share all seeds.
    """
    table = found.pivot(index="seed", columns="dataset", values="difference")
    if table.shape[1] < 2 or table.isna().any(axis=None):
        return None
    return evidence(table.mean(axis=1).rename("difference").reset_index().assign(dataset=""))


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
        difference that these runs would have found in 8 of 10 studies), smallest, runs, corpora, left_out
        (seeds that have no partner, or lack an encoder that others have), lacking (why there is no pair, in
        words), printed (in the first line of a claim: the paper's own difference, see
        ``printed_difference``); nan and "not run" where no pair of runs is there.

    Raises:
        ValueError: a confidence out of range, or two runs of one seed.
    """
    import pandas as pd

    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1); got {confidence}. Use 0.95, say.")
    lines: list[tuple[dict[str, Any], Claim, Evidence | None, bool]] = []  # the last: one of several corpora
    for claim in claims:
        found, lost = differences(claim, rows), left_out(claim, rows)
        one = evidence(found) if len(found) else None
        about = {"claim": claim.id, "dataset": "", "smallest": claim.smallest}
        about["lacking"] = why_none(claim, rows) if one is None else ""
        about["printed"] = printed_difference(claim, None if one is None else pairs_of(claim, rows))
        lines.append((about | {"left_out": int(lost.sum())}, claim, one, False))
        for name, part in found.groupby("dataset", sort=False):
            of_it = {"dataset": str(name), "left_out": int(lost[name]), "printed": math.nan}
            lines.append((about | of_it, claim, evidence(part), found["dataset"].nunique() > 1))
    tested = {
        False: sum(one is not None for line, _, one, _ in lines if not line["dataset"]),
        True: sum(several for *_, several in lines),
    }
    table = [line | _judged(claim, one, confidence, tested[several]) for line, claim, one, several in lines]
    return pd.DataFrame(table, columns=list(LINE))


def _judged(claim: Claim, one: Evidence | None, confidence: float, questions: int) -> dict[str, Any]:
    """Verdict, mean, intervals and what could have been seen, corrected for so many questions."""
    if one is None:
        return {"verdict": UNTESTED, "runs": 0, "corpora": 0}
    corrected = 1 - (1 - confidence) / questions
    ends, plain = one.interval(corrected), one.interval(confidence)
    return {
        "verdict": judge(claim, *ends), "mean": one.mean, "low": ends[0], "high": ends[1],
        "plain_low": plain[0], "plain_high": plain[1], "seen": seen(one, corrected), "runs": one.runs,
        "corpora": one.corpora,
    }  # fmt: skip


def seen(one: Evidence, confidence: float, *, power: float = 0.8) -> float:
    """Smallest true difference that as much evidence would tell from zero, with a given probability."""
    from scipy.special import nctdtrinc, stdtrit

    if not one.freedom > 0:
        return math.nan
    critical = stdtrit(one.freedom, (1 + confidence) / 2)
    return float(nctdtrinc(one.freedom, 1 - power, critical) * one.error)
