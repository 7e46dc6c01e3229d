"""Drawings of verdicts show what the numbers say: places, colours, arrows, words."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from fer_lib.scoreboard.claims import Claim
from fer_lib.views import forest, scoreboard
from fer_lib.views.page_scoreboard import in_words, page_scoreboard
from fer_lib.views.style import COLOURS

GAIN = Claim("gain", "ciao", "plug", "A gain.", "V", "c", "f", {}, {}, "higher", 0.5)
SAME = dataclasses.replace(GAIN, id="same", paper="face-stn", direction="same")
LATE = dataclasses.replace(GAIN, id="late", paper="mine", theme="memory")
NAN = math.nan


def line(claim, dataset, verdict, mean=NAN, low=NAN, high=NAN, runs=0):
    return {
        "claim": claim, "dataset": dataset, "verdict": verdict, "mean": mean, "low": low, "high": high,
        "plain_low": low / 2 + mean / 2, "plain_high": high / 2 + mean / 2, "runs": runs, "left_out": 0,
        "lacking": "no rows for the first side" if verdict == "not run" else "",
    }  # fmt: skip


FOUND = pd.DataFrame(
    [
        line("gain", "", "undecided", -0.2, -1.0, 0.6, 4), line("gain", "world:b", "holds", 0.9, 0.2, 1.6, 2),
        line("gain", "world:a", "fails", -1.3, -2.0, -0.6, 2), line("same", "", "undecided", 0.3, -9, 9, 3),
        line("same", "world:b", "undecided", 0.3, -9, 9, 3), line("late", "", "not run"),
    ]
)  # fmt: skip
EFFECTS = pd.DataFrame(
    {
        "claim": ["gain", "same", "late", "far"], "paper": ["ciao", "face-stn", "mine", "p-affmem"],
        "theme": ["plug", "plug", "memory", "memory"],
        "verdict": ["holds", "undecided", "not run", "undecided"],
        "direction": ["higher", "same", "higher", "higher"], "mean": [2.0, -0.5, NAN, 200.0],
        "low": [0.5, -3.0, NAN, -500.0], "high": [3.5, 2.0, NAN, 900.0],
        "plain_low": [1.5, -1.0, NAN, 100.0], "plain_high": [2.5, 0.0, NAN, 300.0],
        "printed": [-1.0, NAN, 3.0, 4.0],
    }
)  # fmt: skip


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_the_rule_is_judged_not_typed():
    figure = scoreboard.rule_figure([(0.4, 2.8), (-0.4, 0.6)])
    difference, other, same = figure.axes
    assert texts(other) == ["holds", "holds"]
    assert texts(difference) == ["holds", "fails"]
    assert texts(same) == ["undecided", "holds"]
    assert same.lines[1].get_color() == COLOURS["grey"]


def test_the_matrix_has_a_sign_a_cell_and_leans_where_the_mean_does():
    figure = scoreboard.matrix([GAIN, SAME, LATE], FOUND, synthetic=True)
    (ax,) = figure.axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["all", "a", "b"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["gain", "same", "late"]
    signs = {text.get_position(): text.get_text() for text in ax.texts}
    assert [signs[0, 1], signs[1, 1], signs[2, 1]] == ["?", "\N{MULTIPLICATION SIGN}", "\N{CHECK MARK}"]
    assert (signs[0, 2], signs[2, 2], signs[0, 4]) == (
        "?",
        "?",
        "\N{EN DASH}",
    )  # a new theme has its own line
    assert (1, 2) not in signs  # nothing was run there
    assert {"plug", "memory"} <= set(texts(ax))
    grounds = [tuple(np.round(patch.get_facecolor()[0], 3)) for patch in ax.collections]
    wanted = [scoreboard.LEANING[-1], COLOURS["red"], COLOURS["blue"], scoreboard.LEANING[0]]
    from matplotlib.colors import to_rgba

    assert grounds[:4] == [tuple(np.round(to_rgba(one), 3)) for one in wanted]
    assert any("synthetic" in text.get_text() for text in figure.texts)


def test_the_matrix_keeps_a_theme_together():
    (ax,) = scoreboard.matrix([GAIN, LATE, SAME], FOUND).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["gain", "same", "late"]
    assert texts(ax).count("plug") == 1


def test_a_cell_of_a_claim_of_keeping_up_leans_from_minus_what_matters():
    keeps = dataclasses.replace(GAIN, direction="not lower")  # mean -0.2, of which 0.5 would matter
    for claim, word in ((GAIN, "sb-against"), (keeps, "sb-for")):
        assert (
            f'class="sb-undecided {word}"'
            in page_scoreboard([claim], FOUND[FOUND["claim"] == "gain"].assign(seen=1.0)).table
        )


def test_a_cell_without_an_interval_tells_why():
    alike = pd.Series(line("gain", "a", "undecided", mean=0.1, runs=5))
    assert "from 5 runs; no interval, since a corpus has one run" in in_words(GAIN, alike, "a")


def test_a_cell_tells_what_was_left_out_and_what_is_lacking():
    short = pd.Series(line("gain", "a", "holds", 0.9, 0.2, 1.6, 3) | {"left_out": 27, "seen": 0.4})
    assert "left out, for want of a partner or of an encoder that others have: 27" in in_words(
        GAIN, short, "a"
    )
    assert "left out" not in in_words(GAIN, pd.Series(dict(short) | {"left_out": 0}), "a")
    absent = pd.Series(line("gain", "", "not run"))
    assert in_words(GAIN, absent, "") == "all corpora together: not run (no rows for the first side)."


def test_a_claim_shows_its_runs_and_cuts_what_is_far_wider():
    pairs = pd.DataFrame({"dataset": ["world:b"] * 3, "seed": range(3), "difference": [0.1, 0.3, 0.5]})
    figure = scoreboard.claim_figure(pairs, FOUND[FOUND["claim"] == "same"], SAME)
    (ax,) = figure.axes
    dots = [one for one in ax.lines if one.get_marker() == "o"]
    assert [list(one.get_xdata()) for one in dots] == [[], [0.1, 0.3, 0.5]]
    reach = ax.get_xlim()[1]
    arrows = [one for one in ax.lines if one.get_marker() == ">"]
    assert arrows
    assert all(one.get_xdata()[0] == reach < 9 for one in arrows)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["all together", "b"]
    assert "first less second" in ax.get_xlabel()


def test_counts_add_up():
    table = scoreboard.counts_by_work([GAIN, SAME, LATE], FOUND).set_index("work")
    assert list(table.index) == ["CIAO", "Face-STN", "mine", "all"]
    assert table.loc["all"].to_dict() == {"holds": 0, "fails": 0, "undecided": 2, "not run": 1, "claims": 3}
    assert (table.drop(columns="claims").sum(axis=1) == table["claims"]).all()


def test_a_forest_has_headings_marks_by_work_and_arrows():
    (ax,) = forest.forest(EFFECTS, synthetic=True).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["gain", "same (same)", "far"]
    assert ax.get_yticks().tolist() == [1, 2, 4]  # headings stand in lines 0 and 3
    assert {"plug", "memory", "holds", "undecided"} == set(texts(ax))
    marks = {
        (one.get_marker(), one.get_color()): one.get_xdata()
        for one in ax.lines
        if one.get_marker() in "os^" and len(one.get_xdata())
    }
    assert list(marks["s", COLOURS["orange"]]) == [2.0]
    assert list(marks["^", COLOURS["green"]]) == [forest.REACH]  # beyond the axis: at its end
    arrows = [(one.get_marker(), one.get_xdata()[0]) for one in ax.lines if one.get_marker() in "<>"]
    assert sorted(arrows) == [("<", -forest.REACH), (">", forest.REACH), (">", forest.REACH)]
    asked = forest.forest(EFFECTS.assign(question=["q", "r", "r", "q"]), heads="question").axes[0]
    assert [tick.get_text() for tick in asked.get_yticklabels()] == ["gain", "far", "same (same)"]


def test_ours_beside_the_printed_tells_the_direction():
    (ax,) = forest.beside_printed(EFFECTS).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["gain", "far"]  # the others lack one number
    crosses = [one for one in ax.lines if one.get_marker() == "X" and len(one.get_xdata())]
    assert [list(one.get_xdata()) for one in crosses] == [[2.0]]  # printed -1, ours +2
    (even,) = forest.beside_printed(EFFECTS.assign(mean=0.0).head(1)).axes
    assert [one.get_color() for one in even.lines if list(one.get_xdata()) == [0.0]] == [COLOURS["grey"]]
    keeps = EFFECTS.assign(direction="not lower").head(1)  # its sign says nothing: no orange cross
    assert not any(
        one.get_marker() == "X" and len(one.get_xdata()) for one in forest.beside_printed(keeps).axes[0].lines
    )
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["printed in the paper", "ours, same direction", "ours, other direction"]


def test_power_is_sorted_by_what_more_runs_would_see():
    table = pd.DataFrame(
        {"claim": ["a", "b"], "paper": ["ciao", "mine"], "seen": [4.0, 1.0], "then": [0.5, 0.8],
         "smallest": [0.5, 2.0], "needed": [9.0, 2.0], "runs": [3, 3]}
    )  # fmt: skip
    (ax,) = forest.power_figure(table, runs=30).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["b", "a"]
    assert "open: 30 a corpus" in ax.get_xlabel()
    ends = [
        list(one.get_xdata()) for one in ax.lines if len(one.get_xdata()) == 2 and one.get_linewidth() == 1
    ]
    assert [1.0, 8.0] in ends
    assert ax.get_xlim()[1] > 8


@pytest.mark.parametrize(
    "draw",
    [
        lambda: forest.forest(EFFECTS.assign(mean=NAN)),
        lambda: forest.beside_printed(EFFECTS.assign(printed=NAN)),
        lambda: forest.power_figure(pd.DataFrame(), runs=30),
    ],
)  # fmt: skip
def test_nothing_to_draw_is_said(draw):
    assert "No claim" in draw().axes[0].texts[0].get_text()
