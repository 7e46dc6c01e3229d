"""Rows of single people: which folds, shares and conditions go into each, by hand."""

import pandas as pd
import pytest

from fer_lib.sampling import claim_rows, personal


def run(
    condition, rmse, *, person="P1", fold=0, folding="frames", strategy="", share=1.0, dimension="valence"
):
    return {
        "person": person, "fold": fold, "seed": 0, "folding": folding, "dimension": dimension,
        "condition": condition, "strategy": strategy, "share": share, "labels": 1, "rmse": rmse,
    }  # fmt: skip


STUDY = pd.DataFrame([
    run("no transfer", 0.3, person="P0"), run("no transfer", 0.5),
    run("0 %", 0.4), run("0 %", 0.8, fold=1), run("0 %", 0.9, dimension="arousal"),
    run("100 %", 0.1), run("100 %", 0.7, fold=1), run("0 %", 0.2, person="P0"),
    run("others", 0.6), run("equal steps", 0.2, share=0.3), run("mean", 0.2),
    run("others", 0.25, folding="clips"), run("100 %", 0.15, folding="clips"),
    run("mean", 0.35, folding="clips"),
    *(run("share", 0.1 * k, strategy="igs", share=0.1 * k) for k in (2, 4, 9)),
    run("share", 0.4, strategy="random", share=0.3), run("share", 0.2, strategy="random", share=0.5),
])  # fmt: skip


def table_of(name):
    rows = pd.DataFrame(claim_rows.person_rows(STUDY, dataset="world:amigos", encoder="alexnet"))
    assert set(rows["paper"]) == {"personalised-transfer"}
    assert set(rows["encoder"]) == {"alexnet"}
    part = rows[(rows["table"] == name) & (rows["metric"] == "rmse_valence")]
    assert set(part["column"]) == {"Valence"}
    return part.set_index(["row", "seed"])["value"].round(9).to_dict()


def test_conditions_in_the_folds_that_no_transfer_has_run():
    found = table_of("Fig 5, shared folds")
    assert found == {
        ("No transfer", 0): 0.3, ("No transfer", 1): 0.5, ("Transfer 0 %", 1): 0.4,
        ("Transfer 100 %", 1): 0.1, ("Transfer 0 %", 0): 0.2,
    }  # fmt: skip
    assert len(claim_rows.shared_folds(STUDY, "no transfer").query("dimension == 'arousal'")) == 0


def test_controls_are_those_of_whole_films():
    assert table_of("Fig 5, controls") == {
        ("Others", 1): 0.25, ("Transfer 100 %", 1): 0.15, ("Constant", 1): 0.35,
    }  # fmt: skip


def test_few_labels_are_shares_up_to_a_half_beside_all():
    assert table_of("Fig 6, few labels") == {
        ("iGS", 1): pytest.approx(0.3), ("random", 1): pytest.approx(0.3), ("random, 30 %", 1): 0.4,
        ("all labels", 1): pytest.approx(0.5),  # root of the mean square of .1 and .7
    }  # fmt: skip


def test_all_strategies_have_a_name():
    assert set(claim_rows.STRATEGIES) == set(personal.STRATEGIES)
