"""Chapter 07's drawings show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from small_faces import small_faces

from fer_lib.adapt import prices
from fer_lib.views import prices as drawings
from fer_lib.views.style import round_ticks


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"corpus": corpus, "regime": regime, "seed": seed, "task": task, "score": generator.random(),
             "trained": 10 ** (3 + k), "seconds": 0.2 * 2**k}
            for corpus, task in (("jaffe", "categorical"), ("omg_emotion", "valence_arousal"))
            for k, regime in enumerate(prices.NAMES) for seed in range(3)
        ]
    )  # fmt: skip


def title(ax):
    return ax.get_title() or ax.get_title(loc="left")


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_price_panels_put_each_regime_at_its_cost_and_mean(rows):
    figure = drawings.price_panels(rows, names={"jaffe": "JAFFE"}, synthetic=True)
    assert legend(figure) == list(prices.NAMES.values())
    assert [title(ax) for ax in figure.axes[:2]] == [
        "JAFFE\naccuracy",
        "omg_emotion\nmean CCC",
    ]
    part = rows[(rows["corpus"] == "omg_emotion") & (rows["regime"] == "decision")]
    at = next(line for line in figure.axes[1].lines if line.get_marker() == "D")
    assert at.get_xydata()[0] == pytest.approx([part["trained"].mean(), part["score"].mean()])
    below = next(line for line in figure.axes[3].lines if line.get_marker() == "D")
    assert below.get_xdata()[0] == pytest.approx(0.8)
    assert all(ax.get_xscale() == "log" for ax in figure.axes)
    assert any("synthetic" in text.get_text() for text in figure.texts)


def test_ticks_are_few_and_round():
    assert round_ticks(0.3, 7) == [0.5, 1, 2, 5]
    assert round_ticks(0.3, 12) == [1, 10]
    assert round_ticks(900, 2e6) == [1e3, 1e4, 1e5, 1e6]


def test_differences_have_a_panel_a_rival_and_a_line_a_corpus(rows):
    found = prices.gains(rows)
    figure = drawings.differences(found, names={"jaffe": "JAFFE"})
    assert [title(ax) for ax in figure.axes] == [
        "minus Last conv",
        "minus Decision",
        "minus Scratch",
    ]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["JAFFE", "omg_emotion"]
    want = found[found["against"] == "scratch"]["mean"]
    assert figure.axes[2].lines[0].get_xdata() == pytest.approx(want)


def test_decision_layers_have_a_box_a_layer():
    sizes = pd.DataFrame(
        {
            "corpus": ["JAFFE", "OMG"],
            "frames": [1, 15],
            "GRU": [0, 64],
            "dense": ["64", "128+32"],
            "outputs": [7, 2],
        }
    )
    figure = drawings.decision_layers(sizes, {"JAFFE": "softmax", "OMG": "linear"})
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [["64", "7", "one picture", "softmax"], ["64", "128", "32", "2", "15 frames", "linear"]]
    assert [len(ax.patches) for ax in figure.axes] == [2, 4]


def test_search_trials_tell_ended_ones_apart():
    trials = pd.DataFrame(
        {"trial": [1, 2, 3, 4], "score": [0.3, np.nan, 0.5, 0.4],
         "optimizer": ["adamw", "plain_sgd", "plain_sgd", "adamw"],
         "learning_rate": [0.01, 0.1, 0.02, 0.03]}
    )  # fmt: skip
    figure = drawings.search_trials(trials, ylabel="score", printed=0.002)
    left, right = figure.axes
    assert right.lines[0].get_ydata() == pytest.approx([0.3, 0.3, 0.5, 0.5])
    dots = {line.get_label(): line for line in left.lines}
    assert dots["plain sgd"].get_xdata() == pytest.approx([0.02])
    assert set(dots["Table 6"].get_xdata()) == {0.002}


def test_costs_and_scores_are_in_the_order_asked_for():
    rows = pd.DataFrame(
        {
            "seed": [0, 1, 0, 1],
            "way": ["b", "b", "a", "a"],
            "score": [0.1, 0.3, 0.5, 0.7],
            "seconds": [1, 3, 5, 7.0],
        }
    )
    left, right = drawings.costs_and_scores(rows, by="way", order=["a", "b"], ylabel="score").axes
    assert left.lines[-1].get_ydata() == pytest.approx([0.6, 0.2])
    assert [bar.get_width() for bar in right.patches] == [6, 2]


def test_corpora_faces_name_each_row():
    figure = drawings.corpora_faces({"one": small_faces(), "two": small_faces(seed=1)}, count=3)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["one", "", "", "two", "", ""]
