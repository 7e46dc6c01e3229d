"""Differences of models by hand and against the library's own intervals; people, signs and printed places."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest

from fer_lib.metrics import bootstrap_interval, mean_class_accuracy, paired_difference
from fer_lib.trials import Runs
from fer_lib.trials.comparing import class_mean, drawn_sums, gain, gains, signs_p
from fer_lib.trials.placing import result_rows


@pytest.fixture
def answered():
    """Labels, and answers before and after the first sixty faces became right."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 240)
    before = rng.dirichlet(np.ones(3), (4, 240))
    after = before.copy()
    after[:, :60, :] = np.eye(3)[target[:60]]
    return target, before, after


def test_differences_have_both_intervals(answered):
    target, before, after = answered
    found = gain(after, before, target)
    scores = [[100 * mean_class_accuracy(run, target) for run in one] for one in (after, before)]
    seeds = paired_difference(*scores)
    assert (found["mean"], found["low"], found["high"], found["p"]) == pytest.approx(
        (seeds.mean, seeds.low, seeds.high, seeds.p_value)
    )
    right = [one.argmax(2) == target for one in (after, before)]
    assert found["deviation"] == pytest.approx(np.std(np.subtract(*scores), ddof=1))
    assert found["discordant"] == pytest.approx((right[0] != right[1]).mean())
    each = 100 * (right[0].astype(float) - right[1]).mean(0)
    drawn = bootstrap_interval(class_mean, each, target, resamples=1000)
    assert (found["faces_low"], found["faces_high"]) == pytest.approx((drawn.low, drawn.high), abs=1)
    people = np.arange(240) // 6
    over, told = (
        gain(after, before, target, people),
        bootstrap_interval(class_mean, each, target, groups=people),
    )
    assert (over["faces_low"], over["faces_high"]) == pytest.approx((told.low, told.high), abs=2)
    assert over["faces_high"] - over["faces_low"] > 1.5 * (found["faces_high"] - found["faces_low"])


def test_each_draw_divides_by_its_own_faces(answered):
    target, before, _ = answered
    right, wrong = (np.stack([np.eye(3)[(target + k) % 3]] * 2) for k in (0, 1))
    sure = gain(right, wrong, target)
    assert (sure["faces_low"], sure["faces_high"]) == pytest.approx((100, 100))
    same = gain(before, before, target)
    assert (same["mean"], same["faces_low"], same["faces_high"], same["discordant"]) == (0, 0, 0, 0)


def test_the_frame_draws_people_and_adjusts_for_the_pairs(answered):
    target, before, after = answered

    class Told(Runs):
        def arrays(self, model, seed):
            return {"probabilities": {"a": after, "b": before}[model][seed]}

    runs, people = Told(pd.DataFrame(), {}), np.arange(240) // 60
    faces = SimpleNamespace(
        table=pd.DataFrame(index=range(240)), unit="image", truth=pd.DataFrame({"identity": people}),
        targets=lambda: torch.as_tensor(target),
    )  # fmt: skip
    found = gains(runs, [("a", "b"), ("b", "a")], [0, 1, 3], faces)
    wanted = gain(after[[0, 1, 3]], before[[0, 1, 3]], target, people)
    assert {name: found[name][0] for name in wanted} == wanted
    assert found["mean"][1] == -wanted["mean"]
    assert found["holm"][0] == pytest.approx(2 * wanted["p"])
    assert found[["model", "against"]].to_numpy().tolist() == [["a", "b"], ["b", "a"]]


def test_class_mean_of_hits_is_mean_class_accuracy():
    labels = np.random.default_rng(0).integers(0, 4, 300)
    pred = np.roll(labels, 1)
    assert class_mean((pred == labels) * 1.0, labels) == pytest.approx(mean_class_accuracy(pred, labels))
    assert class_mean([1.0, 0.0], [0, 2]) == 0.5  # nobody is of class 1


def test_people_bring_all_their_faces_each_time():
    values = np.arange(6.0)[:, None] ** 2
    sums = drawn_sums(np.hstack([values, np.ones((6, 1))]), ["x", "x", "x", "y", "y", "z"], resamples=400)
    own = {(5, 3): 0, (25, 2): 0, (25, 1): 0}
    possible = set()
    for drawn in product(own, repeat=3):
        possible.add(tuple(float(n) for n in np.sum(drawn, axis=0)))
    assert {tuple(row) for row in sums.tolist()} == possible
    assert sums[:, 1].mean() == pytest.approx(6, abs=0.2)
    assert np.array_equal(drawn_sums(values, resamples=9), drawn_sums(values, np.arange(6), resamples=9))


def test_many_draws_are_made_in_portions(monkeypatch):
    values = np.random.default_rng(0).normal(size=(50, 2))
    whole = drawn_sums(values, resamples=30)
    monkeypatch.setattr("fer_lib.trials.comparing._AT_ONCE", 170)
    np.testing.assert_allclose(drawn_sums(values, resamples=30), whole)


def test_signs_of_faces_are_mcnemars_test_and_those_of_people_are_counted():
    assert signs_p([1] * 9 + [-1] * 3 + [0] * 7) == pytest.approx(binomtest(9, 12).pvalue)
    assert signs_p([0, 0]) == 1
    each, people = [1, 1, 1, -1, 1, 0, 1, -1], list("aaabbccd")  # sums of people: 3, 0, 1, -1
    tosses = [abs(np.dot(signs, [3, 0, 1, -1])) >= 3 for signs in product((-1, 1), repeat=4)]
    assert signs_p(each, people) == pytest.approx(np.mean(tosses))
    assert signs_p([1] * 20) < 1e-5 < signs_p([1] * 20, [0] * 10 + [1] * 10)


def test_rows_stand_in_their_places():
    about = {"seconds": 1.0, "device": "cuda"}
    frame = pd.DataFrame(
        [
            {"model": model, "seed": seed, "metric": metric, "value": value + seed / 10, **about}
            for model, value in {"a": 0.3, "b": 0.5}.items()
            for seed in (0, 1)
            for metric in ("mean_class_accuracy", "macro_f1")
        ]
    )
    runs = SimpleNamespace(rows=frame, arrays=lambda model, seed: {"x": np.array([ord(model), seed])})
    kept = {"paper": "emotion-gcn", "dataset": "d", "encoder": "e"}
    places = [("a", ("T", "row", "one")), ("b", ("T", "row", "two")), ("a", ("U", "again", "one"))]
    found = pd.DataFrame(result_rows(runs, places, **kept))
    assert found["value"].tolist() == pytest.approx([30, 40, 50, 60, 30, 40])
    assert found["column"].tolist() == ["one"] * 2 + ["two"] * 2 + ["one"] * 2
    assert set(found["device"]) == {"cuda"}
    own = result_rows(runs, places[1:2], metric="total", score=lambda one: one["x"].sum(), times=1.0, **kept)
    assert [(one["metric"], one["seed"], one["value"]) for one in own] == [("total", 0, 98), ("total", 1, 99)]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="same seeds and faces"):
        gain(np.ones((2, 3, 2)), np.ones((2, 4, 2)), np.zeros(4, int))
    with pytest.raises(ValueError, match="two or more people"):
        drawn_sums(np.ones((3, 1)), ["a"] * 3)
    with pytest.raises(ValueError, match="one of two or more people a row"):
        drawn_sums(np.ones((3, 1)), ["a", "b"])
