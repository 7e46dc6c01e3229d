"""Cutting faces out: where pixels and points go, edges, shrinking without aliasing, faces found, turned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets import framing
from fer_lib.datasets.framing import cut, shrink_wanted, to_size
from fer_lib.datasets.listing import MISFIT, NO_FACE


def ramp(height, width):
    """A picture whose pixel tells its place: channel 0 holds x, channel 1 holds y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, x + y]).astype(np.uint8)


def face_points(centre=(50.0, 40.0), eyes=20.0):
    """68 points around a centre whose eye corners lie `eyes` pixels apart about it."""
    points = np.tile(np.array(centre, np.float32), (68, 1))
    points[36:42, 0] -= eyes / 2
    points[42:48, 0] += eyes / 2
    return points


@settings(max_examples=60, deadline=None)
@given(left=st.integers(-20, 45), top=st.integers(-20, 35), wide=st.integers(1, 30), high=st.integers(1, 30))
def test_a_box_becomes_the_square_about_its_centre_with_edges_repeated(left, top, wide, high):
    picture = ramp(40, 50)
    side = max(wide, high)
    face = cut(picture, framing="given", size=side, box=np.array([left, top, wide, high]))
    if left >= 50 or top >= 40 or left + wide <= 0 or top + high <= 0:
        assert face.image is None
        assert face.reason == MISFIT
        return
    x0, y0 = round(left + (wide - side) / 2), round(top + (high - side) / 2)
    for y in range(side):  # plain loops: each pixel is the nearest of the picture
        for x in range(side):
            nearest = picture[:, min(max(y0 + y, 0), 39), min(max(x0 + x, 0), 49)]
            assert face.image[:, y, x].tolist() == nearest.tolist()


def test_given_without_a_box_and_whole_with_one_take_all_of_the_picture():
    picture = ramp(30, 30)
    box = np.array([5, 5, 10, 10])
    for face in (
        cut(picture, framing="given", size=30),
        cut(picture, framing="given", size=30, box=np.full(4, np.nan)),
        cut(picture, framing="whole", size=30, box=box),
    ):
        assert np.array_equal(face.image, picture)
    assert np.array_equal(cut(picture, framing="given", size=10, box=box).image, picture[:, 5:15, 5:15])


def test_a_wide_picture_is_not_stretched():
    picture = ramp(20, 40)
    whole = cut(picture, framing="whole", size=40).image
    assert np.array_equal(whole[:, 10:30], picture)
    assert (whole[1, :10] == 0).all()
    assert (whole[1, 30:] == 19).all()


def test_shrinking_averages_areas():
    picture = np.random.default_rng(0).integers(0, 256, (3, 24, 24), dtype=np.uint8)
    small = cut(picture, framing="whole", size=6).image
    mean = picture.reshape(3, 6, 4, 6, 4).astype(float).mean((2, 4))
    assert np.abs(small - mean).max() <= 0.5 + 1e-9
    stripes = np.tile(np.array([0, 255], np.uint8), (1, 96, 48))  # as fine as can be: must turn grey
    assert np.ptp(cut(stripes, framing="whole", size=32).image) <= 90
    assert np.ptp(cut(stripes, framing="whole", size=24).image) <= 1


@pytest.mark.parametrize("turned", [0, 25])
def test_aligning_a_large_picture_does_not_alias(turned):
    stripes = np.tile(np.array([0, 255], np.uint8), (1, 800, 400))
    points = face_points((400, 400), 288)
    angle = np.deg2rad(turned)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = ((points - 400) @ turn.T + 400).astype(np.float32)
    face = cut(stripes, framing="aligned", size=100, landmarks=points)
    assert face.image.shape == (1, 100, 100)
    assert np.abs(face.image.astype(int) - 127).max() <= 2


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(25, 60), y=st.floats(25, 60), angle=st.floats(-40, 40), eyes=st.floats(8, 60),
    size=st.integers(16, 90),
)  # fmt: skip
def test_aligned_eyes_are_level_and_points_move_with_the_pixels(x, y, angle, eyes, size):
    points = face_points((x, y), eyes)
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    points = ((points - (x, y)) @ turn.T + (x, y)).astype(np.float32)
    picture = ramp(90, 90)
    face = cut(picture, framing="aligned", size=size, landmarks=points)
    left, right = face.landmarks[36:42].mean(0), face.landmarks[42:48].mean(0)
    assert np.allclose(right - left, [0.36 * size, 0], atol=2e-3 * size)
    assert np.allclose((left + right) / 2, [size / 2 - 0.5, 0.34 * size - 0.5], atol=2e-3 * size)
    middle = np.round((left + right) / 2).astype(int)  # the pixel there holds its place in the picture
    back = (middle - (left + right) / 2) @ (turn.T * eyes / (0.36 * size)) + (x, y)
    inside = (back > 6).all() and (back < 83).all()
    if inside:
        scale = max(1, eyes / (0.36 * size))
        got = face.image[:2, middle[1], middle[0]].astype(float)
        assert np.abs(got - back).max() <= 0.8 + 0.3 * scale


@settings(max_examples=40, deadline=None)
@given(left=st.integers(-5, 30), top=st.integers(-5, 30), side=st.integers(10, 60), size=st.integers(10, 60))
def test_points_move_with_a_crop(left, top, side, size):
    points = np.random.default_rng(0).uniform(0, 60, (68, 2)).astype(np.float32)
    face = cut(
        ramp(64, 64), framing="given", size=size, box=np.array([left, top, side, side]), landmarks=points
    )
    for point, moved in zip(points, face.landmarks, strict=True):
        # edges go to edges: the first pixel begins at -0.5
        expected = [
            (v - (corner - 0.5)) / side * size - 0.5 for v, corner in zip(point, (left, top), strict=True)
        ]
        assert np.allclose(moved, expected, atol=1e-3)
    assert face.landmarks.dtype == np.float32


@pytest.mark.parametrize(
    "box", [[60, 0, 5, 5], [0, 60, 5, 5], [-9, 0, 9, 9], [0, 0, 500, 500], [0, 0, 1e12, 3], [5, 5, 0, 9]]
)
def test_a_box_beside_or_far_beyond_the_picture_is_told(box):
    face = cut(ramp(60, 60), framing="given", size=16, box=np.array(box, float))
    assert face.image is None
    assert face.reason == MISFIT


def test_no_face_is_told():
    for how in ("found", "aligned"):
        face = cut(np.full((3, 80, 80), 90, np.uint8), framing=how, size=32)
        assert (face.image, face.reason) == (None, NO_FACE)
    assert cut(np.zeros((1, 80, 80), np.uint8), framing="found", size=32).faces == 0


def test_a_found_box_gets_its_margin_and_is_not_looked_for_again(monkeypatch):
    monkeypatch.setattr(framing, "_largest_face", lambda image: pytest.fail("looked for a face"))
    picture = ramp(100, 100)
    face = cut(picture, framing="found", size=48, box=np.array([30, 20, 40, 40]))
    assert np.array_equal(face.image, picture[:, 16:64, 26:74])  # 40 + 2 * 4 pixels
    cut(picture, framing="aligned", size=48, box=np.array([30, 20, 40, 40]))


def test_eyes_that_coincide_are_not_used():
    face = cut(np.full((1, 80, 80), 90, np.uint8), framing="aligned", size=32, landmarks=face_points(eyes=0))
    assert face.reason == NO_FACE


def test_faces_are_found_in_large_pictures_and_their_eyes_in_them():
    from fer_lib.datasets import load
    from fer_lib.worlds import landmarks_of

    faces = load("world:jaffe", limit=6, size=64)
    hits = {"found": 0, "eyes": 0}
    for image, points in zip(faces.images, landmarks_of(faces.truth), strict=True):
        canvas = np.full((1, 700, 900), 120, np.uint8)
        canvas[:, 100:580, 200:680] = to_size(image, 480)
        points = (points + 0.5) * 480 / 64 - 0.5 + (200, 100)
        face = cut(canvas, framing="found", size=64, landmarks=points)
        hits["found"] += face.image is not None and bool((np.abs(face.landmarks[17:] - 31.5) < 31.5).all())
        box, number = framing._largest_face(canvas)
        true = np.stack([points[36:42].mean(0), points[42:48].mean(0)])
        if box is not None:
            off = np.linalg.norm(framing._eyes_in(canvas, box) - true, axis=1)
            hits["eyes"] += bool((off < 0.25 * np.linalg.norm(true[1] - true[0])).all())
            assert face.faces == number >= 1
    assert hits["found"] >= 5
    assert hits["eyes"] >= 5


@pytest.mark.parametrize(
    ("how", "size", "shape", "box", "factor"),
    [
        ("whole", 96, (224, 224), None, 2),
        ("whole", 96, (191, 150), None, 1),
        ("whole", 48, (400, 400), None, 8),
        ("given", 96, (2000, 2000), (0, 0, 100, 90), 1),
        ("given", 96, (2000, 2000), (0, 0, 400, 90), 4),
        ("given", 96, (800, 100), (np.nan,) * 4, 8),
        ("found", 96, (1000, 800), None, 1),
        ("found", 96, (4000, 3000), None, 2),
    ],
)
def test_what_is_decoded_is_never_smaller_than_what_is_wanted(how, size, shape, box, factor):
    assert shrink_wanted(how, size, shape, None if box is None else np.array(box)) == factor


def test_unknown_framing():
    with pytest.raises(ValueError, match=r"framing must be one of given, whole, found, aligned; got 'cut'"):
        cut(ramp(9, 9), framing="cut", size=8)
