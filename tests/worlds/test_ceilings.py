"""Ceilings against brute force: simulate the annotators many times, and let every rule of answering try."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.datasets import FaceSet, load
from fer_lib.errors import DataError
from fer_lib.worlds import WORLDS, ceiling
from fer_lib.worlds.annotators import Panel, expected_rating, rate, vote
from fer_lib.worlds.ceilings import best_threshold
from fer_lib.worlds.seeds import seed_of
from fer_lib.worlds.states import chance_of_label, mark, marks_of

DRAWS = 1500


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))


def made(task, metric, classes, table, truth):
    """A world's faces from tables alone."""
    pixels = np.zeros((len(table), 1, 4, 4), dtype=np.uint8)
    words = {"unit": "image", "protocol": "", "source": "", "licence": "", "fingerprint": "x"}
    return FaceSet(
        name="world:tiny", pixels=pixels, rows=np.arange(len(table)), table=table, task=task, classes=classes,
        tasks=(task,), metric=metric, truth=truth, **words,
    )  # fmt: skip


def test_the_panel_gives_labels_as_often_as_the_truth_says():
    """Redraw the votes on forty faces of fer2013: shares of labels are the truth's ``label_*`` columns."""
    world = WORLDS["fer2013"]
    truth = world.build("train", n=40, size=32, seed=0)[2]
    looks = torch.tensor(truth[[f"looks_{name}" for name in world.classes]].to_numpy()).clamp_min(1e-4)
    looks = (looks / looks.sum(1, keepdim=True)).repeat_interleave(DRAWS, 0)
    who = {"people_seed": seed_of("fer2013", "", 0, "panel"), "names": world.classes}
    votes = vote(looks, world.panel, 1, torch.Generator().manual_seed(1), **who).view(40, DRAWS)
    counted = torch.nn.functional.one_hot(votes, 7).float().mean(1).numpy()
    said = truth[[f"label_{name}" for name in world.classes]].to_numpy()
    error = np.sqrt(said * (1 - said) / DRAWS)
    assert (np.abs(counted - said) < 4.5 * error + 1e-4).all()


def test_ratings_and_states_are_expected_as_they_come():
    panel = Panel(count=5, shift=0.2, noise=0.3, bias=0.7, slips=0.06)
    value = torch.tensor([-0.95, -0.3, 0.0, 0.6, 1.0])
    many = value.repeat_interleave(20_000)
    rated = rate(many, many, panel, torch.Generator().manual_seed(0), people_seed=3)
    means = torch.stack(rated, 1).view(5, -1, 2).mean(1)
    assert torch.allclose(means, expected_rating(value, value, panel, people_seed=3), atol=0.012)
    chances = marks_of(torch.tensor([[0.1, 0.4], [0.45, 0.9]]), panel, people_seed=3, names=("fear", "anger"))
    drawn = mark(chances.repeat_interleave(20_000, 0), torch.Generator().manual_seed(0)).float()
    assert torch.allclose(drawn.view(2, -1, 2).mean(1), chance_of_label(chances), atol=0.015)


def test_accuracy_of_the_best_answers_by_trying_all():
    """Three faces, two classes, eight ways to answer: none beats the oracle's on average."""
    chance = np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7]])
    expected = {
        answer: np.mean([chance[i, k] for i, k in enumerate(answer)])
        for answer in itertools.product((0, 1), repeat=3)
    }
    best = max(expected, key=expected.get)
    table = pd.DataFrame({"expression": [0, 0, 1]})
    truth = pd.DataFrame(chance, columns=["label_no", "label_yes"])
    found = ceiling(made("categorical", "accuracy", ("no", "yes"), table, truth))
    assert best == (0, 1, 1)
    assert found.value == pytest.approx(2 / 3)  # right on the first and the third
    assert found.parts == {"no": 0.5, "yes": 1.0}
    assert expected[best] == pytest.approx((0.9 + 0.55 + 0.7) / 3)


@pytest.mark.parametrize("metric", ["accuracy", "mean_class_accuracy"])
def test_no_other_rule_beats_the_oracle_on_simulated_labels(metric):
    draw = np.random.default_rng(0)
    chance = draw.dirichlet((3.0, 1.0, 0.4), size=4000)
    label = (draw.random((4000, 1)) > chance.cumsum(1)).sum(1)
    truth = pd.DataFrame(chance, columns=["label_a", "label_b", "label_c"])
    table = pd.DataFrame({"expression": label})
    found = ceiling(made("categorical", metric, ("a", "b", "c"), table, truth)).value

    def score(answer):
        if metric == "accuracy":
            return (answer == label).mean()
        return np.mean([(answer[label == k] == k).mean() for k in range(3)])

    others = [
        score((chance * weights).argmax(1)) for weights in itertools.product((1, 2, 4, 8, 16), repeat=3)
    ]
    assert max(others) - found < 0.012
    assert found > np.median(others)
    assert found > score(np.zeros(4000, dtype=int))


def test_thresholds_promise_the_highest_f1():
    draw = np.random.default_rng(1)
    chance = draw.beta(0.6, 1.6, size=300)
    labels = (draw.random((800, 300)) < chance).astype(float)

    def f1(threshold):
        called = chance >= threshold
        return np.mean(2 * labels[:, called].sum(1) / (called.sum() + labels.sum(1)))

    tried = {threshold: f1(threshold) for threshold in chance}
    assert f1(best_threshold(chance)) == pytest.approx(max(tried.values()), abs=0.003)
    names = ["state_x", "state_y"]
    table = pd.DataFrame(labels[:2].T.astype(int), columns=names)
    truth = pd.DataFrame({"label_x": chance, "label_y": chance})
    found = ceiling(made("multi_label", "macro_f1", ("x", "y"), table, truth))
    one = [2 * r[chance >= best_threshold(chance)].sum() for r in labels[:2]]
    size = (chance >= best_threshold(chance)).sum()
    by_hand = [hits / (size + r.sum()) for hits, r in zip(one, labels[:2], strict=True)]
    assert found.value == pytest.approx(np.mean(by_hand))


def test_no_stretch_of_the_mean_rating_has_a_higher_ccc():
    draw = np.random.default_rng(2)
    expected = draw.uniform(-0.6, 0.6, size=(3000, 2))
    rated = expected + draw.normal(0, 0.25, size=(3000, 2))
    table = pd.DataFrame(rated.clip(-1, 1), columns=["valence", "arousal"])
    truth = pd.DataFrame(expected, columns=["label_valence", "label_arousal"])
    found = ceiling(made("valence_arousal", "ccc", (), table, truth))
    y = table.valence.to_numpy()

    def ccc(p):
        return 2 * np.cov(p, y, ddof=0)[0, 1] / (p.var() + y.var() + (p.mean() - y.mean()) ** 2)

    x = truth.label_valence.to_numpy()
    tried = [ccc(a + b * x) for a in np.linspace(-0.1, 0.1, 21) for b in np.linspace(0.6, 2, 57)]
    assert max(tried) == pytest.approx(found.parts["valence"], abs=0.002)
    assert found.value == pytest.approx(np.mean(list(found.parts.values())))


@pytest.mark.parametrize("name", list(WORLDS))
def test_every_world_has_a_ceiling_in_its_metric(name):
    faces = load(f"world:{name}", size=32, limit=160, workers=1)
    for task in faces.tasks:
        found = ceiling(faces, task)
        assert found.metric == faces.as_task(task).metric
        assert 0.35 < found.value <= 1
        assert set(found.parts) <= {*faces.classes, "valence", "arousal"}


def test_real_corpora_have_none():
    table = pd.DataFrame({"expression": [0, 1]})
    with pytest.raises(
        DataError, match=r"faces must come from a world; got no truth. Load a name with world"
    ):
        ceiling(made("categorical", "accuracy", ("a", "b"), table, None))
