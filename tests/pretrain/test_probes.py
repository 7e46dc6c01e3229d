"""Linear probes against closed-form ridge and a separable problem; nothing of the test faces is used."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, r2_score

from fer_lib.pretrain.probes import probe, probe_rows, r_squared


def _faces(seed=0, n=80, d=6):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(3 * n, d)) * np.arange(1, d + 1) + 5
    numbers = np.c_[features[:, 0] - features[:, 1], rng.normal(size=3 * n)]
    numbers[:, 0] += 0.5 * rng.normal(size=3 * n)
    parts = [slice(k * n, (k + 1) * n) for k in range(3)]
    return [features[p] for p in parts], [numbers[p] for p in parts]


def _ridge_by_hand(x, y, new, penalty):
    mean, spread = x.mean(0), x.std(0)
    x, new = (x - mean) / spread, (new - mean) / spread
    weights = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1])) @ x.T @ (y - y.mean())
    return new @ weights + y.mean()


def test_ridge_equals_the_closed_form():
    x, y = _faces()
    found = probe(*zip(x, [t[:, 0] for t in y], strict=True), task="regression", penalties=[30.0])
    expected = _ridge_by_hand(x[0], y[0][:, 0], x[2], 30.0)
    assert found["pred"] == pytest.approx(expected, rel=1e-9)
    assert found["r2"] == pytest.approx(r2_score(y[2][:, 0], expected), rel=1e-9)
    assert found["score"] == pytest.approx(np.corrcoef(expected, y[2][:, 0])[0, 1], rel=1e-9)


def test_each_column_takes_the_penalty_that_is_best_on_validation():
    x, y = _faces()
    penalties = [0.1, 100.0, 1e6]
    found = probe(*zip(x, y, strict=True), task="regression", penalties=penalties)
    for column in range(2):
        scores = [
            r2_score(y[1][:, column], _ridge_by_hand(x[0], y[0][:, column], x[1], p)) for p in penalties
        ]
        assert found["penalty"][column] == penalties[int(np.argmax(scores))]
        assert found["validation"][column] == pytest.approx(max(scores), rel=1e-9)
    assert found["penalty"][0] < found["penalty"][1]  # pure noise wants the stiffest


def test_the_test_faces_choose_nothing():
    x, y = _faces()
    first = probe(*zip(x, y, strict=True), task="regression")
    shuffled = [*y[:2], y[2][::-1]]
    again = probe(*zip(x, shuffled, strict=True), task="regression")
    assert (first["pred"] == again["pred"]).all()
    assert (first["penalty"] == again["penalty"]).all()


def test_scale_of_the_features_does_not_matter():
    x, y = _faces()
    scaled = [part * 1000 - 7 for part in x]
    first, again = (probe(*zip(part, y, strict=True), task="regression") for part in (x, scaled))
    assert again["pred"] == pytest.approx(first["pred"], rel=1e-7)


def test_a_dead_unit_is_ignored():
    x, y = _faces()
    dead = [np.c_[part, np.full(len(part), 3.0)] for part in x]
    first, again = (probe(*zip(part, y, strict=True), task="regression") for part in (x, dead))
    assert again["pred"] == pytest.approx(first["pred"], rel=1e-9)


def test_classes_equal_scikit_learn():
    x, y = _faces(n=120)
    labels = [(t[:, 0] > -1).astype(int) + (t[:, 0] > 1) for t in y]
    found = probe(*zip(x, labels, strict=True), task="classification", penalties=[1.0])
    mean, spread = x[0].mean(0), x[0].std(0)
    reader = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000, tol=1e-8)
    reader.fit((x[0] - mean) / spread, labels[0])
    expected = balanced_accuracy_score(labels[2], reader.predict((x[2] - mean) / spread))
    assert found["score"] == pytest.approx(expected, abs=0.02)
    assert found["chance"] == pytest.approx(1 / 3)
    assert found["score"] > 0.7


def test_r_squared_by_hand_and_for_a_constant():
    assert r_squared(np.array([0.0, 1.0]), np.array([0.0, 2.0])) == pytest.approx(1 - 0.5 / 1)
    assert r_squared(np.array([1.0, 1.0]), np.array([2.0, 2.0])) == 0
    pred, target = np.random.default_rng(0).normal(size=(2, 20, 3))
    by_sklearn = r2_score(target, pred, multioutput="raw_values")
    assert r_squared(pred, target) == pytest.approx(by_sklearn, rel=1e-12)


def test_rows_for_encoders_and_properties():
    x, y = _faces(n=120)
    labels = [(t[:, 0] > 0).astype(int) for t in y]
    noise = [np.random.default_rng(k).normal(size=part.shape) for k, part in enumerate(x)]
    rows = probe_rows(
        {"good": x, "noise": noise}, {"number": [t[:, 0] for t in y], "side": labels}, resamples=50
    ).set_index(["encoder", "property"])
    assert rows.loc[("good", "number"), "task"] == "regression"
    assert rows.loc[("good", "side"), "task"] == "classification"
    assert rows.loc[("good", "number"), "low"] > rows.loc[("noise", "number"), "high"]
    inside = (rows["low"] <= rows["score"] + 1e-9) & (rows["score"] <= rows["high"] + 1e-9)
    assert inside.all()


def test_rows_of_several_numbers_equal_probes_one_by_one():
    x, y = _faces()
    targets = {"first": [t[:, 0] for t in y], "second": [t[:, 1] for t in y]}
    rows = probe_rows({"e": x}, targets, resamples=5).set_index("property")
    for name, values in targets.items():
        alone = probe(*zip(x, values, strict=True), task="regression")
        assert rows.loc[name, "score"] == pytest.approx(alone["score"], rel=1e-9)
        assert rows.loc[name, "penalty"] == alone["penalty"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "ranking"}, "task must be one of regression, classification; got 'ranking'"),
        ({"penalties": [0.0]}, r"penalties must be above 0; got \[0\.0\]"),
        ({"penalties": []}, r"penalties must be above 0; got \[\]"),
        ({"test": (np.zeros((3, 2)), np.zeros(2))}, "test must pair features with targets; got 3 and 2 rows"),
        ({"validation": (np.full((2, 2), np.nan), np.zeros(2))}, "validation must have finite features"),
        (
            {"task": "classification", "train": (np.zeros((3, 2)), np.zeros(3, int))},
            "train must hold at least two classes; got one",
        ),
    ],
)
def test_refuses(change, message):
    pair = (np.zeros((4, 2)), np.arange(4.0))
    given = {"train": pair, "validation": pair, "test": pair, "task": "regression", "penalties": [1.0]}
    given |= change
    parts = [given.pop(name) for name in ("train", "validation", "test")]
    with pytest.raises(ValueError, match=message):
        probe(*parts, **given)


def test_one_face_far_out_on_a_silent_unit_costs_nothing():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 6))
    features[:, 5] = 0
    features[0, 5] = 1e-3  # fires once in training
    truth = features[:, 0] + 0.1 * rng.normal(size=400)
    parts = [slice(0, 200), slice(200, 300), slice(300, 400)]
    quiet = probe(*((features[part], truth[part]) for part in parts), task="regression")
    features[350, 5] = 50.0
    loud = probe(*((features[part], truth[part]) for part in parts), task="regression")
    assert loud["score"] > 0.98
    assert abs(loud["score"] - quiet["score"]) < 0.01
