"""Sequences share what they are said to share, use each face once, and repeat with their seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.affect import va_bins
from fer_lib.datasets import load
from fer_lib.errors import DataError
from fer_lib.pretrain.alike import draw_sequences, groups_of, label_entropy


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        yield load("world:affectnet", split="train", size=32, limit=50)


def test_labels_are_squares_of_the_plane_or_classes(faces):
    va = faces.as_task("valence_arousal")
    table = va.table
    assert groups_of(va, "label", bins=3).tolist() == va_bins(table["valence"], table["arousal"], 3).tolist()
    classes = faces.as_task("categorical")
    assert groups_of(classes, "label").tolist() == classes.table["expression"].tolist()


def test_labels_of_votes_and_of_states():
    votes = _Stub("distribution", torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]))
    assert groups_of(votes, "label").tolist() == [1, 0, 1]
    states = _Stub("multi_label", torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]))
    groups = groups_of(states, "label").tolist()
    assert groups[0] == groups[2] != groups[1]


class _Stub:
    def __init__(self, task, values):
        self.task, self._values = task, values

    def targets(self):
        return self._values

    def __len__(self):
        return len(self._values)


def test_other_positives(faces):
    assert groups_of(faces, "same face").tolist() == list(range(50))
    assert set(groups_of(faces, "random").tolist()) == {0}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("clips")))
        yield load("world:fabo", split="all", size=32, limit=60)


def test_clips_keep_the_order_of_time(clips):
    groups = groups_of(clips, "same clip")
    rows, of = draw_sequences(groups, 3, positives="same clip", generator=_generator())
    assert (rows.diff(dim=1) == 1).all()
    assert (groups[rows] == of[:, None]).all()


def test_single_pictures_have_no_clips(faces):
    with pytest.raises(DataError, match="faces must be frames of clips; got single pictures"):
        groups_of(faces, "same clip")


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 17), min_size=1, max_size=6),
    length=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_every_face_once_and_no_face_twice_in_a_sequence(sizes, length, seed):
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    groups = groups[torch.randperm(len(groups), generator=_generator(seed))]
    if max(sizes) < length:
        with pytest.raises(DataError, match=f"a group must have {length} faces; got {max(sizes)}"):
            draw_sequences(groups, length, generator=_generator(seed))
        return
    rows, of = draw_sequences(groups, length, generator=_generator(seed))
    assert (groups[rows] == of[:, None]).all()
    assert all(len(set(row)) == length for row in rows.tolist())
    used = set(rows.flatten().tolist())
    large = {k for k, size in enumerate(sizes) if size >= length}
    assert used == {k for k, group in enumerate(groups.tolist()) if group in large}
    assert len(rows) == sum(-(-size // length) for size in sizes if size >= length)


def test_same_face_repeats_and_random_mixes():
    rows, of = draw_sequences(torch.arange(15), 3, positives="same face", generator=_generator())
    assert (rows == rows[:, :1]).all()
    assert len(set(of.tolist())) == len(rows) == 5
    rows, _ = draw_sequences(torch.zeros(6, dtype=torch.long), 2, positives="random", generator=_generator())
    assert sorted(rows.flatten().tolist()) == list(range(6))


def test_a_seed_repeats_and_another_does_not():
    groups = torch.arange(60) % 3
    first, again, other = (draw_sequences(groups, 4, generator=_generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_entropy_against_numpy():
    counts = np.array([5, 3, 2])
    groups = torch.repeat_interleave(torch.arange(3), torch.from_numpy(counts))
    share = counts / 10
    assert label_entropy(groups) == pytest.approx(-(share * np.log(share)).sum(), rel=1e-12)
    assert label_entropy(torch.zeros(4)) == 0


def test_refuses(faces):
    with pytest.raises(ValueError, match=r"positives must be one of label, same clip.*got 'friends'"):
        groups_of(faces, "friends")
    with pytest.raises(ValueError, match="length must be at least 2; got 1"):
        draw_sequences(torch.zeros(4), 1, generator=_generator())
