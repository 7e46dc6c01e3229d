"""Clips: which frames, in which order, with which label; never parted, never pooled twice."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_faces import CLASSES, METRICS

from fer_lib.datasets import SequenceSet, as_sequences, load
from fer_lib.datasets.faceset import FaceSet
from fer_lib.errors import DataError
from fer_lib.train import evaluate, fit, pool, predict
from fer_lib.train.parts import load_parts


def film(clips, task="categorical", *, name="film", **columns):
    """Frames of some clips: picture k is filled with k. A clip is given by its frame numbers."""
    count = sum(len(numbers) for numbers in clips)
    pixels = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 1, 16, 16)).copy()
    video = np.repeat(np.arange(len(clips)), [len(numbers) for numbers in clips])
    table = {
        "split": "train", "subject": [f"s{v // 2}" for v in video], "video": [f"v{v}" for v in video],
        "frame": np.concatenate([np.asarray(numbers) for numbers in clips]),
        "expression": video % 3, "valence": video / 10, "arousal": -video / 10,
    }  # fmt: skip
    table |= {
        f"{kind}_{name}": (video % 3 == k).astype(float)
        for kind in ("share", "state")
        for k, name in enumerate(CLASSES)
    }
    return FaceSet(
        name=name, pixels=pixels, rows=np.arange(count), table=pd.DataFrame(table | columns), task=task,
        unit="sequence", classes=CLASSES, tasks=tuple(METRICS), protocol="none", metric=METRICS[task],
        source="drawn here", licence="none", fingerprint=f"film-{task}",
    )  # fmt: skip


def shown(clips):
    """Which picture each frame of each clip is."""
    return clips.batch(np.arange(len(clips)))[:, :, 0, 0, 0].tolist()


def test_frames_are_taken_evenly_and_in_the_order_of_time():
    faces = film([range(9), [30, 10, 20], [5], [4, 1]])
    clips = as_sequences(faces, 3)
    # of nine the second, fifth and eighth; three in the order of their numbers; one, and two, repeated
    assert shown(clips) == [[1, 4, 7], [10, 11, 9], [12, 12, 12], [14, 13, 13]]
    assert clips.index.dtype == np.int64
    assert len(clips.frames) == 3 + 3 + 1 + 2  # only those in use
    assert shown(as_sequences(faces, 1)) == [[4], [11], [12], [13]]


def test_without_frame_numbers_the_order_of_the_set_counts():
    faces = film([[3, 2, 1], [1]])
    table = faces.table.drop(columns="frame")
    plain = FaceSet(**{f: getattr(faces, f) for f in faces.__dataclass_fields__} | {"table": table})
    assert shown(as_sequences(plain, 3)) == [[0, 1, 2], [3, 3, 3]]


def test_frames_are_gathered_from_wherever_they_lie():
    faces = film([range(3), range(3), range(3)]).subset([8, 0, 4, 6, 2, 3, 7, 1, 5])
    assert sorted(shown(as_sequences(faces, 3))) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("column", ["utterance", "execution", "segment"])
def test_stretches_of_a_clip_are_clips_of_their_own(column):
    faces = film([range(4), range(2)], **{column: ["a", "a", "b", "b", "a", "a"]})
    assert shown(as_sequences(faces, 2)) == [[0, 1], [2, 3], [4, 5]]


def test_the_label_is_that_of_the_stretch():
    for task in METRICS:
        targets = as_sequences(film([range(2)] * 4, task), 5).targets()
        want = film([range(1)] * 4, task).targets()
        torch.testing.assert_close(targets, want, rtol=0, atol=0)


def test_labels_that_differ_within_a_clip():
    classes = as_sequences(
        film([range(5), range(2), range(3)], expression=[2, 1, 1, 0, 2, 1, 0, -1, -1, 2]), 2
    )
    assert classes.targets().tolist() == [2, 1, 2]  # twice 2 and 1, 2 came first; 1 came first; 2 is known
    values = as_sequences(film([range(2), range(2)], "valence_arousal", valence=[0.2, 0.6, np.nan, 0.4]), 1)
    torch.testing.assert_close(values.targets()[:, 0], torch.tensor([0.4, 0.4]))
    states = film([range(3), range(2)], "multi_label", state_happiness=[1.0, 0.0, 0.0, 1.0, 0.0])
    assert as_sequences(states, 4).targets()[:, 1].tolist() == [0.0, 1.0]
    shares = film([range(2)], "distribution", share_neutral=[1.0, 0.0], share_happiness=[0.0, 1.0])
    assert as_sequences(shares, 4).targets().tolist() == [[0.5, 0.5, 0.0]]


def test_a_clip_without_label_is_said_to_be_so():
    clips = as_sequences(film([range(2), range(2)], expression=[0, 0, -1, -1]), 2)
    with pytest.raises(DataError, match="row 1 of the set: every row must have a categorical label"):
        clips.targets()


def test_no_person_is_in_two_parts():
    clips = as_sequences(film([range(3)] * 12), 3)
    rest, part = clips.split(0.3, seed=1)
    assert len(rest) + len(part) == 12
    assert 2 <= len(part) <= 6
    assert not set(rest.table["subject"]) & set(part.table["subject"])
    again = clips.split(0.3, seed=1)[1]
    assert again.fingerprint == part.fingerprint != rest.fingerprint


def test_subset_keeps_clips_whole_and_shares_the_frames():
    clips = as_sequences(film([range(3), range(3), range(3)]), 3)
    chosen = clips.subset([2, 0])
    assert shown(chosen) == [[6, 7, 8], [0, 1, 2]]
    assert chosen.frames is clips.frames
    assert chosen.table["video"].tolist() == ["v2", "v0"]
    assert chosen.targets().tolist() == [2, 0]
    assert shown(clips.subset(np.array([False, True, False]))) == [[3, 4, 5]]


def test_fingerprints_name_frames_order_length_and_task():
    faces = film([range(3), range(3)])
    clips = as_sequences(faces, 3)
    same = as_sequences(film([range(3), range(3)]), 3)
    others = [as_sequences(faces, 2), clips.subset([1, 0]), as_sequences(faces.as_task("valence_arousal"), 3)]
    others.append(as_sequences(film([[2, 1, 0], range(3)]), 3))
    assert clips.fingerprint == same.fingerprint
    assert len({clips.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_a_clip_is_pooled_once():
    faces = film([range(3)] * 6, name="omg_emotion", task="valence_arousal")
    clips = as_sequences(faces, 3)
    pred = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    pooled, same = pool(pred, clips)
    assert pooled is pred
    assert same is clips
    frames, _ = pool(np.repeat(pred, 3, axis=0), faces)  # the same prediction for each frame
    np.testing.assert_allclose(frames, pred, rtol=1e-6)
    assert evaluate(pred, clips) == pytest.approx(evaluate(np.repeat(pred, 3, axis=0), faces))
    twice = clips.subset([0, 0, 1])  # drawn twice, as a bootstrap does
    assert len(pool(pred[[0, 0, 1]], twice)[0]) == 3


def test_single_pictures_are_refused():
    from small_faces import small_faces

    with pytest.raises(ValueError, match="faces must come from clips; got the single pictures of small"):
        as_sequences(small_faces(), 3)
    with pytest.raises(ValueError, match="length must be at least 1; got 0"):
        as_sequences(film([range(2)]), 0)


@pytest.mark.parametrize("name", ["omg_emotion", "elderreact", "fabo", "affwild2"])
def test_clips_of_worlds(name):
    faces = load(f"world:{name}", size=32, limit=24)
    clips = as_sequences(faces, 4)
    assert isinstance(clips, SequenceSet)
    assert clips.synthetic
    assert len(clips) < len(faces)
    assert clips.batch([0, 1]).shape == (2, 4, 3, 32, 32)
    assert len(clips.targets()) == len(clips.truth) == len(clips.table) == len(clips)
    assert (clips.counts()["all"] == len(clips)).all()
    assert repr(clips) == f"SequenceSet(world:{name}: {len(clips)} clips of 4 frames, {faces.task})"


def test_training_on_clips_learns_what_only_their_order_tells():
    from fer_lib.encoders import FaceChannel
    from fer_lib.heads import Decision, FaceModel, build_head
    from fer_lib.train import Settings, seeded

    rising = np.random.default_rng(0).integers(0, 2, 60)
    clips = as_sequences(film([range(4)] * 60, expression=np.repeat(rising, 4)), 4)
    ramp = np.linspace(20, 220, 4).astype(np.uint8)
    for k, up in enumerate(rising):  # the same pictures forwards or backwards
        clips.frames.pixels[4 * k : 4 * k + 4] = (ramp if up else ramp[::-1])[:, None, None, None]
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
        head = build_head(Decision(hidden=(8,), gru=8, length=4), clips, encoder.feature_shape)
    model = FaceModel(encoder, head)
    train, test = clips.subset(slice(0, 40)), clips.subset(slice(40, 60))
    fit(model, train, test, epochs=8, seed=0, settings=Settings(batch_size=8, learning_rate=5e-3))
    assert evaluate(predict(model, test), test)["accuracy"] == 1.0


def test_parts_of_a_world_become_parts_of_clips():
    parts = load_parts("world:omg_emotion", ["valence_arousal"], size=32, limits=(40, 20))
    clips = [as_sequences(faces, 2) for faces in (parts.train, parts.validation, parts.test)]
    videos = [set(one.table["video"]) for one in clips]
    assert not videos[0] & videos[1]
    assert not videos[0] & videos[2]
