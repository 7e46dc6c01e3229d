"""Two views of emotion: printed cells as trainings, what a gain could show, ages, pulls, the other way."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from as_if_apart import as_if_apart
from scipy import stats
from torch.nn import functional as F

from fer_lib import results
from fer_lib.encoders import FaceChannel
from fer_lib.heads import JointHead
from fer_lib.losses import ccc_loss, class_weights
from fer_lib.metrics import ccc, mean_class_accuracy
from fer_lib.train import Settings, seeded
from fer_lib.trials import (
    Plan,
    Setup,
    Variant,
    ages,
    both_parts,
    comparing,
    inside,
    run,
    second_view,
)
from fer_lib.trials.other_way import ValuesFirst, ValuesHead, head_for, other_way

PLAN = Plan(epochs=1, settings=Settings(batch_size=16, learning_rate=3e-3), embedding=8)
CELLS = [("Table 5.1", "Best baseline", "Classic"), ("Table 5.1", "CCC", "Classic"),
         ("Table 5.3", "CCC + Island loss", "Classic")]  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    return both_parts("world:affectnet", size=32, limits=(100, 60))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32).eval()


@pytest.fixture(scope="module")
def setup(parts, encoder):
    return Setup(parts, encoder, PLAN, "untrained")


@pytest.fixture(scope="module")
def told():
    return second_view.variants(CELLS)


@pytest.fixture(scope="module")
def runs(told, parts, encoder):
    return run(list(told.values()), [0, 1], PLAN, parts, encoder)


def test_every_printed_cell_is_a_training():
    cells = second_view.cells_in("full")
    printed = [results.published("emotion-gcn", table) for table in second_view.TABLES]
    assert len(cells) == sum(map(len, printed)) == len({v.name for v in second_view.variants(cells).values()})
    assert set(second_view.cells_in("quick")) <= set(cells)
    assert not [c for c in second_view.cells_in("full", ages=False) if "Age" in c[1]]


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (("Table 5.1", "Best baseline", "Classic"), {"affect": "none", "class_loss": "weighted"}),
        (("Table 5.1", "MSE", "Concatenate"), {"affect": "mse", "fusion": "concatenate"}),
        (("Table 5.1", "Half (MSE)", "Concatenate"), {"affect": "half_mse", "parts_loss": "plain"}),
        (("Table 5.1", "Half (BCE)", "Concatenate"), {"affect": "half", "parts_loss": "weighted"}),
        (("Table 5.2", "WCE, WCE, Expression", "Accuracy"), {"class_loss": "weighted", "balance": 1.0}),
        (("Table 5.2", "CE, WCE, Expression", "Accuracy"), {"class_loss": "plain", "parts_loss": "weighted"}),
        (("Table 5.2", "WCE, WCE, Age", "Accuracy"), {"balance": 1.0, "balance_by": "age"}),
        (("Table 5.2", "Focal, Focal, none", "Accuracy"), {"class_loss": "focal", "balance": 0.0}),
        (
            ("Table 5.3", "Eight + Local subclass loss with margin (k=3)", "Concatenate"),
            {"affect": "eight", "metric": "subclass", "metric_options": (("k", 3), ("margin", 0.5))},
        ),
    ],
)
def test_cells_are_read_as_printed(cell, wanted):
    variant = second_view.variant_of(cell)
    assert {name: getattr(variant, name) for name in wanted} == wanted


def test_a_cell_that_is_not_printed_is_refused():
    with pytest.raises(ValueError, match="cell must be one of Tables"):
        second_view.variant_of(("Table 5.1", "MSE", "Separate"))


def test_the_best_cells_of_two_tables_are_one_training():
    one = second_view.variant_of(("Table 5.1", "Eight", "Concatenate"))
    two = second_view.variant_of(("Table 5.2", second_view.EIGHT, "Accuracy"))
    assert {**vars(one), "name": ""} == {**vars(two), "name": ""}
    numbers = results.published("emotion-gcn").set_index(["table", "row", "column"])["value"]
    assert numbers["Table 5.1", "Eight", "Concatenate"] == numbers["Table 5.2", second_view.EIGHT, "Accuracy"]


def test_the_svm_rows_point_to_features_with_the_printed_softmax():
    numbers = results.published("emotion-gcn").set_index(["table", "row", "column"])["value"]
    for row in results.published("emotion-gcn", "Table 5.4")["row"].unique():
        assert numbers[second_view.svm_cell(row)] == numbers["Table 5.4", row, "Softmax"]


def test_rows_are_in_the_papers_unit(runs, told, parts):
    rows = second_view.result_rows(runs, told, dataset="world:affectnet")
    assert len(rows) == 6
    labels = parts.test.targets().numpy()
    wanted = 100 * mean_class_accuracy(runs.arrays("CCC, Classic", 1)["probabilities"], labels)
    got = rows[(rows["row"] == "CCC") & (rows["seed"] == 1)]["value"].item()
    assert got == pytest.approx(float(wanted))


def test_support_vector_machines_beside_the_softmax(runs, told, parts):
    models = [v.name for v in told.values()]
    found = second_view.svm_rows(runs, models, [0, 1], parts)
    assert len(found) == 6
    table = second_view.svm_table(found, told).set_index("features")
    line = table.loc["CCC + island, Classic"]
    part = found[found["model"] == "CCC + Island loss, Classic"]
    assert line["mean"] == pytest.approx((part["SVM"] - part["softmax"]).mean())
    assert line["paper: softmax"] == 65.6
    assert math.isnan(table.loc["Best baseline, Classic", "paper: SVM"])


def test_machines_that_are_kept_are_not_fitted_again(runs, told, parts, monkeypatch, tmp_path):
    models = [v.name for v in told.values()]
    found = second_view.svm_rows(runs, models, [0], parts)
    with monkeypatch.context() as patch:
        patch.setattr("fer_lib.train.support.svm_on_features", None)
        assert second_view.svm_rows(runs, models, [0], parts).equals(found)
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    calls = as_if_apart(monkeypatch)
    assert second_view.svm_rows(runs, models, [0], parts).equals(found)
    assert calls == [len(models)]


def test_the_reported_faces_do_not_choose_the_support_vector_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    rng, sides = np.random.default_rng(0), {}
    for name in ("train_", "validation_", ""):
        sides[f"{name}embeddings"] = rng.normal(size=(60, 2))
    labels = [(x[:, 0] + rng.normal(size=60) > 0).astype(int) for x in sides.values()]
    kept = sides | {"train_rows": np.arange(60), "probabilities": np.eye(2)[labels[2]]}
    scores = []
    for told in (labels[2], 1 - labels[2]):  # one is what the other is not
        faces = [SimpleNamespace(targets=lambda y=y: torch.as_tensor(y)) for y in (*labels[:2], told)]
        parts = SimpleNamespace(train=faces[0], validation=faces[1], test=faces[2])
        place = {("m", 0): tmp_path / str(len(scores))}
        runs = SimpleNamespace(arrays=lambda model, seed: kept, folders=place)
        scores.append(second_view.svm_rows(runs, ["m"], [0], parts)["SVM"].item())
    assert sum(scores) == pytest.approx(100)  # the same answers both times


def test_gains_are_paired_differences_of_class_means(runs, parts):
    labels = parts.test.targets().numpy()
    pairs = comparing.pairs_with(["Best baseline, Classic", "CCC, Classic"], "Best baseline, Classic")
    found = comparing.gains(runs, pairs, [0, 1], parts.test, resamples=50).iloc[0]
    each = []
    right = {}
    for seed in (0, 1):
        scores = {}
        for name in ("CCC, Classic", "Best baseline, Classic"):
            named = runs.arrays(name, seed)["probabilities"].argmax(1)
            right[name, seed] = named == labels
            scores[name] = 100 * np.mean([(named[labels == k] == k).mean() for k in np.unique(labels)])
        each.append(scores["CCC, Classic"] - scores["Best baseline, Classic"])
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["deviation"] == pytest.approx(np.std(each, ddof=1))
    unlike = [right["CCC, Classic", s] != right["Best baseline, Classic", s] for s in (0, 1)]
    assert found["discordant"] == pytest.approx(np.mean(unlike))
    assert found["faces_low"] <= found["mean"] <= found["faces_high"]
    assert found["holm"] == found["p"]


def test_a_detectable_difference_is_found_as_often_as_said():
    n, deviation = 4, 2.0
    true = comparing.detectable(deviation, n, power=0.8)
    rng = np.random.default_rng(0)
    draws = rng.normal(true, deviation, (20_000, n))
    share = (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
    assert share == pytest.approx(0.8, abs=0.012)
    with pytest.raises(ValueError, match="n at least 2"):
        comparing.detectable(1.0, 1)


def test_face_noise_is_the_scatter_of_a_difference_in_accuracy():
    rng = np.random.default_rng(0)
    kinds = rng.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=(4000, 500))
    wanted = 1.96 * 100 * kinds.mean(1).std()
    assert comparing.face_noise(0.2, 500) == pytest.approx(wanted, rel=0.04)
    with pytest.raises(ValueError, match="discordant must lie"):
        comparing.face_noise(1.2, 500)


def test_news_are_all_or_nothing_in_the_limits():
    labels = np.repeat([0, 1], 32)
    assert second_view.news_of(labels, labels) == pytest.approx((1.0, 0.0))
    assert second_view.news_of(labels, np.tile(np.arange(4), 16)) == pytest.approx((2.0, 2.0))
    part = np.random.default_rng(0).integers(0, 5, 64)
    wanted = sum(stats.entropy(np.bincount(part[labels == k], minlength=5), base=2) / 2 for k in (0, 1))
    assert second_view.news_of(labels, part)[1] == pytest.approx(wanted)


def test_ages_are_tens_with_one_group_of_the_oldest():
    faces = SimpleNamespace(table=pd.DataFrame({"age": [3.0, 10.0, 59.9, 60.0, 88.0]}), truth=None)
    assert ages.age_groups(faces).tolist() == ["0-9", "10-19", "50-59", "60+", "60+"]
    nobody = SimpleNamespace(table=pd.DataFrame(index=range(2)), truth=None)
    assert set(ages.age_groups(nobody)) == {ages.NOBODY}


def test_shares_and_hits_by_age(runs, parts):
    shares = ages.shares_by_age(parts.test)
    groups, labels = ages.age_groups(parts.test), parts.test.targets().numpy()
    assert shares["faces"].sum() == len(parts.test)
    np.testing.assert_allclose(shares.drop(columns="faces").sum(axis=1), 1)
    first = shares.index[0]
    assert int(first.split("-")[0]) == parts.test.truth["age"].min() // 10 * 10
    assert shares.loc[first, "happiness"] == pytest.approx((labels[groups == first] == 1).mean())
    found = ages.accuracy_by_age(runs, "CCC, Classic", [0, 1], parts.test, resamples=20)
    assert found["group"].tolist() == shares.index.tolist()
    right = ages.right_of(runs, "CCC, Classic", [0, 1], parts.test)
    assert (found["mean"] * found["faces"]).sum() == pytest.approx(right.sum())


def test_groups_by_lot_are_not_called_different():
    rng = np.random.default_rng(1)
    p = [
        ages.chance_of_spread(rng.random(60), rng.integers(0, 4, 60), draws=99, seed=s)[1] for s in range(60)
    ]
    assert 0.35 < np.mean(p) < 0.65
    between = ages.chance_of_spread([0.0, 2.0, 4.0, 6.0], ["a", "a", "b", "b"])[0]
    assert between == pytest.approx(16 / 20)  # sums of squares by hand
    assert ages.chance_of_spread(np.ones(4), ["a", "b", "a", "b"]) == (0.0, 1.0)


def test_two_gradients_are_those_of_the_two_losses():
    torch.manual_seed(0)
    head = JointHead((4, 3, 3), 3, affect="ccc", embedding=5, affect_weight=0.5)
    features = torch.randn(6, 4, 3, 3, requires_grad=True)
    targets = torch.column_stack([torch.tensor([0.0, 1, 2, 0, 1, 2]), torch.rand(6, 2) * 2 - 1])
    (whole,) = torch.autograd.grad(head.loss(head(features), targets), features)
    first, second = inside.two_gradients(head, features, targets)
    torch.testing.assert_close(first + second, whole)
    alone = head(features)
    (own,) = torch.autograd.grad(F.cross_entropy(alone[:, :3], targets[:, 0].long()), features)
    torch.testing.assert_close(first, own)


def test_pulls_before_and_after_training(setup):
    found = inside.pulls({"CCC": Variant("a", affect="ccc")}, setup, [0], batches=2)
    assert found["moment"].tolist() == ["start", "end"]
    assert (found["ratio"] > 0).all()
    assert found["cosine"].between(-1, 1).all()
    with pytest.raises(ValueError, match="must have a second view"):
        inside.pulls({"none": Variant("none")}, setup, [0])


def test_masks_are_seen_and_scored(setup):
    found, wanted = inside.masks_seen(Variant("mask", mask=8), setup, 0)
    assert found.shape == wanted.shape == (len(setup.parts.test), 8, 8)
    assert inside.overlap(wanted, wanted) == 1
    assert inside.has_landmarks(setup.parts.test.faces)
    blind = SimpleNamespace(truth=None, table=pd.DataFrame(index=range(2)), name="blind", pixels=np.zeros(1))
    assert not inside.has_landmarks(blind)
    with pytest.raises(ValueError, match="must have a mask"):
        inside.masks_seen(Variant("none"), setup, 0)


def test_values_first_swaps_main_and_side_task(parts):
    faces = ValuesFirst(parts.test)
    torch.testing.assert_close(faces.targets(), parts.test.sides[:, :2])
    torch.testing.assert_close(faces.training_targets()[:, 0].long(), parts.test.targets())
    assert (faces.task, faces.metric) == ("valence_arousal", "ccc")


def test_without_the_expression_its_classifier_learns_nothing():
    torch.manual_seed(0)
    features = torch.randn(6, 4, 3, 3)
    targets = torch.column_stack([torch.tensor([0.0, 1, 2, 0, 1, 2]), torch.rand(6, 2) * 2 - 1])
    for weight in (0.0, 0.7):
        head = ValuesHead((4, 3, 3), 3, class_weight=weight, embedding=5)
        outputs = head(features)
        wanted = ccc_loss(outputs[:, 3:], targets[:, 1:])
        wanted = wanted + weight * F.cross_entropy(outputs[:, :3], targets[:, 0].long())
        torch.testing.assert_close(head.loss(outputs, targets), wanted)
        head.loss(outputs, targets).backward()
        grad = head.classifier.weight.grad
        assert (grad is not None and bool(grad.any())) == (weight > 0)
        torch.testing.assert_close(head.predict(outputs), outputs[:, 3:])
    with pytest.raises(ValueError, match="class_weight must be 0 or more"):
        ValuesHead((4, 3, 3), 3, class_weight=-1.0)


def test_the_other_way_is_kept_and_scored_by_concordance(parts, encoder):
    tried = {"alone": 0.0, "both": 1.0}
    found = other_way(tried, [0], PLAN, parts, encoder)
    wide = found.rows.pivot(index="model", columns="metric", values="value")
    assert wide.loc["alone", "ccc_valence"] != wide.loc["both", "ccc_valence"]
    wanted = ccc(found.arrays("alone", 0)["affect"], parts.test.sides[:, :2].numpy())
    assert wide.loc["alone"].tolist() == pytest.approx([float(wanted[1]), float(wanted[0])], abs=1e-6)
    times = {key: (path / "rows.json").stat().st_mtime_ns for key, path in found.folders.items()}
    again = other_way(tried, np.array([0]), PLAN, parts, encoder)
    assert {key: (path / "rows.json").stat().st_mtime_ns for key, path in again.folders.items()} == times


def test_the_expression_beside_is_weighted_as_elsewhere(parts):
    faces = ValuesFirst(parts.train)
    head = head_for(faces, (4, 3, 3), PLAN, affect="ccc", class_weight=1.0)
    labels, logits = parts.train.targets(), torch.randn(len(faces), 7)
    weights = class_weights(torch.bincount(labels, minlength=7))
    torch.testing.assert_close(
        head.class_loss(logits, labels), F.cross_entropy(logits, labels, weight=weights.float())
    )
    assert not torch.allclose(head.class_loss(logits, labels), F.cross_entropy(logits, labels))


def test_values_alone_start_where_multi_task_learning_starts(parts, encoder):
    plan = dataclasses.replace(
        PLAN, epochs=1, settings=dataclasses.replace(PLAN.settings, learning_rate=1e-12)
    )
    alone = other_way({"alone": 0.0}, [3], plan, parts, encoder).weights("alone", 3)
    multi = run([Variant("m", affect="ccc")], [3], plan, parts, encoder).weights("m", 3)
    for name in ("regressor.weight", "embed.0.weight", "classifier.weight"):
        torch.testing.assert_close(alone[name], multi[name], rtol=0, atol=1e-6)


def test_the_reported_faces_have_no_say_in_the_other_way(parts, encoder):
    fewer = dataclasses.replace(parts, test=parts.test.subset(slice(0, 9)))
    kept = [other_way({"alone": 0.0}, [0], PLAN, given, encoder) for given in (parts, fewer)]
    one, two = (runs.rows["validation"].tolist()[0] for runs in kept)
    assert one == two
    assert all(
        torch.equal(value, kept[1].weights("alone", 0)[name])
        for name, value in kept[0].weights("alone", 0).items()
    )


def test_the_lot_deals_ages_to_people():
    rng = np.random.default_rng(2)
    found, alone = [], []
    for _ in range(40):  # ten people of ten like faces, their ages by chance: nothing is there
        who = np.repeat(np.arange(10), 10)
        values, old = rng.normal(size=10)[who], rng.permutation(10)[who] % 2
        found.append(ages.chance_of_spread(values, old, who, draws=99)[1])
        alone.append(ages.chance_of_spread(values, old, draws=99)[1])
    assert np.mean(np.array(found) < 0.05) < 0.15
    assert np.mean(np.array(alone) < 0.05) > 0.4
    told = rng.random(8), [0, 0, 1, 1, 0, 1, 0, 1]
    assert ages.chance_of_spread(*told) == ages.chance_of_spread(*told, np.arange(8))
    both = ages.chance_of_spread([0.0, 2.0, 4.0, 6.0], ["a", "a", "b", "b"], [1, 2, 2, 3])[0]
    assert both == pytest.approx(16 / 20)  # person 2 is in two groups
