"""Masks: they cover what they should, move with the head, and take the picture's light, not its mouth."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.nn import functional as F

from fer_lib.preprocess import overlay
from fer_lib.preprocess.fabrics import KINDS, draw_wear
from fer_lib.preprocess.headpose import TEMPLATE, fit_head, project, surface
from fer_lib.worlds import from_intensities, neutral_scene, render, sample_people

EYES, MOUTH, TIP = range(36, 48), range(48, 68), 30


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def turned():
    """Faces over the whole range of poses; some with the jaw dropped as far as it goes."""
    yaw = torch.tensor([-40.0, -30, -20, -10, 0, 10, 20, 30, 40]).repeat(5)
    other = torch.rand(2, len(yaw), generator=_generator(1)) * 2 - 1
    scene = replace(neutral_scene(len(yaw), scale=0.7), yaw_deg=yaw, pitch_deg=20 * other[0])
    scene = replace(scene, roll_deg=30 * other[1])
    units = from_intensities({26: 0.0}).repeat(len(yaw), 1, 1)
    units[::3] = from_intensities({27: 1.0, 25: 1.0})
    done = render(sample_people(len(yaw), seed=5), units, scene, size=96)
    return done, scene


def _at(coverage, landmarks, number):
    place = landmarks[:, number].round().long()
    side = coverage.shape[-1] - 1
    return coverage[torch.arange(len(coverage)), place[:, 1].clamp(0, side), place[:, 0].clamp(0, side)]


def test_pose_of_an_ideal_head_is_exact():
    yaw, pitch, roll = 30.0, -15.0, 20.0
    turn = Rotation.from_euler("ZXY", [roll, pitch, yaw], degrees=True).as_matrix()
    points = torch.zeros(1, 68, 2, dtype=torch.float64)
    for k, (x, y, z, _) in TEMPLATE.items():
        points[0, k] = torch.from_numpy(40 * (turn @ [x, y, z])[:2] + [50, 60])
    head = fit_head(points)
    found = [getattr(head, name).rad2deg().item() for name in ("yaw", "pitch", "roll")]
    np.testing.assert_allclose(found, [yaw, pitch, roll], atol=0.05)
    assert head.scale.item() == pytest.approx(40, rel=1e-4)


def test_pose_of_rendered_heads(turned):
    done, scene = turned
    head = fit_head(done.landmarks)
    for name, bound in (("yaw", 2.0), ("pitch", 4.0), ("roll", 1.5)):
        error = getattr(head, name).rad2deg() - getattr(scene, f"{name}_deg")
        assert error.abs().mean() < bound, name


def test_surface_and_projection_agree():
    yaw, nod, tilt = (torch.tensor([a]).deg2rad() for a in (25.0, 10.0, -15.0))
    head = replace(fit_head(_front()), yaw=yaw, pitch=nod, roll=tilt)
    seen = surface(head, 96, 96)
    cp, sp = nod.cos(), nod.sin()
    inside = (seen.outside[0] < -0.1).nonzero()[::97]
    for row, column in inside:
        x, y, depth = (field[0, row, column] for field in (seen.x, seen.y, seen.depth))
        z = (depth + x * yaw.sin()) / yaw.cos()  # depth is z cos - x sin, before the nod
        back = project(head, torch.stack([x, y, z[0]])[None, None])[0, 0]
        assert cp > sp
        torch.testing.assert_close(back, torch.stack([column, row]).float(), atol=0.6, rtol=0)


def _front(size=96):
    scene = neutral_scene(1, scale=0.75)
    done = render(sample_people(1, seed=3), from_intensities({26: 0.0}), scene, size=size)
    return done.landmarks


@pytest.mark.parametrize("kind", KINDS)
def test_covers_mouth_and_nose_and_leaves_the_eyes(turned, kind):
    done, scene = turned
    _, coverage = overlay(done.images, done.landmarks, generator=_generator(), kinds=[kind])
    for number in (*MOUTH, TIP, 33):
        covered = _at(coverage, done.landmarks, number)
        assert covered.min() > 0.5, number
        assert covered.mean() > 0.98, number
    half = scene.yaw_deg.abs() <= 30  # farther, the mask may stand before the eye that is turned away
    for number in EYES:
        eye = _at(coverage, done.landmarks, number)
        assert eye[half].max() < 0.05, number
        assert eye.max() < 0.3, number
    chin = _at(coverage, done.landmarks, 8)
    assert (chin > 0.5).float().mean() > 0.8


def test_cloth_stays_on_the_face(turned):
    done, _ = turned
    _, coverage = overlay(done.images, done.landmarks, generator=_generator())
    for cover, points in zip(coverage.numpy(), done.landmarks.numpy(), strict=True):
        hull = cv2.convexHull(points.round().astype(np.int32))
        face = cv2.fillConvexPoly(np.zeros(cover.shape, np.uint8), hull, 1)
        near = cv2.dilate(face, np.ones((9, 9), np.uint8))  # four pixels: the cloth stands off the skin
        assert ((cover > 0.9) & (near == 0)).sum() <= 3  # a pixel of an ear loop


def test_turns_with_the_picture(turned):
    done, _ = turned
    side = done.images.shape[-1]
    _, coverage = overlay(done.images, done.landmarks, generator=_generator())
    quarter = torch.stack([done.landmarks[..., 1], side - 1 - done.landmarks[..., 0]], -1)
    _, turned_coverage = overlay(done.images.rot90(1, (2, 3)), quarter, generator=_generator())
    back = turned_coverage.rot90(-1, (1, 2))
    assert (back - coverage).abs().mean() < 0.002
    assert ((back > 0.5) != (coverage > 0.5)).float().mean() < 0.004


def test_moves_with_the_landmarks_by_whole_pixels(turned):
    done, _ = turned
    shift = torch.tensor([3.0, 2.0])
    inner = (slice(None), slice(2, None), slice(3, None))
    flat = torch.full_like(done.images, 0.5)
    _, coverage = overlay(flat, done.landmarks, generator=_generator())
    _, moved = overlay(flat, done.landmarks + shift, generator=_generator())
    torch.testing.assert_close(moved[inner], coverage[:, :-2, :-3], atol=2e-3, rtol=0)


def test_the_first_of_a_longer_batch_are_the_same(turned):
    done, _ = turned
    whole, _ = overlay(done.images, done.landmarks, generator=_generator(4))
    part, _ = overlay(done.images[:7], done.landmarks[:7], generator=_generator(4))
    torch.testing.assert_close(part, whole[:7], atol=1e-4, rtol=0)
    other, _ = overlay(done.images[:7], done.landmarks[:7], generator=_generator(5))
    assert (other - part).abs().mean() > 0.01


def test_grey_is_the_colours_brightness(turned):
    done, _ = turned
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    grey = (done.images * weights).sum(1, keepdim=True)
    colour, first = overlay(grey.expand(-1, 3, -1, -1), done.landmarks, generator=_generator())
    single, second = overlay(grey, done.landmarks, generator=_generator())
    torch.testing.assert_close(first, second)
    torch.testing.assert_close((colour * weights).sum(1, keepdim=True), single, atol=0.06, rtol=0)


def test_the_mouth_does_not_show_through():
    landmarks = _front()
    image = torch.full((1, 1, 96, 96), 0.6)
    smile = image.clone()
    left, top = landmarks[0, 48].round().long()
    right, bottom = landmarks[0, 54, 0].round().long(), landmarks[0, 57, 1].round().long()
    smile[:, :, top - 3 : bottom + 3, left:right] = 0.05  # an open mouth, all dark
    (one, coverage), (other, _) = (
        overlay(p, landmarks, generator=_generator(), kinds=["surgical"]) for p in (image, smile)
    )
    change = (one - other).abs()[:, 0][coverage > 0.99]
    assert change.max() < 0.12  # of .55 below
    assert change.std() < 0.05


def test_light_from_one_side_falls_on_the_mask():
    landmarks = _front()
    slope = torch.linspace(0.75, 0.25, 96).expand(1, 1, 96, 96)
    for image, sign in ((slope, 1), (slope.flip(3), -1)):
        masked, coverage = overlay(image, landmarks, generator=_generator(2), kinds=["ffp2"])
        columns = torch.arange(96)
        left = (coverage[0] > 0.99) & (columns < 42)
        right = (coverage[0] > 0.99) & (columns > 54)
        gap = masked[0, 0][left].mean() - masked[0, 0][right].mean()
        assert sign * gap > 0.1


def test_darker_pictures_have_darker_masks():
    landmarks = _front()
    values = []
    for level in (0.2, 0.5, 0.8):
        image = torch.full((1, 1, 96, 96), level)
        masked, coverage = overlay(image, landmarks, generator=_generator(2), kinds=["ffp2"])
        values.append(masked[0, 0][coverage[0] > 0.99].mean().item())
    assert values[0] < values[1] < values[2]
    assert values[2] / values[0] < 4  # less than in proportion: dark may be the skin, not the light


def test_far_from_the_mask_nothing_changes(turned):
    done, _ = turned
    masked, coverage = overlay(done.images, done.landmarks, generator=_generator())
    near = F.max_pool2d(coverage[:, None], 15, stride=1, padding=7)
    far = (near == 0).expand_as(masked)
    assert torch.equal(masked[far], done.images[far])
    assert far.float().mean() > 0.3
    for values in (masked, coverage):
        assert values.min() >= 0
        assert values.max() <= 1


def test_kinds_are_drawn_evenly_and_differ():
    wear = draw_wear(3000, _generator())
    share = torch.bincount(wear.kind, minlength=3) / 3000
    assert (share - 1 / 3).abs().max() < 0.04
    assert len(torch.unique(wear.colour, dim=0)) > 20
    assert set(wear.pattern.tolist()) == {0, 1, 2, 3}
    assert torch.unique(wear.seed).numel() > 2900


def test_refuses_what_does_not_fit(turned):
    done, _ = turned
    with pytest.raises(ValueError, match=r"images must be floating-point .* got torch.uint8 \(45, 3, 96, 96"):
        overlay((done.images * 255).byte(), done.landmarks, generator=_generator())
    with pytest.raises(ValueError, match=r"landmarks must be of shape \(B, 68, 2\); got \(45, 5, 2\)"):
        overlay(done.images, done.landmarks[:, :5], generator=_generator())
    with pytest.raises(ValueError, match="landmarks must be one set an image; got 3 for 45"):
        overlay(done.images, done.landmarks[:3], generator=_generator())
    with pytest.raises(ValueError, match=r"kinds must be some of surgical, cloth, ffp2; got \['scarf'\]"):
        overlay(done.images, done.landmarks, generator=_generator(), kinds=["scarf"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cpu_equals_gpu(turned):
    done, _ = turned
    here, _ = overlay(done.images, done.landmarks, generator=_generator())
    there, _ = overlay(done.images.cuda(), done.landmarks.cuda(), generator=_generator())
    assert (there.cpu() - here).abs().mean() < 1e-3
