"""Tracking: rendered faces moved over a larger picture on known paths; hidden, turned, others beside them."""

import dataclasses
import itertools
import math

import cv2
import numpy as np
import pytest
import torch

from fer_lib.preprocess import track
from fer_lib.preprocess.align import eye_centres
from fer_lib.preprocess.chains import best_chain
from fer_lib.preprocess.track import Tracker, track_faces
from fer_lib.worlds import WORLDS, from_intensities, landmarks_of, neutral_scene, render, sample_people

FRAMES = 18


def backdrop(height=200, width=280):
    blobs = np.random.default_rng(0).integers(60, 180, (8, 11, 3), dtype=np.uint8)
    return cv2.resize(blobs, (width, height), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1)


def put(face, place):
    """A picture with the face at (x, y), its upper left corner."""
    x, y = place
    picture = backdrop().copy()
    picture[:, y : y + face.shape[1], x : x + face.shape[2]] = face
    return picture


def face_boxes(landmarks):
    """What a detector's box holds, by the landmarks: about the inner face, 2.4 eye distances wide."""
    eyes = eye_centres(torch.from_numpy(landmarks)).numpy()
    width = 2.4 * np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=1, keepdims=True)
    return np.concatenate([landmarks[:, 17:].mean(1) - width / 2, width, width], axis=1)


def overlap(boxes, others):
    """Intersection over union, (F,)."""
    low = np.maximum(boxes[:, :2], others[:, :2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:])
    shared = (high - low).clip(0).prod(1)
    return shared / (boxes[:, 2:].prod(1) + others[:, 2:].prod(1) - shared)


def blinded(monkeypatch, frames):
    """Let the detector find nothing in some frames."""
    find, number = Tracker._find, iter(range(1000))

    def patched(self, grey):
        faces = find(self, grey)
        return faces[:0] if next(number) in frames else faces

    monkeypatch.setattr(Tracker, "_find", patched)


@pytest.fixture(scope="module")
def clip():
    """Frames of a clip, their faces' true boxes, and the path."""
    images, truth = WORLDS["omg_emotion"].frames("train", 3, seed=1, size=96, stride=6)
    time = np.linspace(0, 1, FRAMES)
    path = np.stack([10 + 150 * time, 50 + 40 * np.sin(3 * time)], axis=1).round().astype(int)
    pictures = [put(image, place) for image, place in zip(images, path, strict=False)]
    landmarks = landmarks_of(truth.iloc[:FRAMES]) + path[:, None].astype(np.float32)
    return pictures, face_boxes(landmarks), path


def test_a_moving_face_is_followed(clip):
    pictures, truth, _ = clip
    result = track_faces(pictures)
    assert result.missed == 0
    assert result.detected.mean() > 0.9
    assert overlap(result.boxes, truth).min() > 0.6


def test_where_the_detector_finds_nothing_the_face_is_followed(clip, monkeypatch):
    pictures, truth, _ = clip
    lost = [0, 1, 5, 6, 7, 12, 16, 17]
    with monkeypatch.context() as patch:
        blinded(patch, lost)
        result = track_faces(pictures)
    assert result.detected.tolist() == [frame not in lost for frame in range(FRAMES)]
    assert result.followed == len(lost)
    assert result.missed == 0
    assert overlap(result.boxes, truth)[lost].min() > 0.6
    assert overlap(result.boxes, track_faces(pictures).boxes)[lost].mean() > 0.8


def test_a_face_is_given_up_after_some_frames(clip, monkeypatch):
    pictures = clip[0]
    blinded(monkeypatch, range(2, FRAMES))
    hidden = [*pictures[:4], *[backdrop()] * 6, *pictures[10:]]
    patient = track_faces(hidden, patience=10)
    assert patient.found[:4].all()
    assert not patient.found[4:10].any()
    blinded(monkeypatch, range(2, FRAMES))
    assert track_faces(hidden, patience=3).missed == FRAMES - 4


@pytest.mark.parametrize("blobs", [1, 12, 24])
def test_frames_in_which_the_face_is_hidden_have_none(clip, blobs):
    pictures, truth, path = clip
    hidden = [picture.copy() for picture in pictures]
    for frame in range(8, 12):
        x, y = path[frame]
        cover = np.random.default_rng(frame).integers(80, 140, (blobs, blobs, 3), dtype=np.uint8)
        cover = np.kron(cover.transpose(2, 0, 1), np.ones((1, 96 // blobs, 96 // blobs), np.uint8))
        hidden[frame][:, y : y + 96, x : x + 96] = cover
    result = track_faces(hidden)
    assert np.flatnonzero(~result.found).tolist() == [8, 9, 10, 11]
    assert result.missed == 4
    assert overlap(result.boxes, truth)[result.found].min() > 0.6


def test_a_head_that_turns_away_is_followed():
    yaw = torch.cat([torch.linspace(0, 65, 9), torch.linspace(65, 0, 9)[1:]])
    people = sample_people(6, seed=3).take(torch.full((17,), 2))
    scene = dataclasses.replace(neutral_scene(17, scale=0.8), yaw_deg=yaw)
    done = render(people, from_intensities({26: 0.0}).repeat(17, 1, 1), scene, size=96)
    path = np.stack([10 + 6 * np.arange(17), 50 + 2 * np.arange(17)], axis=1)
    pictures = [
        put(face, place) for face, place in zip((done.images * 255).byte().numpy(), path, strict=True)
    ]
    result = track_faces(pictures)
    assert 4 <= result.followed <= 13  # the detector knows frontal faces only
    assert result.missed == 0
    middle = done.landmarks.numpy().mean(1) + path
    centre = result.boxes[:, :2] + result.boxes[:, 2:] / 2
    assert (np.linalg.norm(centre - middle, axis=1) / result.boxes[:, 2]).max() < 0.3


@pytest.fixture(scope="module")
def pair(clip):
    """Film of two faces that stay: a large one on the left, a small one on the right."""
    images, _ = WORLDS["omg_emotion"].frames("train", 5, seed=1, size=64, stride=6)
    pictures = []
    for frame, picture in enumerate(clip[0][:6] * 2):
        both = backdrop().copy()
        x, y = clip[2][frame % 6]
        both[:, 40:136, 10:106] = picture[:, y : y + 96, x : x + 96]
        both[:, 90:154, 200:264] = images[frame]
        pictures.append(both)
    return pictures


def test_of_two_faces_the_larger_that_persists(pair):
    result = track_faces(pair)
    assert result.missed == 0
    assert (result.boxes[:, 0] + result.boxes[:, 2] < 110).all()
    without = [picture if frame % 6 else backdrop() for frame, picture in enumerate(pair)]
    for frame in (3, 4, 5, 7, 8, 9, 10, 11):  # the large one is there in three frames of twelve
        without[frame] = without[frame].copy()
        without[frame][:, 40:136, 10:106] = backdrop()[:, 40:136, 10:106]
    small = track_faces(without)
    assert (small.boxes[small.found, 0] > 190).all()
    assert small.found.sum() >= 8


def test_a_larger_face_for_a_moment_is_passed_over(pair):
    right = [picture.copy() for picture in pair]
    for frame, picture in enumerate(right):
        if frame not in (5, 6):
            picture[:, 40:136, 10:106] = backdrop()[:, 40:136, 10:106]
    result = track_faces(right)
    assert result.missed == 0
    assert (result.boxes[:, 0] > 190).all()


@pytest.mark.parametrize("every_s", [0.04, 1, 4])
@pytest.mark.parametrize("alarm", [[], [20.0, 20, 170, 170], [150.0, 30, 60, 60]])
def test_a_face_far_from_its_last_place_is_the_same_if_there_is_no_other(clip, monkeypatch, alarm, every_s):
    seldom = []
    x, y = clip[2][4]
    face = clip[0][4][:, y : y + 96, x : x + 96]
    places = [(10, 10), (180, 100), (20, 90), (150, 5), (90, 60), (5, 104), (184, 20), (60, 50)]
    for place in places:  # as in a film of which a frame in some seconds is kept
        seldom.append(put(face, place))
    find, number = Tracker._find, iter(range(8))

    def alarmed(self, grey):
        return np.vstack([find(self, grey), np.reshape(alarm if next(number) == 5 else [], (-1, 4))])

    monkeypatch.setattr(Tracker, "_find", alarmed)
    result = Tracker(smooth_place=1).follow(seldom, every_s * np.arange(8))
    assert result.missed == 0
    expected = clip[1][4] - [x, y, 0, 0] + np.pad(np.array(places), ((0, 0), (0, 2)))
    assert overlap(result.boxes, expected).min() > 0.6


def test_blocks_go_on_where_the_last_one_ended(clip, monkeypatch):
    pictures, truth, _ = clip
    whole = track_faces(pictures).boxes
    tracker = Tracker()
    boxes = np.concatenate([tracker.follow(pictures[k : k + 6]).boxes for k in (0, 6, 12)])
    assert overlap(boxes, whole).min() > 0.8
    tracker = Tracker()
    tracker.follow(pictures[:9])
    blinded(monkeypatch, range(20))
    rest = tracker.follow(pictures[9:])
    assert rest.followed == 9
    assert overlap(rest.boxes, truth[9:]).min() > 0.6


def test_one_false_alarm_in_a_film_is_no_face(monkeypatch):
    pictures = [backdrop()] * 12
    alarm = iter([np.array([[40.0, 40, 50, 50]])] + [np.zeros((0, 4))] * 20)
    monkeypatch.setattr(Tracker, "_find", lambda self, grey: next(alarm))
    assert track_faces(pictures).missed == 12


def test_sizes_follow_a_face_that_comes_nearer(clip, monkeypatch):
    pictures, truth, _ = clip
    sides = np.linspace(70, 130, 12).round().astype(int)
    x, y = clip[2][4]
    face = pictures[4][:, y : y + 96, x : x + 96].transpose(1, 2, 0)
    near = [put(cv2.resize(face, (int(s), int(s))).transpose(2, 0, 1), (40, 20)) for s in sides]
    blinded(monkeypatch, range(4, 9))
    result = track_faces(near)
    assert result.followed == 5
    expected = (truth[4] - [x, y, 0, 0]) * sides[:, None] / 96 + [40, 20, 0, 0]
    assert overlap(result.boxes, expected).min() > 0.6
    assert result.boxes[11, 2] / result.boxes[0, 2] == pytest.approx(130 / 70, rel=0.15)


def test_large_pictures_give_large_boxes(clip):
    few = clip[0][:3]
    large = [np.repeat(np.repeat(picture, 4, axis=1), 4, axis=2) for picture in few]
    assert overlap(track_faces(large).boxes / 4, track_faces(few).boxes).min() > 0.85


def test_pictures_without_faces():
    noise = np.random.default_rng(0).integers(0, 255, (8, 3, 120, 160), dtype=np.uint8)
    for pictures in (noise, np.zeros((8, 1, 120, 160), np.uint8)):
        result = track_faces(list(pictures))
        assert result.missed == 8
        assert np.isnan(result.boxes).all()
    assert track_faces([]).boxes.shape == (0, 4)


def step_cost(faces, a, b, frames):
    """What the step between two faces costs where frames follow quickly, in plain words."""

    def move(one, other):
        middle = [one[k] + one[2 + k] / 2 - other[k] - other[2 + k] / 2 for k in (0, 1)]
        return math.hypot(*middle) / math.sqrt(one[2] * other[2])

    def growth(one, other):
        return abs(math.log(one[2] / other[2]))

    def like(one, other):
        return move(one, other) + growth(one, other) < 0.5

    two = any(like(third, faces[b]) for third, f in zip(faces, frames, strict=True) if f == frames[a])
    two |= any(like(third, faces[a]) for third, f in zip(faces, frames, strict=True) if f == frames[b])
    slack = 1 + 0.1 * (frames[b] - frames[a] - 1)
    moved = min(1.5 if two else 0.6, move(faces[a], faces[b]) / slack)
    return min(1.5, moved + growth(faces[a], faces[b]) / slack)


def slow_cost(faces, a, b, frames, times):
    """The same where they may be far apart: of the cheapest way for either face, only a part counts."""
    ways = [step_cost(faces, a, k, frames) for k in np.flatnonzero(frames == frames[b])]
    ways += [step_cost(faces, k, b, frames) for k in np.flatnonzero(frames == frames[a])]
    pace = (times[frames[b]] - times[frames[a]]) / (frames[b] - frames[a])
    spared = min(ways) * max(0, 1 - 1 / (3 * pace))
    return step_cost(faces, a, b, frames) - spared


@pytest.mark.parametrize("every_s", [0.04, 0.5, 4])
@pytest.mark.parametrize("seed", range(12))
def test_the_best_chain_is_that_of_all_chains(seed, every_s):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 200, (2, 2))
    found = []
    for _ in range(6):
        boxes = [[*(place + rng.normal(0, 6 if seed < 6 else 30, 2)), *[side * rng.uniform(0.7, 1.3)] * 2]
                 for place, side in zip(places, (40, 30), strict=True) if rng.random() < 0.7]  # fmt: skip
        found.append(np.array(boxes).reshape(-1, 4))
    gaps = every_s * rng.uniform(0.5, 1.5, 6)
    faces, frames = np.concatenate(found), np.repeat(np.arange(6), [len(boxes) for boxes in found])
    usual = np.median([boxes[:, 2].max() for boxes in found if len(boxes)])

    def worth(chain):
        return sum(min(1, faces[i][2] / usual) for i in chain) - sum(
            slow_cost(faces, a, b, frames, np.cumsum(gaps)) for a, b in itertools.pairwise(chain)
        )

    options = [[None, *np.flatnonzero(frames == f)] for f in range(6)]
    every = ([i for i in picks if i is not None] for picks in itertools.product(*options))
    best = max((chain for chain in every if chain), key=worth)
    got = best_chain(found, None, gaps)
    assert sorted(got) == frames[best].tolist()
    assert all(np.array_equal(got[f], faces[i]) for f, i in zip(sorted(got), best, strict=True))


@pytest.mark.parametrize(
    "other",
    [[55, 0, 100, 100], [400, 50, 100, 100], [-40, -40, 180, 180], [20, 20, 56, 56], [300, 0, 180, 180]],
)
def test_a_face_elsewhere_for_a_frame_is_kept_only_where_frames_are_far_apart(other):
    usual = np.array([[0, 0, 100.0, 100]])
    found = [usual, usual, np.array([other], float), usual, usual]
    for gap in (1, 2, 4):
        assert sorted(best_chain(found, None, np.full(5, gap))) == [0, 1, 2, 3, 4]
    for gaps in (None, np.full(5, 0.04), np.full(5, 0.2)):
        assert sorted(best_chain(found, None, gaps)) == [0, 1, 3, 4]
    rest = best_chain(found[2:3], usual[0], np.array([4.0]))  # after a block that ended with the usual one
    assert sorted(rest) == [0]


def test_of_two_people_one_is_followed_however_far_apart_frames_are():
    left, right = np.array([0, 0, 100.0, 100]), np.array([300, 0, 96.0, 96])
    moved, wide = np.array([30, 10, 0, 0]), np.array([0, 0, 20, 20])
    found = [np.stack([left + k % 2 * moved, right + k % 3 * moved + k % 2 * wide]) for k in range(8)]
    for gone in (None, 3):  # one goes for a moment: the other is not taken for it
        if gone is not None:
            found[gone] = found[gone][:1]
        for gap in (0.04, 0.5, 4):
            chain = best_chain(found, None, np.full(8, gap))
            assert len({box[0] > 200 for box in chain.values()}) == 1
            assert len(chain) >= 7


def test_medians_are_those_of_plain_loops():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(15, 2))
    values[[4, 5, 11]] = np.nan
    seconds = np.cumsum(rng.choice([0.05, 0.12, 0.3], 15))
    got = track._medians(values, seconds, 5)
    for i in range(15):
        if np.isnan(values[i]).any():
            assert np.isnan(got[i]).all()
            continue
        near = [values[i]]
        for reach in (1, 2):
            if i - reach >= 0 and i + reach < 15:
                both = [values[i - reach], values[i + reach]]
                far = max(seconds[i] - seconds[i - reach], seconds[i + reach] - seconds[i]) > 0.25
                near += [] if far or np.isnan(both).any() else both
        assert np.array_equal(got[i], np.median(near, axis=0))


def test_smoothing_takes_jitter_out_and_keeps_steady_motion():
    steady = np.stack([10 + 3.0 * np.arange(12), 20 + 2.0 * np.arange(12), *np.full((2, 12), 30.0)], axis=1)
    times = 0.04 * np.arange(12)
    assert np.allclose(track._smoothed(steady, times, 3, 5), steady)
    rng = np.random.default_rng(0)
    shaken = steady + np.stack([*np.zeros((2, 12)), *rng.normal(size=(1, 12)).repeat(2, 0)], axis=1)
    shaken[6] += 15  # one box far off
    smooth = track._smoothed(shaken, times, 3, 5)
    assert np.abs(smooth - steady).mean() < 0.6 * np.abs(shaken - steady).mean()
    assert np.abs(smooth[6] - steady[6]).max() < 4
    assert np.allclose(track._smoothed(shaken, 10 * times, 3, 5), shaken)  # heads move in between


@pytest.mark.parametrize(
    ("option", "value"),
    [("search", 0), ("match", 1.0), ("patience", -1), ("smooth_place", 2), ("smooth_size", 0)],
)
def test_options_out_of_range(option, value):
    with pytest.raises(ValueError, match=f"{option} must .*; got {value}"):
        Tracker(**{option: value})


@pytest.mark.parametrize(
    ("seconds", "got"),
    [([0, 1], "2 from 0.0 to 1.0"), ([0, 2, 1], "3 from 0.0 to 1.0"), ([0, 1, np.nan], "3 from 0.0 to nan")],
)
def test_times_must_rise(seconds, got):
    with pytest.raises(ValueError, match=f"seconds must be 3 times that rise; got {got}"):
        Tracker().follow([np.zeros((1, 48, 48), np.uint8)] * 3, seconds)


def test_times_go_on_from_block_to_block():
    tracker, pictures = Tracker(), [np.zeros((1, 48, 48), np.uint8)] * 2
    tracker.follow(pictures, [-1, 3])
    tracker.follow([], [])
    with pytest.raises(ValueError, match=r"must be 2 times that rise; got 2 from 3\.0 to 4\.0"):
        tracker.follow(pictures, [3, 4])
    tracker.follow(pictures)  # 25 frames a second
    tracker.follow(pictures, [3.09, 4])
