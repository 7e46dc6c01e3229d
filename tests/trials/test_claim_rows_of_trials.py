"""Rows of chapter 13 for the scoreboard, from embeddings whose spread is worked out by hand."""

import numpy as np
import pytest

from fer_lib.trials.claim_rows import spread_rows


class Kept:
    """Stands for `Runs`: class means lie 2 from the mean of all, faces ``wide`` from their class's."""

    def __init__(self, wide):
        self.wide = wide

    def arrays(self, model, seed):
        wide = self.wide[model] * (1 + seed)
        return {"embeddings": np.array([[-2 - wide], [-2 + wide], [2 - wide], [2 + wide]])}


def values_of(wide):
    rows = spread_rows(Kept(wide), list(wide), [0, 1], np.array([0, 0, 1, 1]), dataset="d", encoder="e")
    assert {(row["dataset"], row["encoder"]) for row in rows} == {("d", "e")}
    assert {row["table"] for row in rows} == {"Fig 4.2.2, spread"}
    return {(row["row"], row["seed"], row["metric"]): row["value"] for row in rows}


def test_spread_within_classes_and_share_between_them():
    found = values_of({"Best baseline": 1.0, "Center loss": 0.5})
    assert len(found) == 8
    assert found["Best baseline", 0, "between_share"] == pytest.approx(80)  # 4 of 4 + 1
    assert found["Best baseline", 1, "between_share"] == pytest.approx(50)
    assert found["Best baseline", 1, "log_within"] == pytest.approx(np.log(4))
    assert found["Center loss", 0, "log_within"] == pytest.approx(-np.log(4))


def test_classes_without_any_spread_have_no_logarithm():
    found = values_of({"Center loss": 0.0})
    assert found == {("Center loss", seed, "between_share"): pytest.approx(100) for seed in (0, 1)}
