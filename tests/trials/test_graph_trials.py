"""Emotion-GCN's tables and controls: rows in their places, differences by hand, single faces."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest

from fer_lib.encoders import FaceChannel
from fer_lib.graph import EXPRESSIONS, GraphHead, emotion_adjacency
from fer_lib.metrics import ccc, mean_class_accuracy
from fer_lib.train import Settings, seeded
from fer_lib.trials import (
    Graph,
    Plan,
    Runs,
    Setup,
    Variant,
    both_parts,
    claim_rows,
    graph_looking,
    graph_tables,
    graphs,
    run,
)

PLAN = Plan(epochs=1, settings=Settings(batch_size=16, learning_rate=3e-3), embedding=8)


@pytest.fixture(scope="module")
def setup():
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=32).eval()
    return Setup(both_parts("world:affectnet", size=32, limits=(60, 40)), encoder, PLAN, "small")


@pytest.fixture(scope="module")
def gcn():
    return Variant(graphs.GCN, affect="ccc", graph=Graph(hidden=(6,)))


@pytest.fixture(scope="module")
def runs(setup, gcn):
    return run([Variant(graphs.CCC, affect="ccc"), gcn], [0, 1], PLAN, setup.parts, setup.encoder)


def test_no_edges_is_the_same_network_with_nobody_joined(setup):
    plain, joined = graphs.controls()[0], graphs.published_four()[3]
    alone, with_edges = (graphs.untrained(one, setup, 0) for one in (plain, joined))
    assert torch.equal(alone.adjacency, torch.eye(9))
    assert not torch.equal(with_edges.adjacency, torch.eye(9))
    for (name, one), (_, other) in zip(alone.named_parameters(), with_edges.named_parameters(), strict=True):
        assert torch.equal(one, other), name  # from the same first weights


@pytest.mark.parametrize(("hidden", "low", "high"), [((), 0.2999, 0.3001), ((512,), 0.0, 0.2)])
def test_edges_shrink_what_tells_expressions_apart(hidden, low, high):
    """Why Emotion-GCN needs more steps: each layer keeps .3 of the differences between classifiers."""
    spread = []
    for p in (0.0, 0.7):
        with seeded(0):
            joined = emotion_adjacency(np.ones((9, 9)), p=p)
            rows = GraphHead((64, 3, 3), EXPRESSIONS, joined, hidden=hidden).weights()[:7].detach()
        spread.append((rows - rows.mean(0)).std())
    assert low < spread[1] / spread[0] < high


def test_a_plan_until_settled_only_trains_longer():
    longer = graphs.until_settled(PLAN, epochs=30, patience=4)
    assert (longer.epochs, longer.settings.patience) == (30, 4)
    same = dataclasses.replace(longer.settings, patience=PLAN.settings.patience)
    assert dataclasses.replace(longer, epochs=PLAN.epochs, settings=same) == PLAN


def test_the_four_are_the_thesiss():
    four = graphs.published_four("words.txt")
    assert [(v.affect, v.graph is not None) for v in four] == [
        ("none", False), ("mse", False), ("ccc", False), ("ccc", True),
    ]  # fmt: skip
    assert (four[3].graph.tau, four[3].graph.p, four[3].graph.mode) == (0.1, 0.7, "paper")
    assert four[3].graph.glove == "words.txt"
    half, code, between = graphs.controls()[1:]
    assert (code.graph.mode, code.graph.p, between.graph.between) == ("code", 0.5, True)
    assert dataclasses.replace(half.graph, mode="code") == code.graph  # the transpose alone is between them
    assert dataclasses.replace(half.graph, p=0.7) == Graph()  # and p alone here


def test_grid_rows_stand_where_the_thesis_has_them():
    settings = graphs.grid([1, 3], [0.0, 0.1], [0.5, 0.7])
    assert {(deep, len(v.graph.hidden) + 1) for (deep, _, _), v in settings.items()} == {(1, 1), (3, 3)}
    frame = pd.DataFrame(
        {
            "model": v.name,
            "seed": 0,
            "metric": "mean_class_accuracy",
            "value": k / 100,
            "device": "cpu",
            "seconds": 1.0,
        }
        for k, v in enumerate(settings.values())
    )
    rows = graph_tables.grid_rows(Runs(frame, {}), settings)
    known = {settings[key].name: 1.0 * k for k, key in enumerate(settings)}
    both = rows[(rows["row"] == "L=1") & rows["column"].isin(["tau=0.1", "p=0.7"])]
    assert both["table"].tolist() == ["Table 6.2a", "Table 6.2b"]  # one run, in both tables
    assert both["value"].tolist() == pytest.approx([known["L=1, tau=0.1, p=0.7"]] * 2)
    assert len(rows) == 2 * (2 + 2)
    with pytest.raises(ValueError, match="layers must be among"):
        graphs.grid([4], [0.1], [0.7])


def test_beside_the_thesis_only_its_own_rows_stand(runs, setup):
    about = {"table": "Table 6.1", "dataset": "d", "encoder": "e"}
    rows = graph_tables.expression_rows(runs, column="AffectNet", **about)
    labels = setup.parts.test.targets().numpy()
    rows += graph_tables.expression_rows(runs, column="Aff-Wild2", labels=labels, **about)
    rows += graph_tables.affect_rows([runs], title="AffectNet", dataset="d", encoder="e")
    frame = graph_tables.beside(rows, "Table 6.1").set_index(["row", "column"])
    assert len(frame) == 8
    found = [
        100 * mean_class_accuracy(runs.arrays(graphs.GCN, seed)["probabilities"], labels) for seed in (0, 1)
    ]
    assert frame.loc[("Emotion-GCN", "AffectNet"), "mean"] == pytest.approx(np.mean(found))
    assert frame.loc[("Emotion-GCN", "AffectNet"), "published"] == 66.46
    assert np.isnan(frame.loc[("Single-task", "AffectNet"), "mean"])
    values = graph_tables.beside(rows, "Table 6.3").set_index(["row", "column"])
    told = setup.parts.test.sides[:, :2].numpy()
    mine = np.mean([ccc(runs.arrays(graphs.CCC, seed)["affect"], told)[1] for seed in (0, 1)])
    assert values.loc[("Multi-task + CCC", "AffectNet CCC-A"), "mean"] == pytest.approx(mine)
    assert len(values) == 16


def test_only_aff_wild2_is_scored_by_its_challenges_rule(runs, setup):
    about = {"table": "Table 6.1", "dataset": "d", "encoder": "e"}
    labels = setup.parts.test.targets().numpy()
    title, column = graph_tables.titles_of("world:omg_emotion", "world:affwild2")
    plain = graph_tables.expression_rows(runs, column=title, **about)
    assert title == "OMG-Emotion"
    assert graph_tables.expression_rows(runs, column=title, labels=labels, **about) == plain
    scored = graph_tables.expression_rows(runs, column=column, labels=labels, **about)
    assert {row["metric"] for row in scored} == {"total"}


def test_two_corpora_are_two():
    with pytest.raises(ValueError, match=r"second must be another corpus .* Take world:affectnet\."):
        graph_tables.titles_of("world:affwild2", "world:affwild2")
    with pytest.raises(ValueError, match=r"second must have faces with one class each and .* lacks valence"):
        graph_tables.titles_of("world:affectnet", "world:fer2013")


def test_total_is_the_challenges():
    probabilities = np.eye(3)[[0, 1, 1, 2]]
    f1 = np.mean([1.0, 2 / 3, 2 / 3])  # labels 0, 1, 2, 2
    assert graph_tables.total(probabilities, [0, 1, 2, 2]) == pytest.approx(0.67 * f1 + 0.33 * 0.75)


def told(*guesses, affect=None):
    """Runs of two models whose answers are given, without training."""

    class Told(Runs):
        def arrays(self, model, seed):
            guess = guesses[("a", "b").index(model)]
            both = np.zeros((len(guess), 2)) if affect is None else affect[("a", "b").index(model)]
            return {"probabilities": np.eye(3)[guess] * 0.8 + 0.1, "affect": both}

    return Told(pd.DataFrame(), {("a", 0): None, ("b", 0): None})


def test_outcomes_are_counted_and_tested():
    labels = np.array([0, 0, 1, 1, 2, 2])
    found = graph_looking.outcomes(told([0, 0, 1, 0, 0, 0], [0, 1, 2, 1, 0, 0]), ("a", "b"), labels).iloc[0]
    assert found[["both", "first", "second", "neither"]].tolist() == [1, 2, 1, 2]
    assert found["p"] == pytest.approx(binomtest(2, 3).pvalue)
    same = graph_looking.outcomes(told([0], [0]), ("a", "b"), np.array([0])).iloc[0]
    assert same["p"] == 1
    alike = graph_looking.outcomes(told([0, 0, 0], [1, 1, 1]), ("a", "b"), np.zeros(3, int), [5, 5, 5])
    assert alike["p"].iloc[0] == 1  # one person may fall to either


def test_near_misses_agree_about_affect():
    labels = np.array([0, 0, 1, 1])
    affect = [np.zeros((4, 2)), np.array([[0.5, 0], [0.1, 0], [0, 0], [0, 0.9]])]
    runs = told([0, 0, 0, 0], [1, 1, 1, 1], affect=affect)
    found = graph_looking.near_misses(runs, ("a", "b"), labels, seed=0)
    assert found["first"].tolist() == [1]
    assert found["second"].tolist() == [2]
    far = graph_looking.near_misses(runs, ("a", "b"), labels, seed=0, near=-1)
    assert sorted(far["first"].tolist()) == [0, 1]  # none is near: all count


def test_cards_say_who_is_right(runs, setup):
    found = graph_looking.cards(runs, (graphs.CCC, graphs.GCN), setup.parts.test, np.array([0]), seed=0)[0]
    label = setup.parts.test.classes[int(setup.parts.test.targets()[0])]
    assert found[0] == (f"label: {label}", "")
    guess = setup.parts.test.classes[int(runs.arrays(graphs.GCN, 0)["probabilities"][0].argmax())]
    assert found[4] == (
        f"Emotion-GCN: {guess} ({'right' if guess == label else 'wrong'})",
        "green" if guess == label else "red",
    )


def test_outputs_that_go_together_correlate():
    affect = np.column_stack([np.r_[-np.ones(10), np.ones(10)], np.zeros(20)])
    tied = np.eye(2)[np.r_[np.zeros(10, int), np.ones(10, int)]]
    assert graph_looking.output_ties(tied, affect, ("sadness", "happiness")) == pytest.approx(0.5)  # 1, and 0
    loose = np.eye(2)[np.arange(20) % 2]
    assert graph_looking.output_ties(loose, affect, ("sadness", "happiness")) == pytest.approx(0)


def test_vectors_are_the_networks_last_matrix(runs, setup, gcn):
    rows = graphs.vectors(runs.weights(graphs.GCN, 0), gcn, setup)
    np.testing.assert_allclose(
        runs.arrays(graphs.GCN, 0)["embeddings"] @ rows[7:].T, runs.arrays(graphs.GCN, 0)["affect"], atol=1e-4
    )
    multi = graphs.vectors(runs.weights(graphs.CCC, 0), Variant(graphs.CCC, affect="ccc"), setup)
    assert multi.shape == (9, 8)
    each = [graphs.cosines(graphs.vectors(runs.weights(graphs.GCN, s), gcn, setup)) for s in (0, 1)]
    np.testing.assert_allclose(graphs.mean_cosines(runs, gcn, setup), np.mean(each, 0))
    with pytest.raises(ValueError, match="variant must have a graph"):
        graphs.untrained(Variant("plain"), setup, 0)


def test_cosine_rows_are_those_of_the_figure_before_and_after_training(setup, gcn, runs):
    plain = Variant(graphs.CCC, affect="ccc")
    rows = claim_rows.cosine_rows(runs, [plain, gcn], setup, [0, 1], dataset="d")
    found = {(row["row"], row["seed"]): row["value"] for row in rows}
    assert set(found) == {
        (name, seed) for name in (graphs.CCC, graphs.GCN, f"{graphs.GCN}, untrained") for seed in (0, 1)
    }
    for seed in (0, 1):
        weights = runs.weights(graphs.CCC, seed)
        one, two = weights["classifier.weight"].numpy(), weights["regressor.weight"].numpy()
        each = [abs(a @ b) / np.sqrt(a @ a * (b @ b)) for a in one for b in two]
        assert len(each) == 14
        assert found[graphs.CCC, seed] == pytest.approx(np.mean(each), rel=1e-5)
        fresh = graphs.cosines(graphs.untrained(gcn, setup, seed).weights().detach().numpy())
        assert found[f"{graphs.GCN}, untrained", seed] == pytest.approx(np.abs(fresh[:7, 7:]).mean())
    each = [graphs.cosines(graphs.vectors(runs.weights(graphs.GCN, seed), gcn, setup)) for seed in (0, 1)]
    assert [found[graphs.GCN, seed] for seed in (0, 1)] == pytest.approx(
        [np.abs(one[:7, 7:]).mean() for one in each]
    )
