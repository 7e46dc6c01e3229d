"""Verdicts over people: known gains are found, nothing is found in noise, and folds are no people."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib import results
from fer_lib.sampling import habits, verdicts

SHARES = (0.1, 0.2, 0.3, 0.5, 0.9)


def rows_of(gain=0.0, noise=0.002, people=10, folds=3, seed=0):
    """A study whose strategy "gsx" is better than random by a known gain."""
    draw = np.random.default_rng(seed)
    lines = []
    for who in range(people):
        level = 0.2 + 0.05 * draw.normal()
        for dimension in ("valence", "arousal"):
            for fold in range(folds):
                base = {
                    "person": f"P{who}",
                    "fold": fold,
                    "seed": 0,
                    "folding": "frames",
                    "dimension": dimension,
                }
                for condition, value, labels in (("0 %", 0.1, 0), ("others", 0.02, 80), ("100 %", 0.0, 80)):
                    rmse = level + value + noise * draw.normal()
                    lines.append(
                        base
                        | {
                            "condition": condition,
                            "strategy": "",
                            "share": 1.0,
                            "labels": labels,
                            "rmse": rmse,
                        }
                    )
                for share in SHARES:
                    for strategy in ("random", "gsx"):
                        rmse = (
                            level
                            + 0.1 * np.exp(-share / 0.1)
                            - gain * (strategy == "gsx")
                            + noise * draw.normal()
                        )
                        lines.append(
                            base
                            | {
                                "condition": "share",
                                "strategy": strategy,
                                "share": share,
                                "labels": round(100 * share),
                                "rmse": rmse,
                            }
                        )
    return pd.DataFrame(lines)


def test_by_person_pools_the_squares_of_the_folds():
    rows = rows_of()
    found = verdicts.by_person(rows)
    folds = rows.query("person == 'P3' and dimension == 'arousal' and condition == '0 %'")["rmse"]
    wanted = np.sqrt(np.square(folds).sum() / len(folds))
    one = found.query("person == 'P3' and dimension == 'arousal' and condition == '0 %'")
    assert one["rmse"].item() == pytest.approx(wanted, rel=1e-12)
    assert len(found) == 10 * 2 * (3 + 2 * len(SHARES))


def test_intervals_are_over_people_and_not_over_folds():
    rows = rows_of()
    again = pd.concat([rows, rows.assign(seed=1)])  # twice the rows, the same people
    one, two = (verdicts.over_people(each) for each in (rows, again))
    np.testing.assert_allclose(one[["mean", "low", "high"]], two[["mean", "low", "high"]], rtol=1e-12)
    values = rows.query("dimension == 'valence' and condition == 'others'").groupby("person")["rmse"]
    values = values.apply(lambda folds: np.sqrt(np.square(folds).mean()))
    reach = stats.t.ppf(0.975, 9) * values.std() / np.sqrt(10)
    row = one.query("dimension == 'valence' and condition == 'others'")
    assert row["high"].item() == pytest.approx(values.mean() + reach, rel=1e-12)
    assert row["people"].item() == 10


@pytest.mark.parametrize("people", [5, 10, 40])
def test_smallest_effect_is_found_with_the_power_it_names(people):
    values = np.random.default_rng(3).normal(size=people)
    delta = verdicts.smallest_effect(values)
    freedom, centre = people - 1, delta / (values.std(ddof=1) / np.sqrt(people))
    edge = stats.t.ppf(0.975, freedom)
    power = stats.nct.sf(edge, freedom, centre) + stats.nct.cdf(-edge, freedom, centre)
    assert power == pytest.approx(0.8, abs=0.04)


def test_smallest_effect_by_hand():
    values = np.array([0.01, -0.01] * 5)
    wanted = (2.262157 + 0.883404) * values.std(ddof=1) / np.sqrt(10)
    assert verdicts.smallest_effect(values) == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(ValueError, match="differences must be at least two"):
        verdicts.smallest_effect([0.1])
    with pytest.raises(ValueError, match="power and confidence must be in"):
        verdicts.smallest_effect(values, power=1.0)


def test_a_gain_is_found_and_noise_is_not():
    better = verdicts.against_random(rows_of(gain=0.01))
    assert better["verdict"].tolist() == ["gains", "gains"]
    np.testing.assert_allclose(better["gain"], 0.01, atol=0.001)
    assert verdicts.against_random(rows_of(gain=-0.01))["verdict"].tolist() == ["loses", "loses"]
    assert verdicts.against_random(rows_of(seed=4))["verdict"].tolist() == ["not seen", "not seen"]


def test_the_smallest_gain_is_that_of_the_first_of_all_tests():
    rows = rows_of()
    extra = rows[rows["strategy"].eq("gsx")].assign(strategy="igs")
    found = verdicts.against_random(pd.concat([rows, extra]))  # two strategies, two dimensions
    people = verdicts.by_person(rows)
    people = people[people["dimension"].eq("arousal") & people["share"].le(0.5) & people["strategy"].ne("")]
    table = people.pivot_table(index="person", columns="strategy", values="rmse")
    spread = (table["random"] - table["gsx"]).std()
    reach = (stats.t.ppf(1 - 0.05 / 8, 9) + stats.t.ppf(0.8, 9)) * spread / np.sqrt(10)
    row = found.query("dimension == 'arousal' and strategy == 'gsx'")
    assert row["smallest"].item() == pytest.approx(reach, rel=1e-9)


def test_only_early_shares_count():
    rows = rows_of()
    late = rows["share"].eq(0.9) & rows["strategy"].eq("gsx")
    spoilt = rows.assign(rmse=rows["rmse"] + 9 * late)
    pd.testing.assert_frame_equal(verdicts.against_random(rows), verdicts.against_random(spoilt))


def test_holm_by_hand():
    np.testing.assert_allclose(verdicts.holm(np.array([0.01, 0.02, 0.03, 0.9])), [0.04, 0.06, 0.06, 0.9])
    assert verdicts.holm(np.array([0.6, 0.7])).max() <= 1


def test_elbows_lie_where_the_curve_bends():
    found = verdicts.elbows(rows_of(noise=1e-4))
    assert found["share"].tolist() == [0.2, 0.2] or found["share"].tolist() == [0.3, 0.3]
    assert (found["labels"] == 100 * found["share"]).all()
    assert (found["pool"] == 90).all()
    assert (found["low"] <= found["share"]).all()
    assert (found["high"] >= found["share"]).all()


def test_gaps_pair_people():
    settings = {"zero": {"condition": "0 %"}, "all": {"condition": "100 %"}}
    found = verdicts.gaps(rows_of(), settings, [("zero", "all")])
    np.testing.assert_allclose(found["mean"], 0.1, atol=0.002)
    assert (found["high"] - found["low"] < 0.01).all()  # people's levels, 0.05 apart, cancel


def test_gaps_leave_out_folds_that_one_side_lacks():
    rows = rows_of()
    settings = {"zero": {"condition": "0 %"}, "all": {"condition": "100 %"}}
    part = rows[~(rows["condition"].eq("0 %") & rows["fold"].gt(0))]
    spoilt = part.assign(rmse=part["rmse"] + 5 * (part["condition"].eq("100 %") & part["fold"].gt(0)))
    wanted = verdicts.gaps(rows[rows["fold"].eq(0)], settings, [("zero", "all")])
    pd.testing.assert_frame_equal(verdicts.gaps(spoilt, settings, [("zero", "all")]), wanted)


def test_habit_gains_and_where_they_pay():
    rows = pd.concat(rows_of(seed=k).assign(factor=factor) for k, factor in enumerate((0, 1, 2)))
    own = rows["condition"].eq("100 %") & rows["factor"].eq(0)
    rows = rows.assign(rmse=rows["rmse"] + 0.02 * own)  # at 0, own labels are no better than those of others
    gains = habits.habit_gains(rows)
    assert gains["dimension"].tolist() == ["valence"] * 3 + ["arousal"] * 3
    np.testing.assert_allclose(gains["mean"], [0, 0.02, 0.02] * 2, atol=0.002)
    assert gains.query("factor > 0")["pays"].all()
    assert habits.pays_at(gains.query("factor > 0 and dimension == 'valence'")).startswith("at 1 and 2 times")
    assert habits.pays_at(gains.query("factor == 2 and dimension == 'valence'")).startswith("at 2 times")


def test_what_habits_add_is_the_difference_of_two_gains():
    rows = pd.concat(rows_of(seed=k).assign(factor=factor) for k, factor in enumerate((0, 2)))
    own = rows["condition"].eq("100 %")
    rows = rows.assign(rmse=rows["rmse"] + 0.05 * own - 0.03 * (own & rows["factor"].eq(2)))
    found = habits.habit_extra(rows, "arousal")
    assert found.mean == pytest.approx(0.03, abs=0.003)
    assert found.n == 10


def test_result_rows_stand_beside_the_paper():
    rows = verdicts.result_rows(rows_of(), dataset="world:amigos", encoder="alexnet", folding="frames")
    table = results.beside_paper(pd.DataFrame(rows), paper="personalised-transfer", table="Fig 5")
    table = table.set_index(["row", "column"])
    assert table.loc[("Transfer 100 %", "Valence"), "published"] == 0.09
    assert table.loc[("Transfer 100 %", "Valence"), "seeds"] == 10  # people
    assert np.isnan(table.loc[("Transfer 0 %", "Arousal"), "published"])
