"""`inspect` finds what was planted, and nothing in clean faces."""

import numpy as np
import pandas as pd
import pytest
import releases
from hypothesis import given, settings
from hypothesis import strategies as st
from test_faceset import CLASSES, make

from fer_lib.datasets import inspect, load


def planted(root):
    """Twelve faces: 0-5 train, 6-8 validation, 9-11 test, with one of each problem."""
    images = releases.faces(12)
    images[3] = images[1]  # repeated within train, other label
    images[7] = images[0]  # validation holds a picture of train
    images[10] = images[6]  # test holds a picture of validation, other label
    images[11] = images[0]  # test holds a picture of train
    images[5] = 120  # blank
    images[5, 0, 0] = 126
    emotions = [3, 4, 0, 5, 6, 6, 1, 3, 2, 2, 4, 3]
    usages = ["Training"] * 6 + ["PublicTest"] * 3 + ["PrivateTest"] * 3
    releases.write_csv(root, images, emotions, usages)
    return load("fer2013", root=root, split="all")


def test_every_planted_problem_is_found(tmp_path):
    report = inspect(planted(tmp_path))
    assert report.blank.tolist() == [5]
    assert report.duplicates.tolist() == [3, 7, 10, 11]
    assert report.leaked.tolist() == [7, 10, 11]
    assert report.conflicts.tolist() == [1, 3, 6, 10]
    assert report.broken.tolist() == []
    assert not report.clean


def test_summary_counts_by_split(tmp_path):
    summary = inspect(planted(tmp_path)).summary
    columns = ["faces", "groups", "train", "validation", "test"]
    assert summary.loc["duplicates", columns].tolist() == [4, 3, 1, 1, 2]
    assert summary.loc["leaked", columns].tolist() == [3, 2, 0, 1, 2]
    assert summary.loc["conflicts", columns].tolist() == [4, 2, 2, 1, 1]
    assert summary.loc["blank", columns].tolist() == [1, 1, 1, 0, 0]


def test_leaving_out_what_was_found_cleans_the_set(tmp_path):
    faces = planted(tmp_path)
    report = inspect(faces)
    rest = faces.without(report.leaked, reason="also in an earlier split")
    assert rest.dropped == {"also in an earlier split": 3}
    assert inspect(rest).leaked.size == 0
    clean = faces.subset(np.setdiff1d(np.arange(12), [3, 5, 7, 10, 11]))
    assert inspect(clean).clean
    assert repr(inspect(clean)).endswith("7 faces: broken 0, blank 0, duplicates 0, leaked 0, conflicts 0)")


def test_unlabelled_rows_do_not_conflict():
    table = make().table.assign(expression=[-1, 1, 2, 0, -1, 1, *[0] * 6])
    report = inspect(make(rows=np.array([0, 0, 0, 1, 1, 2, *range(3, 9)]), table=table))
    assert report.conflicts.tolist() == [1, 2]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_agrees_with_plain_loops(rows):
    picture, label, split = (list(part) for part in zip(*rows, strict=True))
    names = ("train", "validation", "test")
    base = make()
    table = pd.concat([base.table] * 2, ignore_index=True).iloc[: len(rows)]
    table = table.assign(expression=label, split=[names[s] for s in split])
    report = inspect(make(rows=np.array(picture), table=table), rows=3)
    pairs = [[j for j in range(len(rows)) if picture[j] == picture[i]] for i in range(len(rows))]
    assert report.duplicates.tolist() == [i for i, same in enumerate(pairs) if min(same) < i]
    assert report.leaked.tolist() == [
        i for i, same in enumerate(pairs) if any(split[j] < split[i] for j in same)
    ]
    assert report.conflicts.tolist() == [
        i for i, s in enumerate(pairs) if any(label[j] != label[i] for j in s)
    ]


@pytest.mark.parametrize(
    ("task", "column", "bad"),
    [
        ("categorical", "expression", [-1, 3]),
        ("valence_arousal", "arousal", [np.nan, 1.01]),
        ("multi_label", f"state_{CLASSES[0]}", [np.nan, 2]),
        ("distribution", f"share_{CLASSES[0]}", [np.nan, 0.9999]),
    ],
)
def test_broken_labels(task, column, bad):
    table = make().table
    table[column] = table[column].astype(float)
    table.loc[[4, 9], column] = bad
    assert inspect(make(table=table, task=task)).broken.tolist() == [4, 9]
    assert inspect(make(task=task)).broken.size == 0
