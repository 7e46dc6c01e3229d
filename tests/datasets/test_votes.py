"""FER+'s rules on votes: plain loops, rows worked by hand, and the published counts.

The real vote file is not part of the book. Set FER_TEST_DATA to the folder that holds fer2013new.csv to check
the published counts on it.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import releases
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets import load, votes
from fer_lib.datasets.ferplus import read_votes

NAMES = releases.VOTED[:8]
COLUMNS = [f"votes_{name}" for name in releases.VOTED]


def slow(row, mode):
    """The rules in plain loops, as the project describes them: shares of the classes, or why dropped."""
    left = [count if count > 1 else 0 for count in row]
    total, kept = sum(left), [0] * 10
    if mode == "majority":
        top = left.index(max(left))
        if left[top] * 2 > total:
            kept[top] = left[top]
    elif mode == "multi-target":
        kept = [count if total and count * 10 >= 3 * total else 0 for count in left]
        kept = kept if 2 * sum(kept) > total else [0] * 10
    else:
        number, ended = 0, False
        while 4 * sum(kept) < 3 * total and number < 3 and not ended:
            best = max(left)
            for i in range(10):
                if left[i] != best or not best:
                    continue
                if i >= 8:
                    ended = True
                    if not any(kept):
                        kept[i] = best
                        number += 1
                    break
                kept[i], left[i] = best, 0
                number += 1
        kept = kept if 2 * sum(kept) > total and number <= 3 else [0] * 10
    if not any(kept):
        return "voters disagree"
    top = kept.index(max(kept))
    if top >= 8:
        return ["voted unknown", "voted not a face"][top - 8]
    return [count / sum(kept[:8]) for count in kept[:8]]


counts_of_ten = st.lists(st.integers(0, 9), min_size=10, max_size=10).map(
    lambda where: [where.count(i) for i in range(10)]
)


@pytest.mark.parametrize("mode", ["majority", "probability", "multi-target"])
@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.one_of(counts_of_ten, st.lists(st.integers(0, 6), min_size=10, max_size=10)), max_size=8)
)
def test_rules_agree_with_plain_loops(mode, rows):
    table, reason = votes.label(pd.DataFrame(rows, columns=COLUMNS, dtype=int), mode)
    for i, row in enumerate(rows):
        expected = slow(row, mode)
        if isinstance(expected, str):
            assert (reason[i], table["expression"][i]) == (expected, -1)
            continue
        assert reason[i] == ""
        assert table["expression"][i] == expected.index(max(expected))
        if mode != "majority":
            np.testing.assert_allclose([table[f"share_{name}"][i] for name in NAMES], expected, rtol=1e-12)
        if mode == "multi-target":
            assert [table[f"state_{name}"][i] for name in NAMES] == [int(share > 0) for share in expected]


# Worked by hand from `releases.VOTES`: (class or reason; shares of the classes kept).
HAND = {
    "majority": ["voters disagree", "neutral", "happiness", "voted not a face", "voters disagree",
                 "voters disagree", "voted unknown", "voters disagree", "voters disagree"],
    "probability": [{"neutral": 4 / 7, "anger": 3 / 7}, {"neutral": 1}, {"happiness": 1},
                    "voted not a face", {"neutral": 0.5, "happiness": 0.5}, "voters disagree",
                    "voted unknown", "voters disagree", "voters disagree"],
    "multi-target": [{"neutral": 4 / 7, "anger": 3 / 7}, {"neutral": 1}, {"happiness": 1},
                     "voted not a face", {"neutral": 0.5, "happiness": 0.5}, "voters disagree",
                     "voted unknown", {"neutral": 1}, "voters disagree"],
}  # fmt: skip


@pytest.mark.parametrize("mode", HAND)
def test_rules_on_rows_worked_by_hand(mode):
    table, reason = votes.label(pd.DataFrame(releases.VOTES, columns=COLUMNS), mode)
    for i, expected in enumerate(HAND[mode]):
        if mode == "majority" and expected in NAMES:
            assert NAMES[table["expression"][i]] == expected
        elif isinstance(expected, str):
            assert reason[i] == expected
        else:
            shares = {name: table[f"share_{name}"][i] for name in NAMES if table[f"share_{name}"][i]}
            assert shares == pytest.approx(expected)


def test_equal_counts_are_taken_together():
    rows = [[4, 0, 0, 0, 3, 3, 0, 0, 0, 0], [4, 0, 2, 2, 2, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 3, 0, 3, 0]]
    table, reason = votes.label(pd.DataFrame(rows, columns=COLUMNS), "probability")
    assert table.loc[0, ["share_neutral", "share_anger", "share_disgust"]].tolist() == [0.4, 0.3, 0.3]
    assert reason.tolist() == ["", "voters disagree", ""]  # four labels are too many
    assert table.loc[2, "share_fear"] == pytest.approx(
        3 / 7
    )  # "unknown" is as frequent as fear, but not alone


def test_majority_keeps_the_shares_of_all_votes():
    row = pd.DataFrame([[6, 3, 0, 1, 0, 0, 0, 0, 0, 0]], columns=COLUMNS)
    table, _ = votes.label(row, "majority")
    assert table["share_neutral"][0] == pytest.approx(6 / 9)
    assert table["share_happiness"][0] == pytest.approx(3 / 9)
    assert table["share_sadness"][0] == 0


def test_unknown_mode_names_the_modes():
    match = r"mode must be one of majority, probability, multi-target; got 'mean'. Choose"
    with pytest.raises(ValueError, match=match):
        votes.label(pd.DataFrame(releases.VOTES, columns=COLUMNS), "mean")
    with pytest.raises(ValueError, match=match):
        load("ferplus", root=Path(), mode="mean")


@pytest.mark.parametrize(
    ("mode", "published"),
    [
        ("majority", [25_060, 3_199, 3_153]),
        ("probability", [27_956, 3_505, 3_505]),
        ("multi-target", [27_671, 3_472, 3_472]),
    ],
)
def test_published_counts_on_the_real_votes(mode, published):
    root = Path(os.environ.get("FER_TEST_DATA", "none"))
    path = next(
        (p for p in (root / "fer2013new.csv", root / "ferplus" / "fer2013new.csv") if p.is_file()), None
    )
    if path is None:
        pytest.skip("set FER_TEST_DATA to the folder that holds FER+'s fer2013new.csv")
    table = read_votes(path)
    assert len(table) == 35_887
    assert (table["image"] == "").sum() == 173
    kept = votes.label(table, mode)[1] == ""
    assert [
        int((kept & (table["split"] == split)).sum()) for split in ("train", "validation", "test")
    ] == published
