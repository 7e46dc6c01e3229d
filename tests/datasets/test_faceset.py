"""FaceSet: choosing, leaving out, splitting, targets, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets import FaceSet
from fer_lib.datasets.faceset import positions
from fer_lib.errors import DataError

CLASSES = ("neutral", "happiness", "anger")


def make(number=12, **changes):
    """A set over a store of 20 pictures; picture r holds the value r everywhere."""
    pixels = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], number)
    table = pd.DataFrame(
        {
            "split": ["train", "test", "train", "validation"] * (number // 4) + ["train"] * (number % 4),
            "expression": np.arange(number) % 3,
            "valence": np.linspace(-1, 1, number),
            "arousal": np.linspace(1, -0.5, number),
            **{f"share_{name}": shares[:, k] for k, name in enumerate(CLASSES)},
            **{f"state_{name}": (shares[:, k] > 0.3).astype(int) for k, name in enumerate(CLASSES)},
        }
    )
    fields = {
        "name": "fer2013",
        "pixels": pixels,
        "rows": np.arange(2, 2 + number),
        "table": table,
        "task": "categorical",
        "unit": "image",
        "classes": CLASSES,
        "tasks": ("categorical", "distribution", "valence_arousal", "multi_label"),
        "protocol": "none",
        "metric": "accuracy",
        "source": "made up",
        "licence": "none",
        "fingerprint": "f",
    }
    return FaceSet(**fields | changes)


def values(faces):
    """The value that each picture holds, by the slow way."""
    return [int(faces.images[i].max()) for i in range(len(faces))]


def test_rows_choose_pictures_of_the_store():
    faces = make()
    assert values(faces) == list(range(2, 14))
    assert values(faces.subset([3, 0, 3])) == [5, 2, 5]
    assert faces.subset([3, 0, 3]).table["expression"].tolist() == [0, 0, 0]
    assert values(faces.subset(slice(1, 8, 3)).subset([-1])) == [9]
    assert values(faces.subset(torch.tensor([1]))) == [3]


def test_images_of_a_range_are_a_view_and_others_a_copy():
    faces = make()
    assert np.shares_memory(faces.images, faces.pixels)
    assert not np.shares_memory(faces.subset([0, 2]).images, faces.pixels)


def test_batch_is_a_writable_uint8_copy():
    faces = make()
    batch = faces.batch(torch.tensor([4, 1]))
    assert batch.dtype == torch.uint8
    assert batch.shape == (2, 1, 8, 8)
    assert batch[:, 0, 0, 0].tolist() == [6, 3]
    batch.fill_(255)
    assert values(faces) == list(range(2, 14))


@pytest.mark.parametrize(
    ("task", "dtype", "columns"),
    [
        ("categorical", torch.int64, ["expression"]),
        ("distribution", torch.float32, ["share_neutral", "share_happiness", "share_anger"]),
        ("valence_arousal", torch.float32, ["valence", "arousal"]),
        ("multi_label", torch.float32, ["state_neutral", "state_happiness", "state_anger"]),
    ],
)
def test_targets_are_the_columns_of_the_task(task, dtype, columns):
    faces = make().as_task(task).subset([5, 2])
    targets = faces.targets()
    assert targets.dtype == dtype
    expected = [[make().table[column][row] for column in columns] for row in (5, 2)]
    torch.testing.assert_close(
        targets.reshape(2, -1).double(), torch.tensor(expected).double(), rtol=0, atol=1e-7
    )
    assert targets.ndim == (1 if task == "categorical" else 2)


def test_targets_refuse_rows_without_label():
    faces = make()
    table = faces.table.assign(expression=[0, 1, -1, -1, *[2] * 8])
    with pytest.raises(
        DataError, match=r"row 2 of the set: every row must have a categorical label; got 2 without"
    ):
        make(table=table).targets()
    table = faces.table.assign(valence=[0.0, np.nan, *[0.5] * 10])
    with pytest.raises(
        DataError, match=r"row 1 of the set: .*valence_arousal label; got 1 without. Keep the"
    ):
        make(table=table, task="valence_arousal").targets()


def test_as_task_follows_the_corpus_metric_and_comes_back():
    faces = make(name="affectnet", metric="mean_class_accuracy")
    other = faces.as_task("valence_arousal")
    assert (other.task, other.metric) == ("valence_arousal", "ccc")
    assert other.as_task("categorical").metric == "mean_class_accuracy"
    assert other.as_task("categorical").fingerprint != other.fingerprint
    with pytest.raises(
        ValueError, match=r"task must be one of categorical for fer2013; got 'ranking'. Choose"
    ):
        make(tasks=("categorical",)).as_task("ranking")


def test_without_counts_under_its_reason():
    faces = make(dropped={"voted unknown": 3})
    rest = faces.without([0, 5, 5], reason="blank").without([0], reason="blank").without([], reason="leaked")
    assert rest.dropped == {"voted unknown": 3, "blank": 3}
    assert values(rest) == [4, 5, 6, 8, 9, 10, 11, 12, 13]
    assert faces.dropped == {"voted unknown": 3}
    with pytest.raises(ValueError, match=r"reason must be a few words; got ' '. Say why"):
        faces.without([0], reason=" ")


def test_fingerprint_names_rows_and_task_however_they_were_reached():
    faces = make()
    assert faces.subset([1, 2, 3]).subset([0, 2]).fingerprint == faces.subset([1, 3]).fingerprint
    marks = [faces.subset(index).fingerprint for index in ([1, 3], [3, 1], [1], [1, 3, 3])]
    assert len(set(marks)) == 4
    assert make(fingerprint="g").subset([1]).fingerprint != faces.subset([1]).fingerprint
    assert faces.subset([1]).origin == faces.origin == "f"


def test_truth_stays_aligned():
    truth = pd.DataFrame({"identity": np.arange(12) * 10})
    faces = make(name="world:fer2013", truth=truth)
    assert faces.synthetic
    assert not make().synthetic
    part = faces.subset([7, 3])
    assert part.truth["identity"].tolist() == [70, 30]
    assert part.truth.index.tolist() == [0, 1]
    assert faces.without([0], reason="x").truth["identity"].tolist() == list(range(10, 120, 10))


def test_counts_by_hand():
    faces = make()
    counts = faces.counts()
    # rows 0, 2, 4, ... are train with classes 0 2 1 0 2 1; 1, 5, 9 test (1 2 0); 3, 7, 11 validation (0 1 2)
    assert counts.index.tolist() == ["train", "validation", "test", "all"]
    assert counts.to_numpy().tolist() == [[2, 2, 2, 6], [1, 1, 1, 3], [1, 1, 1, 3], [4, 4, 4, 12]]
    table = faces.table.assign(expression=[-1] * 6 + [1] * 6)
    assert make(table=table).counts().loc["all"].to_dict() == {
        "neutral": 0, "happiness": 6, "anger": 0, "unlabelled": 6, "all": 12,
    }  # fmt: skip


def test_counts_of_the_other_tasks():
    faces = make()
    shares = faces.table[["share_neutral", "share_happiness", "share_anger"]].to_numpy()
    largest = [list(row).index(max(row)) for row in shares]
    counted = faces.as_task("distribution").counts().loc["all"]
    assert counted[list(CLASSES)].tolist() == [largest.count(k) for k in range(3)]
    states = faces.as_task("multi_label").counts().loc["all"]
    assert states["anger"] == sum(share > 0.3 for share in shares[:, 2])
    affect = faces.as_task("valence_arousal").counts().loc["all"]
    assert affect["valence_mean"] == pytest.approx(0, abs=1e-12)
    assert affect["arousal_mean"] == pytest.approx(0.25)
    assert affect["all"] == 12


@settings(max_examples=60, deadline=None)
@given(
    subjects=st.lists(st.sampled_from(["a", "b", "c", "d", "e", None]), min_size=12, max_size=12),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
)
def test_split_by_subject_parts_people(subjects, fraction, seed):
    people = {name for name in subjects if name}
    if len(people) + subjects.count(None) < 2 or not people:
        return
    faces = make(table=make().table.assign(subject=pd.array(subjects, dtype="string")))
    rest, part = faces.split(fraction, seed=seed)
    assert sorted(values(rest) + values(part)) == list(range(2, 14))
    assert len(rest)
    assert len(part)
    assert not set(rest.table["subject"].dropna()) & set(part.table["subject"].dropna())
    again = faces.split(fraction, seed=seed)[1]
    assert values(part) == values(again)
    largest = max(max(subjects.count(name) for name in people), 1)
    assert abs(len(part) - 12 * fraction) <= largest


def test_rows_without_subject_are_people_of_their_own():
    table = make().table.assign(subject=pd.array(["a", *[None] * 11], dtype="string"))
    assert len(make(table=table).split(0.5, seed=0)[1]) == 6


def test_split_leaves_somebody_on_both_sides():
    table = make().table.assign(subject=["a"] * 11 + ["b"])
    for fraction in (0.001, 0.999):
        assert sorted(map(len, make(table=table).split(fraction, seed=0))) == [1, 11]


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    fraction=st.floats(0.1, 0.9),
    seed=st.integers(0, 5),
)
def test_split_without_subjects_keeps_the_mix_of_classes(labels, fraction, seed):
    rest, part = make(table=make().table.assign(expression=labels)).split(fraction, seed=seed)
    assert sorted(values(rest) + values(part)) == list(range(2, 14))
    assert abs(len(part) - 12 * fraction) < 1 + 1e-9
    for label in range(3):
        taken = part.table["expression"].tolist().count(label)
        assert abs(taken - labels.count(label) * fraction) < 1 + 1e-9


def test_split_differs_from_seed_to_seed():
    faces = make()
    parts = {tuple(values(faces.split(0.5, seed=seed)[1])) for seed in range(10)}
    assert len(parts) > 5


@pytest.mark.parametrize("task", ["distribution", "valence_arousal", "multi_label"])
def test_split_works_for_every_task(task):
    rest, part = make().as_task(task).split(0.25, seed=1)
    assert (len(rest), len(part)) == (9, 3)


def test_split_refuses_what_cannot_be_parted():
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\); got 1"):
        make().split(1, seed=0)
    with pytest.raises(ValueError, match=r"at least 2 rows to be split; got 1. Load more"):
        make().subset([0]).split(0.5, seed=0)
    with pytest.raises(ValueError, match=r"subject must name at least 2 people for a split; got 1"):
        make(table=make().table.assign(subject="a")).split(0.5, seed=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"pixels": np.zeros((20, 8, 8), np.uint8)},
            r"pixels must be uint8 \(M, C, H, W\); got uint8 \(20, 8, 8\)",
        ),
        ({"pixels": np.zeros((20, 1, 8, 8))}, r"pixels must be uint8 .*; got float64"),
        ({"rows": np.arange(10, 22)}, r"rows must lie in \[0, 20\)"),
        ({"rows": np.arange(5)}, r"table must have 5 rows; got 12"),
        ({"task": "ranking"}, r"task must be one of .*; got ranking"),
        ({"task": "distribution", "classes": ("joy",)}, r"must have the columns \['share_joy'\]"),
        ({"unit": "video"}, r"unit must be one of .*; got video"),
        ({"truth": pd.DataFrame({"a": [1]})}, r"truth must have 12 rows"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, match):
    with pytest.raises(ValueError, match=match):
        make(**change)


@pytest.mark.parametrize(
    ("index", "error", "match"),
    [
        (np.ones(11, bool), ValueError, r"mask must have shape \(12,\); got \(11,\)"),
        (
            [0.5],
            TypeError,
            r"index must be integers \(B,\) or a boolean mask; got float64 \(1,\)|index must be",
        ),
        ([12], IndexError, r"index must lie below 12, the size of the set; got 12"),
        ([-13, 2], IndexError, r"got -13"),
    ],
)
def test_wrong_index_is_refused(index, error, match):
    with pytest.raises(error, match=match):
        make().subset(index)


@given(st.lists(st.integers(-7, 6)))
def test_positions_agree_with_python_indexing(index):
    numbers = list(range(7))
    assert positions(index, 7).tolist() == [numbers[i] for i in index]


def test_repr_is_short_and_tells_the_size():
    assert repr(make()) == "FaceSet(fer2013: 12 faces 1x8x8, categorical, train+test+validation)"
