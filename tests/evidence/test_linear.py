"""The matrix of the linear reader."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
from small_faces import CLASSES, small_faces

from fer_lib.evidence.linear import linear_matrix


def test_own_stripes_are_read_and_moved_stripes_are_not():
    import dataclasses

    plain = small_faces(count=120, side=48)
    moved = dataclasses.replace(
        plain, table=plain.table.assign(expression=(plain.table["expression"] + 1) % 3)
    )
    rows = linear_matrix({"a": (plain, plain), "b": (moved, moved)}, (0, 1), classes=CLASSES)
    mean = rows.groupby(["trained", "tested"])["value"].mean()
    assert mean["a", "a"] > 0.9
    assert mean["b", "b"] > 0.9
    assert mean["a", "b"] < 0.2


def test_faces_of_other_classes_are_left_out():
    faces = small_faces(count=90, side=48)
    rows = linear_matrix({"a": (faces, faces)}, (0,), classes=CLASSES[:2])
    assert np.isclose(rows["value"].iloc[0], 1, atol=0.1)
