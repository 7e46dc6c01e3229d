"""The renderer: determinism, independence within a batch, landmarks on features, and what detectors see."""

import cv2
import numpy as np
import pytest
import torch

from fer_lib.worlds import (
    REGIONS,
    WORLDS,
    SceneStyle,
    from_intensities,
    neutral_scene,
    render,
    sample_people,
    sample_scene,
)


def crowd(batch, seed=0):
    generator = torch.Generator().manual_seed(seed)
    units = torch.rand(batch, 20, 1, generator=generator).repeat(1, 1, 2) * 0.5
    return sample_people(batch, seed=seed), units, sample_scene(batch, generator, SceneStyle())


def test_same_input_same_picture():
    first, again = render(*crowd(5), size=64), render(*crowd(5), size=64)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.landmarks, again.landmarks)


@pytest.mark.parametrize("size", [32, 48, 96])
def test_shapes_and_ranges(size):
    done = render(*crowd(3), size=size)
    assert done.images.shape == (3, 3, size, size)
    assert done.landmarks.shape == (3, 68, 2)
    assert done.regions.shape == (3, len(REGIONS), size, size)
    for value in (done.images, done.regions):
        assert torch.isfinite(value).all()
        assert 0 <= value.min() <= value.max() <= 1
    assert done.images.std() > 0.1


def test_a_face_does_not_depend_on_its_neighbours():
    people = sample_people(4, seed=2)
    units = from_intensities({12: 0.8, 25: 0.6}, batch=4)
    together = render(people, units, neutral_scene(4), size=64)
    for i in range(4):
        alone = render(people.take(torch.tensor([i])), units[:1], neutral_scene(1), size=64)
        assert torch.allclose(together.images[i], alone.images[0], atol=2e-5)
        assert torch.allclose(together.landmarks[i], alone.landmarks[0], atol=1e-3)


def test_size_changes_the_sampling_and_not_the_face():
    people, units = sample_people(4, seed=3), from_intensities({6: 0.5, 12: 0.7}, batch=4)
    small = render(people, units, neutral_scene(4), size=64)
    large = render(people, units, neutral_scene(4), size=128)
    assert torch.allclose((small.landmarks + 0.5) * 2 - 0.5, large.landmarks, atol=1e-3)
    shrunk = torch.nn.functional.avg_pool2d(large.images, 2)
    assert (shrunk - small.images).abs().mean() < 0.03


def overlap(points, mask):
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint(points).astype(np.int32)], 1)
    mask = mask > 0.5
    return (drawn.astype(bool) & mask).sum() / max((drawn.astype(bool) | mask).sum(), 1)


def test_landmarks_outline_the_region_masks():
    people, _, scene = crowd(12, seed=4)
    units = from_intensities({25: 0.7, 26: 0.5, 5: 0.5}, batch=12)
    done = render(people.with_traits(eye_open=1.2), units, scene, size=192)
    for picture in range(12):
        points, regions = done.landmarks[picture].numpy(), done.regions[picture].numpy()
        assert overlap(points[48:60], regions[3]) > 0.75
        eyes = regions[0].copy()
        half = int(points[27, 0])
        left, right = eyes.copy(), eyes.copy()
        left[:, half:], right[:, :half] = 0, 0
        assert overlap(points[36:42], left) > 0.6
        assert overlap(points[42:48], right) > 0.6


def test_landmarks_keep_the_scheme_of_sixty_eight():
    done = render(sample_people(8, seed=5), from_intensities({}, batch=8), neutral_scene(8), size=128)
    x, y = done.landmarks[..., 0], done.landmarks[..., 1]
    assert (x[:, 0:16].diff(dim=1) > 0).all()  # the jaw runs from left to right,
    assert (y[:, 8] == y[:, :17].amax(1)).all()  # with the chin lowest
    assert (y[:, 17:27].amax(1) < y[:, 36:48].amin(1)).all()  # brows over eyes
    assert (y[:, 27:31].diff(dim=1) > 0).all()  # the bridge goes down
    assert (y[:, 36:48].amax(1) < y[:, 48:].amin(1)).all()  # eyes over mouth
    assert (x[:, 39] < x[:, 42]).all()
    mirrored = x[:, [36, 48, 17]] + x[:, [45, 54, 26]]
    assert torch.allclose(mirrored, torch.full_like(mirrored, 127.0), atol=0.2)  # a frontal face is even


def test_turning_right_moves_the_nose_before_the_eyes():
    people, units = sample_people(4, seed=6), from_intensities({}, batch=4)
    straight = render(people, units, neutral_scene(4), size=128).landmarks
    turned = render(people, units, neutral_scene(4, yaw_deg=20), size=128).landmarks
    eyes = (turned - straight)[:, [36, 45], 0].mean(1)
    assert ((turned - straight)[:, 30, 0] > eyes + 3).all()


def test_positive_pitch_looks_up_and_positive_roll_tilts_clockwise():
    people, units = sample_people(4, seed=6), from_intensities({}, batch=4)
    straight, up, tilted = (
        render(people, units, neutral_scene(4, **turn), size=128).landmarks
        for turn in ({}, {"pitch_deg": 20}, {"roll_deg": 20})
    )
    nose = [points[:, 30, 1] - points[:, [36, 45], 1].mean(1) for points in (straight, up)]
    assert (nose[1] < nose[0] - 3).all()  # the tip nears the eye line from below
    assert (tilted[:, 45, 1] > tilted[:, 36, 1] + 5).all()  # the image's right eye sinks


def test_opencv_finds_the_faces_of_the_affectnet_world():
    images, _, truth = WORLDS["affectnet"].build("train", n=192, size=96, seed=3)
    frontal = ((truth.yaw_deg.abs() <= 15) & (truth.pitch_deg.abs() <= 10)).to_numpy()
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    pictures = np.concatenate(list(images)).transpose(0, 2, 3, 1)[frontal]
    framed = [cv2.copyMakeBorder(p, 12, 12, 12, 12, cv2.BORDER_REPLICATE) for p in pictures]
    greys = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in framed]
    found = [len(detector.detectMultiScale(g, 1.05, 3, minSize=(32, 32))) > 0 for g in greys]
    assert len(found) > 100
    assert np.mean(found) >= 0.90


def test_bad_input_is_refused():
    people, units, scene = crowd(2)
    with pytest.raises(ValueError, match=r"size must lie in 32-256; got 16\."):
        render(people, units, scene, size=16)
    with pytest.raises(ValueError, match=r"action_units must have the shape \(B, 20, 2\); got \(2, 20\)"):
        render(people, units[..., 0], scene, size=64)
    with pytest.raises(ValueError, match=r"must have one length; got \(2, 1, 2\)"):
        render(people, units[:1], scene, size=64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_paint_the_same():
    people, units, scene = crowd(4)
    here = render(people, units, scene, size=64)
    there = render(people.to("cuda"), units.cuda(), scene.to("cuda"), size=64)
    assert (here.images - there.images.cpu()).abs().mean() < 1e-3
    assert torch.allclose(here.landmarks, there.landmarks.cpu(), atol=1e-2)
