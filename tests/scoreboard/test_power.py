"""Power against SciPy's noncentral t, against simulated studies and at the limits."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib.results import row
from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.pairing import differences
from fer_lib.scoreboard.power import MOST_RUNS, evidence_with, needed, power_table, scatter_factor
from fer_lib.scoreboard.verdicts import evidence, seen, verdicts

GAIN = Claim(
    "gain", "ciao", "t", "A gain.", "V", "c", "f", {"regime": "new"}, {"regime": "old"}, "higher", 0.5
)
RNG = np.random.default_rng(8)
ONE, TWO = RNG.normal(size=4), 3 * RNG.normal(size=6)


def found(*corpora):
    return pd.concat(
        [
            pd.DataFrame({"dataset": str(k), "seed": range(len(d)), "difference": d})
            for k, d in enumerate(corpora)
        ]
    )


def test_one_corpus_is_students():
    plan = evidence_with(found(ONE), 30)
    assert plan.error == pytest.approx(ONE.std(ddof=1) / math.sqrt(30))
    assert (plan.freedom, plan.runs, plan.corpora) == (pytest.approx(29), 30, 1)
    assert plan.mean == pytest.approx(ONE.mean())


def test_as_many_runs_as_there_are_give_what_there_is():
    here = found(ONE, TWO[:4])
    now, plan = evidence(here), evidence_with(here, 4)
    assert (plan.mean, plan.error, plan.freedom, plan.runs) == pytest.approx(
        (now.mean, now.error, now.freedom, now.runs)
    )


def test_corpora_of_other_scatter_share_freedom_as_welch_has_it():
    plan = evidence_with(found(ONE, TWO), 10)
    a, b = ONE.var(ddof=1) / 10, TWO.var(ddof=1) / 10
    assert plan.freedom == pytest.approx((a + b) ** 2 / (a**2 / 9 + b**2 / 9))
    assert plan.error == pytest.approx(math.sqrt(a + b) / 2)


def test_the_number_needed_is_the_least_that_is_enough():
    here = found(ONE, TWO)
    n = int(needed(here, 1.0, 0.99))
    assert seen(evidence_with(here, n), 0.99) <= 1.0 < seen(evidence_with(here, n - 1), 0.99)
    assert needed(here, 1e9, 0.99) == 2
    assert needed(here, 1e-6, 0.99) == math.inf
    assert seen(evidence_with(here, MOST_RUNS), 0.99) > 1e-6


def test_a_study_of_that_size_sees_it_eight_times_in_ten():
    """The true scatter must be that of the runs: studies are drawn with it."""
    n = int(needed(found(ONE), 1.0, 0.95))
    draws = np.random.default_rng(0).normal(1.0, ONE.std(ddof=1), size=(4000, n))
    p = stats.ttest_1samp(draws, 0, axis=1).pvalue
    share = np.mean((p < 0.05) & (draws.mean(1) > 0))
    assert 0.78 < share < 0.86  # n is a whole number, so a little above .8


def test_runs_that_tell_no_scatter_tell_no_power():
    assert math.isnan(evidence_with(found(ONE, TWO[:1]), 30).error)
    assert math.isnan(needed(found([1.0, 1.0]), 0.5, 0.95))
    with pytest.raises(ValueError, match="runs must be at least 2; got 1"):
        evidence_with(found(ONE), 1)


def test_the_table_has_the_verdicts_own_number():
    other = Claim(
        "other", "p-affmem", "t", "s", "V", "c", "f", {"regime": "new"}, {"regime": "old"}, "lower", 0.5
    )
    rows = pd.DataFrame(
        [
            row(paper=paper, dataset="a", regime=side, metric="m", seed=s, value=float(v), commit="")
            for paper, runs in (("ciao", ONE), ("p-affmem", TWO[:1]))
            for side, values in (("new", runs), ("old", 0 * runs))
            for s, v in enumerate(values)
        ]
    )
    table = power_table([GAIN, other], rows, runs=30)
    assert table["claim"].tolist() == ["gain"]  # of the other a single run is there
    judged = verdicts([GAIN, other], rows).set_index(["claim", "dataset"])
    assert table["seen"][0] == pytest.approx(judged.loc[("gain", ""), "seen"])
    assert table["then"][0] == pytest.approx(seen(evidence_with(differences(GAIN, rows), 30), 1 - 0.05 / 2))
    assert table["runs"].tolist() == [4]
    assert power_table([other], rows).empty


def test_the_scatter_of_few_runs_is_hardly_known():
    low, high = scatter_factor(5)
    drawn = np.random.default_rng(1).normal(size=(20_000, 5)).std(axis=1, ddof=1)
    assert np.mean((low * drawn < 1) & (high * drawn > 1)) == pytest.approx(0.95, abs=0.005)
