"""Detection: rendered faces are found where they are, and what is not found is counted."""

import numpy as np
import pytest
import torch

from fer_lib.preprocess import detect, eye_centres, find_eyes, find_faces
from fer_lib.worlds import from_intensities, neutral_scene, render, sample_people


@pytest.fixture(scope="module")
def faces():
    people = sample_people(24, seed=2).with_traits(glasses=0.0, fringe=0.0, hair_length=0.0)
    scene = neutral_scene(24, scale=0.62)
    done = render(people, from_intensities({26: 0.0}).repeat(24, 1, 1), scene, size=160)
    return (done.images * 255).byte().numpy(), done.landmarks


def test_frontal_faces_are_found_where_they_are(faces):
    images, landmarks = faces
    found = detect(images)
    assert found.found.mean() >= 0.9
    assert found.missed == int((~found.found).sum())
    boxes, nose = found.boxes[found.found], landmarks[found.found][:, 30].numpy()
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    assert ((nose > low) & (nose < high)).all()
    apart = eye_centres(landmarks)[found.found].diff(dim=1).norm(dim=2)[:, 0].numpy()
    ratio = boxes[:, 2] / apart
    assert 1.6 < np.median(ratio) < 3.2  # a box is two to three eye distances wide


def test_boxes_follow_the_pictures_size(faces):
    images, _ = faces
    small = torch.nn.functional.interpolate(
        torch.from_numpy(images).float(), (64, 64), mode="bilinear", antialias=True
    )
    small = small.round().byte().numpy()
    large, little = detect(images), detect(small)
    both = large.found & little.found
    assert both.mean() > 0.7
    error = little.boxes[both] * 2.5 - large.boxes[both]
    assert np.median(np.abs(error)) < 6


def test_eyes_are_found_near_the_truth(faces):
    images, landmarks = faces
    found = detect(images)
    eyes = find_eyes(images, found.boxes)
    known = ~np.isnan(eyes).any((1, 2))
    assert known.mean() > 0.6
    truth = eye_centres(landmarks).numpy()[known]
    apart = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)
    error = np.linalg.norm(eyes[known] - truth, axis=2).mean(1) / apart
    assert np.median(error) < 0.15
    assert (eyes[known][:, 0, 0] < eyes[known][:, 1, 0]).all()


def test_no_face_no_eyes():
    noise = np.random.default_rng(0).integers(0, 255, (3, 1, 64, 64), dtype=np.uint8)
    found = detect(noise)
    assert found.missed == 3
    assert np.isnan(found.boxes).all()
    assert np.isnan(find_eyes(noise, found.boxes)).all()
    assert find_faces(noise[0]).shape == (0, 4)


def test_two_faces_the_larger_first(faces):
    images, _ = faces
    picture = images[int(np.flatnonzero(detect(images).found)[0])]
    small = picture[:, ::2, ::2]
    wide = np.full((3, 160, 260), 128, np.uint8)
    wide[:, :, :160], wide[:, 40:120, 170:250] = picture, small
    boxes = find_faces(wide, smallest=0.12)
    assert len(boxes) >= 2
    assert boxes[0, 2] > 1.5 * boxes[1, 2]
    assert detect(wide[None], smallest=0.12).counts[0] == len(boxes)


def test_a_border_helps_faces_that_fill_their_picture(faces):
    images, landmarks = faces
    plain, inside = 0, []
    for image, face in zip(images, landmarks.numpy(), strict=True):
        left, top = np.maximum(np.floor(face.min(0)).astype(int) - [4, 14], 0)
        right, low = np.ceil(face.max(0)).astype(int) + 4
        tight = np.ascontiguousarray(image[:, top:low, left:right])
        plain += len(find_faces(tight, smallest=0.5)) > 0
        for box in find_faces(tight, smallest=0.5, pad=0.3)[:1]:
            middle = box[:2] + box[2:] / 2
            inside.append(np.abs(middle - (face[30] - [left, top])).max() / box[2])
    assert len(inside) > plain
    assert np.median(inside) < 0.2  # boxes are given in the picture without the border


@pytest.mark.parametrize(
    ("picture", "options", "message"),
    [
        (np.zeros((8, 8), np.uint8), {}, r"picture must be uint8 \(1 or 3, H, W\); got uint8 \(8, 8\)"),
        (np.zeros((1, 8, 8)), {}, r"picture must be uint8 .* got float64 \(1, 8, 8\)"),
        (np.zeros((1, 64, 64), np.uint8), {"step": 1.0}, r"step is out of range; got 1.0"),
        (np.zeros((1, 64, 64), np.uint8), {"smallest": 0.0}, r"smallest is out of range; got 0.0"),
        (np.zeros((1, 64, 64), np.uint8), {"pad": -1.0}, r"pad must be at least 0; got -1.0"),
    ],
)
def test_refuses_what_it_cannot_search(picture, options, message):
    with pytest.raises(ValueError, match=message):
        find_faces(picture, **options)


def test_refuses_a_single_picture():
    with pytest.raises(ValueError, match=r"images must be \(N, 1 or 3, H, W\); got \(1, 8, 8\)"):
        detect(np.zeros((1, 8, 8), np.uint8))
