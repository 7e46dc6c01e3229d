"""Alignment: the thesis's equations by hand and by OpenCV, and crops that are slices."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from fer_lib.preprocess import align, eye_centres, similarity_from_eyes, warp
from fer_lib.preprocess.align import box_of, compose, move, square_from_boxes

number = st.floats(-200, 200)


def _landmarks(left, right):
    """68 points whose eyes have the given centres."""
    points = torch.zeros(1, 68, 2)
    ring = torch.tensor([[math.cos(a), math.sin(a)] for a in np.arange(6) * math.pi / 3]) * 3
    points[0, 36:42] = ring + torch.tensor(left)
    points[0, 42:48] = ring + torch.tensor(right)
    return points


@pytest.fixture
def picture():
    smooth = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    return F.interpolate(smooth, (96, 96), mode="bicubic").clamp(0, 1)


def test_eye_centres_are_the_means_of_landmarks_37_to_48():
    points = torch.arange(68 * 2, dtype=torch.float32).view(1, 68, 2)
    by_hand = [[np.mean(range(72, 84, 2)), np.mean(range(73, 84, 2))]]
    by_hand += [[np.mean(range(84, 96, 2)), np.mean(range(85, 96, 2))]]
    assert eye_centres(points)[0].tolist() == by_hand


def test_the_thesis_by_hand():
    # eyes 30 right and 40 down of each other: 50 apart, tilted by atan(4/3); wanted 100 apart
    eyes = torch.tensor([[[10.0, 20.0], [40.0, 60.0]]])
    matrix = similarity_from_eyes(eyes, size=200, eye_distance=0.5, eye_height=0.25)[0]
    angle = math.degrees(math.atan2(matrix[0, 1], matrix[0, 0]))
    assert angle == pytest.approx(math.degrees(math.atan(4 / 3)))
    assert math.hypot(*matrix[0, :2].tolist()) == pytest.approx(2.0)


def test_equals_opencv(picture):
    left, right, size = np.array([30.0, 50.0]), np.array([62.0, 38.0]), 64
    angle = math.degrees(math.atan((right[1] - left[1]) / (right[0] - left[0])))  # eq. 3.1.1
    scale = 0.36 * size / math.dist(left, right)  # eq. 3.1.2
    middle = (left + right) / 2
    matrix = cv2.getRotationMatrix2D(tuple(middle), angle, scale)
    matrix[:, 2] += np.array([size / 2 - 0.5, 0.34 * size - 0.5]) - middle
    theirs = cv2.warpAffine(
        picture[0].permute(1, 2, 0).numpy(), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE
    )
    ours, moved = align(picture, _landmarks(left, right), size=size)
    np.testing.assert_allclose(ours[0].permute(1, 2, 0).numpy(), theirs, atol=0.02)
    there = matrix @ [*left, 1]
    np.testing.assert_allclose(eye_centres(moved)[0, 0].numpy(), there, atol=1e-3)


@given(number, number, st.floats(5, 300), st.floats(-180, 180), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_eyes_come_to_their_place(x, y, apart, angle, share, height):
    step = apart * np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    eyes = torch.tensor(np.array([[[x, y], [x + step[0], y + step[1]]]]), dtype=torch.float32)
    matrix = similarity_from_eyes(eyes, size=100, eye_distance=share, eye_height=height)
    found = move(eyes, matrix)[0].numpy()
    wanted = [[49.5 - 50 * share, 100 * height - 0.5], [49.5 + 50 * share, 100 * height - 0.5]]
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_an_aligned_face_stays_as_it_is(picture):
    at = 0.34 * 96 - 0.5
    landmarks = _landmarks([47.5 - 0.18 * 96, at], [47.5 + 0.18 * 96, at])
    out, moved = align(picture, landmarks, size=96)
    torch.testing.assert_close(out, picture, atol=1e-4, rtol=0)
    torch.testing.assert_close(moved, landmarks, atol=1e-4, rtol=0)


def test_a_crop_by_whole_pixels_is_a_slice(picture):
    out = warp(picture, square_from_boxes(torch.tensor([[20.0, 30.0, 40.0, 40.0]]), size=40), size=40)
    torch.testing.assert_close(out, picture[:, :, 30:70, 20:60], atol=1e-5, rtol=0)


def test_a_margin_and_the_longer_side(picture):
    # 20 wide, 40 high: a square of 40 about the middle, plus 4 on each side
    matrix = square_from_boxes(torch.tensor([[30.0, 30.0, 20.0, 40.0]]), size=48, margin=0.1)
    torch.testing.assert_close(warp(picture, matrix, size=48), picture[:, :, 26:74, 16:64], atol=1e-5, rtol=0)


def test_bytes_stay_bytes(picture):
    matrix = square_from_boxes(torch.tensor([[10.0, 10.0, 32.0, 32.0]]), size=32)
    data = (picture * 255).round().byte()
    assert torch.equal(warp(data, matrix, size=32), data[:, :, 10:42, 10:42])


def test_shrinking_averages():
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(32, 32)[None, None]
    out = warp(board, square_from_boxes(torch.tensor([[0.0, 0.0, 64.0, 64.0]]), size=22), size=22)
    assert (out - 0.5).abs().max() < 0.15


def test_outside_is_the_border_or_black(picture):
    matrix = square_from_boxes(torch.tensor([[-50.0, 0.0, 40.0, 40.0]]), size=40)
    border = warp(picture, matrix, size=40)
    torch.testing.assert_close(border, picture[:, :, :40, :1].expand(-1, -1, -1, 40), atol=1e-4, rtol=0)
    assert warp(picture, matrix, size=40, padding="zeros").max() == 0


def test_two_steps_are_one():
    torch.manual_seed(0)
    first, then, points = torch.randn(4, 2, 3), torch.randn(4, 2, 3), torch.randn(4, 7, 2)
    torch.testing.assert_close(
        move(points, compose(first, then)), move(move(points, first), then), atol=1e-5, rtol=1e-5
    )


def test_box_of_landmarks():
    points = torch.zeros(1, 68, 2)
    points[0, 3], points[0, 9] = torch.tensor([-4.0, 2.0]), torch.tensor([6.0, 12.0])
    assert box_of(points)[0].tolist() == [-4.0, 0.0, 10.0, 12.0]


def test_each_picture_by_its_own_matrix(picture):
    pair = picture.repeat(2, 1, 1, 1)
    boxes = torch.tensor([[0.0, 0.0, 30.0, 30.0], [40.0, 50.0, 30.0, 30.0]])
    out = warp(pair, square_from_boxes(boxes, size=30), size=30)
    torch.testing.assert_close(out[1], picture[0, :, 50:80, 40:70], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("eyes", "options", "message"),
    [
        (torch.zeros(2, 3, 2), {}, r"eyes must be of shape \(B, 2, 2\); got \(2, 3, 2\)"),
        (torch.zeros(1, 2, 2), {}, r"eyes must be at least a pixel apart; got .* in row 0"),
        (torch.full((3, 2, 2), math.nan), {}, r"known for every face; got 3 without, the first in row 0"),
        (torch.rand(1, 2, 2) * 50, {"eye_distance": 1.5}, r"eye_distance must lie in \(0, 1\); got 1.5"),
        (torch.rand(1, 2, 2) * 50, {"eye_height": 0.0}, r"eye_height must lie in \(0, 1\); got 0.0"),
    ],
)
def test_refuses_eyes_it_cannot_use(eyes, options, message):
    with pytest.raises(ValueError, match=message):
        similarity_from_eyes(eyes, size=64, **options)


def test_refuses_boxes_and_batches_it_cannot_use(picture):
    with pytest.raises(ValueError, match=r"boxes must be \(B, 4\) with a width and height above 0"):
        square_from_boxes(torch.tensor([[0.0, 0.0, math.nan, 4.0]]), size=8)
    with pytest.raises(ValueError, match=r"margin must be above -0.5; got -0.5"):
        square_from_boxes(torch.ones(1, 4), size=8, margin=-0.5)
    with pytest.raises(ValueError, match=r"images and matrices must be .* \(1, 3, 96, 96\) and \(2, 2, 3\)"):
        warp(picture, torch.zeros(2, 2, 3), size=8)
    with pytest.raises(ValueError, match=r"landmarks must be of shape \(B, 68, 2\); got \(1, 5, 2\)"):
        align(picture, torch.zeros(1, 5, 2))
