"""Verdicts against SciPy's tests, hand-made rows and the limits of the rule."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fer_lib.results import published
from fer_lib.results.rows import row
from fer_lib.scoreboard import verdicts
from fer_lib.scoreboard.claims import Claim, chosen
from fer_lib.scoreboard.pairing import differences, left_out, pairs_of, variance_ratio, why_none
from fer_lib.scoreboard.printed import printed_difference
from fer_lib.scoreboard.verdicts import by_seed, evidence, judge, seen

GAIN = Claim(
    "gain", "ciao", "t", "A gain.", "V", "09_ciao", "f", {"regime": "new"}, {"regime": "old"}, "higher", 0.5
)
LESS = dataclasses.replace(GAIN, id="less", direction="lower")
SAME = dataclasses.replace(GAIN, id="same", direction="same")


def rows_of(values, *, dataset="world:one", metric="m", encoder="e"):
    """Result rows from {"new": [...], "old": [...]}, a value a seed."""
    about = {"paper": "ciao", "table": "T", "dataset": dataset, "metric": metric, "encoder": encoder}
    return [
        row(regime=side, value=v, seed=s, commit="", **about)
        for side, several in values.items()
        for s, v in enumerate(several)
    ]  # fmt: skip


def frame(*parts):
    return pd.DataFrame([one for part in parts for one in part])


RNG = np.random.default_rng(4)
A, B, C = (RNG.normal(size=5) for _ in range(3))


def test_one_corpus_is_the_paired_t_test():
    rows = frame(rows_of({"new": A, "old": B}))
    one = verdicts([GAIN], rows).set_index("dataset").loc["world:one"]
    wanted = stats.ttest_rel(A, B).confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx(tuple(wanted))
    assert (one["plain_low"], one["plain_high"]) == pytest.approx(tuple(wanted))
    assert one["mean"] == pytest.approx((A - B).mean())
    assert (one["runs"], one["corpora"]) == (5, 1)


def test_two_corpora_are_welchs_test():
    """The mean of two means is half of the difference between the one and minus the other."""
    rows = frame(rows_of({"new": A, "old": B}), rows_of({"new": C[:3], "old": [0, 0, 0]}, dataset="two"))
    one = evidence(differences(GAIN, rows))
    welch = stats.ttest_ind(A - B, -C[:3], equal_var=False).confidence_interval(0.9)
    assert one.interval(0.9) == pytest.approx((welch.low / 2, welch.high / 2))
    assert (one.runs, one.corpora) == (8, 2)


def test_not_lower_is_a_claim_of_its_own():
    keeps = dataclasses.replace(GAIN, id="keeps", direction="not lower")
    ends = {(-0.4, 3.0): "holds", (-0.6, 3.0): "undecided", (-3.0, -0.6): "fails", (2.0, 3.0): "holds"}
    assert {pair: judge(keeps, *pair) for pair in ends} == ends
    rows = frame(rows_of({"new": A, "old": B}))
    turned = dataclasses.replace(GAIN, id="turned", direction="not higher")
    for claim, sign in ((keeps, 1), (turned, -1)):
        found = differences(claim, rows)["difference"]
        np.testing.assert_allclose(found, sign * (A - B))


def test_the_one_corpus_of_a_claim_has_the_claims_interval():
    many = frame(rows_of({"new": A, "old": B}), rows_of({"new": B, "old": C}, dataset="two"))
    alone = dataclasses.replace(GAIN, id="alone", first={"regime": "new", "dataset": "two"})
    found = verdicts([GAIN, alone], many).set_index(["claim", "dataset"])
    one, whole = found.loc[("alone", "two")], found.loc[("alone", "")]
    assert (one["low"], one["high"]) == (whole["low"], whole["high"])
    wanted = stats.ttest_rel(B, C).confidence_interval(1 - 0.05 / 2)
    assert (one["low"], one["high"]) == pytest.approx(tuple(wanted))
    part = stats.ttest_rel(A, B).confidence_interval(1 - 0.05 / 2)  # two cells of claims with several corpora
    assert found.loc[("gain", "world:one"), "low"] == pytest.approx(part.low)


def test_claims_about_other_works_have_no_printed_side():
    assert math.isnan(printed_difference(dataclasses.replace(GAIN, paper="ours-2026")))


def test_intervals_hold_together():
    """With four tested cells, each single one has 1 - 0.05 / 4."""
    rows = frame(rows_of({"new": A, "old": B}), rows_of({"new": B, "old": C}, dataset="two"))
    found = verdicts([GAIN, LESS], rows).set_index(["claim", "dataset"])
    wanted = stats.ttest_rel(A, B).confidence_interval(1 - 0.05 / 4)
    assert tuple(found.loc[("gain", "world:one"), ["low", "high"]]) == pytest.approx(tuple(wanted))
    both = evidence(differences(GAIN, rows))
    assert tuple(found.loc[("gain", ""), ["low", "high"]]) == pytest.approx(both.interval(1 - 0.05 / 2))
    turned = found.loc[("less", "world:one")]
    assert (turned["low"], turned["high"]) == pytest.approx((-wanted.high, -wanted.low))


def test_pairs_share_seed_encoder_and_metric_and_whole_seeds_count():
    rows = frame(
        rows_of({"new": [1.0, 2.0], "old": [0.0, 0.0]}, metric="valence"),
        rows_of({"new": [5.0], "old": [1.0]}, metric="arousal"),
        rows_of({"new": [9.0]}, metric="valence", encoder="other"),
    )
    found = differences(GAIN, rows)
    assert found[["seed", "difference"]].values.tolist() == [[0, (1.0 + 4.0) / 2]]  # seed 1 lacks arousal


def test_rows_without_seeds_or_of_other_papers_are_no_evidence():
    rows = frame(rows_of({"new": A, "old": B}))
    assert differences(GAIN, rows.assign(paper="p-affmem")).empty
    assert differences(GAIN, rows.assign(seed=None)).empty
    (line,) = verdicts([GAIN], rows.assign(seed=None)).to_dict("records")
    assert (line["verdict"], line["runs"]) == ("not run", 0)


def test_runs_that_count_for_nothing_are_counted():
    """A laboratory with thirty seeds of one encoder and three of another is judged by three, and told so."""
    rows = frame(
        rows_of({"new": np.arange(30.0), "old": np.zeros(30)}), rows_of({"new": A[:3], "old": B}, encoder="f")
    )
    assert left_out(GAIN, rows).to_dict() == {"world:one": 27}
    found = verdicts([GAIN, LESS], rows).set_index(["claim", "dataset"])
    assert found["left_out"].tolist() == [27] * 4
    assert set(found["runs"]) == {3}
    assert left_out(GAIN, frame(rows_of({"new": A, "old": B}))).to_dict() == {"world:one": 0}


def test_why_there_is_no_pair_is_told():
    both = frame(rows_of({"new": A, "old": B}))
    here = both["regime"] == "new"
    for rows, words in (
        (both, ""), (both[here], "no rows for the second side"), (both[~here], "no rows for the first side"),
        (both.assign(paper="p-affmem"), "no rows for either side"),
        (both.assign(seed=None), "rows for both sides, but not with seeds"),
        (both.assign(encoder=both["regime"]),
         "rows for both sides, but no two that share dataset, seed, encoder, metric"),
    ):  # fmt: skip
        assert why_none(GAIN, rows) == words
        assert verdicts([GAIN], rows)["lacking"].iloc[0] == words


def test_what_pairs_are_worth():
    shared = RNG.normal(size=400)
    for new, old, wanted in ((shared, RNG.normal(size=400), 1.0), (shared + 1, shared, 0.0)):
        assert variance_ratio(GAIN, frame(rows_of({"new": new, "old": old}))) == pytest.approx(
            wanted, abs=0.15
        )
    rows = frame(rows_of({"new": A, "old": B}), rows_of({"new": C, "old": A}, encoder="f"))
    first, second = (A + C) / 2, (B + A) / 2
    wanted = (first - second).var(ddof=1) / (first.var(ddof=1) + second.var(ddof=1))
    assert variance_ratio(GAIN, rows) == pytest.approx(wanted)
    assert math.isnan(variance_ratio(GAIN, frame(rows_of({"new": A[:1], "old": B[:1]}))))


def test_corpora_averaged_within_the_seed_are_the_paired_t_test_of_their_means():
    rows = frame(rows_of({"new": A, "old": B}), rows_of({"new": C, "old": A}, dataset="two"))
    safe = by_seed(differences(GAIN, rows))
    wanted = stats.ttest_rel((A + C) / 2, (B + A) / 2).confidence_interval(0.9)
    assert safe.interval(0.9) == pytest.approx(tuple(wanted))
    assert safe.freedom == 4 < evidence(differences(GAIN, rows)).freedom
    assert safe.mean == pytest.approx(evidence(differences(GAIN, rows)).mean)
    assert by_seed(differences(GAIN, rows[rows["dataset"] == "two"])) is None
    assert by_seed(differences(GAIN, rows[(rows["dataset"] == "two") | (rows["seed"] < 3)])) is None


def test_two_runs_of_a_seed_are_told():
    rows = frame(rows_of({"new": A, "old": B}), rows_of({"new": A[:1]}))
    with pytest.raises(ValueError, match=r"one value a seed for each side of gain.*world:one"):
        differences(GAIN, rows)


def test_a_single_run_leaves_all_undecided():
    rows = frame(rows_of({"new": A[:1], "old": B[:1]}), rows_of({"new": A, "old": B}, dataset="two"))
    found = verdicts([GAIN], rows).set_index("dataset")
    assert found.loc["world:one", "verdict"] == found.loc["", "verdict"] == "undecided"
    assert math.isnan(found.loc["", "seen"])
    assert found.loc["", "mean"] == pytest.approx(((A[0] - B[0]) + (A - B).mean()) / 2)


def test_equal_differences_leave_all_undecided():
    """Runs that do not scatter say nothing about scatter; a test set may just be small."""
    for values in ({"new": [1.0, 1.0], "old": [1.0, 1.0]}, {"new": [0.9, 0.4], "old": [0.8, 0.3]}):
        (one, _) = verdicts([GAIN], frame(rows_of(values)))["verdict"]
        assert one == "undecided"
    both = frame(
        rows_of({"new": A, "old": B}), rows_of({"new": [1.0, 2.0], "old": [1.0, 2.0]}, dataset="two")
    )
    assert verdicts([GAIN], both).set_index("dataset").loc["", "verdict"] == "undecided"


@pytest.mark.parametrize(
    ("claim", "low", "high", "wanted"),
    [
        (GAIN, 0.1, 0.9, "holds"), (GAIN, -0.1, 0.9, "undecided"), (GAIN, 0.1, 0.4, "fails"),
        (GAIN, -3, -1, "fails"),
        (GAIN, math.nan, math.nan, "undecided"), (SAME, -0.4, 0.4, "holds"), (SAME, -0.4, 0.6, "undecided"),
        (SAME, 0.6, 0.9, "fails"), (SAME, -0.9, -0.6, "fails"),
    ],
)  # fmt: skip
def test_the_rule(claim, low, high, wanted):
    assert judge(claim, low, high) == wanted


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.001, 3))
def test_more_runs_never_turn_a_verdict_round(middle, half, less):
    """A narrower interval within a wider one keeps a verdict, or decides what was open."""
    wide = judge(GAIN, middle - half, middle + half)
    narrow = judge(GAIN, middle - half / (1 + less), middle + half / (1 + less))
    assert wide in (narrow, "undecided") or (wide, narrow) == (
        "holds",
        "fails",
    )  # real, but too small to matter


def test_what_could_have_been_seen_is_seen_in_eight_of_ten():
    one = evidence(differences(GAIN, frame(rows_of({"new": A, "old": B}))))
    critical = stats.t.ppf(0.975, one.freedom)
    power = 1 - stats.nct.cdf(critical, one.freedom, seen(one, 0.95) / one.error)
    assert power == pytest.approx(0.8, abs=1e-6)


def test_the_papers_own_difference():
    claim = dataclasses.replace(
        GAIN, first={"table": "Table I", "row": "VGG LC", "regime": "last_conv+ciao"},
        second={"table": "Table I", "row": "VGG LC", "regime": "last_conv"},
    )  # fmt: skip
    arousal = dataclasses.replace(
        claim, first=claim.first | {"metric": "ccc_arousal"}, second=claim.second | {"metric": "ccc_arousal"}
    )
    assert printed_difference(arousal) == pytest.approx(0.48 - 0.35)
    assert printed_difference(dataclasses.replace(arousal, direction="lower")) == pytest.approx(-0.13)
    assert math.isnan(printed_difference(GAIN))
    ours = [side | {"table": "Table I, in other folds"} for side in (arousal.first, arousal.second)]
    assert printed_difference(dataclasses.replace(arousal, first=ours[0], second=ours[1])) == pytest.approx(
        0.13
    )


def test_the_papers_own_difference_is_of_the_cells_that_were_run():
    claim = dataclasses.replace(
        GAIN, first={"table": "Table I", "regime": "last_conv", "metric": "ccc_*|macro_f1"},
        second={"table": "Table I", "regime": "decision", "metric": "ccc_*|macro_f1"},
    )  # fmt: skip
    sides = (
        chosen(published("ciao"), "ciao", side).set_index(["dataset", "encoder", "metric"])["value"]
        for side in (claim.first, claim.second)
    )
    whole = (next(sides) - next(sides)).dropna()
    assert printed_difference(claim) == pytest.approx(whole.mean())

    def ran(*cells):
        rows = [
            row(paper="ciao", table="Table I", dataset=dataset, encoder=encoder, metric=metric, seed=0,
                regime=regime, value=0.5, commit="")
            for dataset, encoder, metric in cells for regime in ("last_conv", "decision")
        ]  # fmt: skip
        return pairs_of(claim, pd.DataFrame(rows))

    cell = whole.index[0]
    other = next(one for one in whole.index if abs(whole[one] - whole[cell]) > 0.01)
    assert printed_difference(claim, ran(cell)) == pytest.approx(whole[cell])
    assert printed_difference(claim, ran((f"world:{cell[0]}", *cell[1:]), other)) == pytest.approx(
        (whole[cell] + whole[other]) / 2
    )
    stand_in = whole[[one[0] == cell[0] and one[2] == cell[2] for one in whole.index]]
    assert printed_difference(claim, ran((cell[0], "ours", cell[2]))) == pytest.approx(stand_in.mean())
    assert printed_difference(claim, ran(("ours", "ours", "ours"))) == pytest.approx(whole.mean())


def test_confidence_is_checked():
    with pytest.raises(ValueError, match="confidence must lie in"):
        verdicts([GAIN], frame(rows_of({"new": A, "old": B})), confidence=1.0)
