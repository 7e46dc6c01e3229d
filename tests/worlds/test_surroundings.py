"""Round the face: hair, headwear, glasses, things in the way, lamps; they cover what they say, only that."""

from dataclasses import replace

import pytest
import torch

from fer_lib.worlds import SceneStyle, from_intensities, neutral_scene, render, sample_people, sample_scene
from fer_lib.worlds.backdrop import PLACES, PLAIN, paint_backdrop
from fer_lib.worlds.scene import HEADWEAR, OCCLUDERS

SIZE = 96


def adults(count=12, seed=0, **traits):
    plain = {
        "glasses": 0.0,
        "bald": 0.0,
        "fringe": 0.0,
        "beard": 0.0,
        "moustache": 0.0,
        "curl": 0.0,
        "crop": 0.0,
    }
    return sample_people(count, seed=seed, ages=(20.0, 60.0)).with_traits(**{**plain, **traits})


def shot(people, *, units=None, size=SIZE, **changes):
    scene = neutral_scene(len(people), scale=0.9)
    scene = replace(scene, **{k: v.expand_as(getattr(scene, k)) for k, v in changes.items()})
    return render(people, from_intensities(units or {}, batch=len(people)), scene, size=size)


def changed(before, after, by=0.02):
    return (before.images - after.images).abs().amax(1) > by


def near(points, reach):
    """Pixels (B,S,S) within ``reach`` face units of any of the points (B,P,2)."""
    line = torch.arange(SIZE, dtype=torch.float32)
    dx = line[None, None, None, :] - points[..., 0, None, None]
    dy = line[None, None, :, None] - points[..., 1, None, None]
    return (torch.hypot(dx, dy) * 2 / SIZE / 0.9 < reach).any(1)


def kind(name):
    return torch.tensor(OCCLUDERS.index(name))


@pytest.mark.parametrize(
    ("name", "parts", "reach", "free"),
    [
        ("hand at the chin", [7, 8, 9], 0.2, list(range(17, 48))),
        ("hand at the cheek", [3, 4, 5, 11, 12, 13], 0.2, [27, 28, 29, 21, 22]),
        ("microphone", [57, 8], 0.3, list(range(17, 48))),
        ("cup", [57, 8], 0.3, list(range(17, 48))),
    ],
)
def test_things_lie_where_they_say_and_leave_the_rest(name, parts, reach, free):
    people = adults()
    before, after = shot(people), shot(people, occluder=kind(name))
    mask = changed(before, after)
    assert (mask & near(before.landmarks[:, parts], reach)).flatten(1).sum(1).min() > 25
    assert not (mask & near(before.landmarks[:, free], 0.04)).any()
    assert 0.01 < mask.float().mean() < 0.25
    assert torch.equal(before.landmarks, after.landmarks)


def test_sunglasses_darken_both_eyes_and_nothing_below_the_nose():
    people = adults(texture=0.07)
    before, after = shot(people), shot(people, occluder=kind("sunglasses"))
    eyes = before.regions[:, 0] > 0.9
    for picture in range(len(people)):
        assert after.images[picture].mean(0)[eyes[picture]].mean() < 0.35
    mask = changed(before, after)
    below = torch.arange(SIZE)[None, :, None] > before.landmarks[:, 33, 1, None, None]
    assert not (mask & below).any()


def test_a_strand_falls_over_one_eye_only():
    people = adults(sweep=1.0)
    before, after = shot(people), shot(people, occluder=kind("strand of hair"))
    mask = changed(before, after).float()
    nose = before.landmarks[:, 27, 0, None, None]
    side = torch.arange(SIZE)[None, None, :] < nose
    left, right = (mask * side).sum((1, 2)), (mask * ~side).sum((1, 2))
    assert (torch.minimum(left, right) < 0.25 * torch.maximum(left, right)).all()
    eyes = (before.regions[:, 0] > 0.5) & (mask > 0)
    assert (eyes.sum((1, 2)) > 0).float().mean() > 0.7


def test_a_cap_as_occluder_sits_lower_than_a_cap_worn():
    people = adults()
    bare = shot(people)
    worn = changed(bare, shot(people, headwear=torch.tensor(HEADWEAR.index("cap"))))
    low = changed(bare, shot(people, occluder=kind("cap")))
    lowest = [(m * torch.arange(SIZE)[:, None]).flatten(1).amax(1).float().mean() for m in (worn, low)]
    assert lowest[1] > lowest[0] + 2
    assert not (low & (torch.arange(SIZE)[None, :, None] > bare.landmarks[:, 30, 1, None, None])).any()


def test_a_headscarf_hides_hair_and_ears_and_leaves_the_face():
    people = adults(hair_length=-0.1)
    bare = shot(people)
    scarf = shot(people, headwear=torch.tensor(HEADWEAR.index("headscarf")))
    face = near(bare.landmarks[:, 17:], 0.05)
    assert (changed(bare, scarf, 0.1) & face).float().sum() < 0.02 * face.sum()
    assert changed(bare, scarf).flatten(1).float().mean(1).min() > 0.1


@pytest.mark.parametrize("length", [-0.2, 1.4])
def test_hair_stays_off_eyes_and_mouth_without_a_fringe(length):
    red = adults(24, hair_length=length, hair_volume=0.14, hair=torch.tensor([0.6, 0.0, 0.0]))
    blue = red.with_traits(hair=torch.tensor([0.0, 0.0, 0.6]))  # as bright to the exposure meter
    first, second = shot(red), shot(blue)
    assert torch.equal(first.landmarks, second.landmarks)
    hair = (first.images - second.images).abs().amax(1) > 0.05
    features = (first.regions[:, [0, 3]] > 0.3).any(1)
    assert hair.flatten(1).float().mean(1).min() > 0.04  # there is hair,
    assert not (hair & features).any()  # and it is elsewhere


def test_a_fringe_hangs_lower_and_a_bald_head_shows_its_skin():
    dark = {"hair": torch.zeros(3), "skin": torch.full((3,), 0.5)}
    images = [shot(adults(**dark, **more)).images.mean(1) for more in ({}, {"fringe": 1.0}, {"bald": 1.0})]
    points = shot(adults(**dark)).landmarks
    brow = points[:, 17:27, 1].mean(1)
    forehead = [
        torch.stack([image[b, int(brow[b]) - 12 : int(brow[b]) - 5, 40:56].mean() for b in range(12)])
        for image in images
    ]
    assert (forehead[1] < forehead[0] - 0.05).float().mean() > 0.8
    crown = [torch.stack([i[b, 8:14, 44:52].mean() for b in range(12)]) for i in images]
    assert (crown[2] > crown[0] + 0.15).all()


@pytest.mark.parametrize("azimuth", [-80.0, 80.0])
def test_the_second_lamp_brightens_the_side_it_comes_from(azimuth):
    people = adults()
    changes = {"second_azimuth_deg": torch.tensor(azimuth), "light_azimuth_deg": torch.tensor(0.0)}
    off, on = (shot(people, second_key=torch.tensor(key), **changes) for key in (0.0, 0.8))
    gain = (on.images - off.images).mean(1)
    left, right = gain[:, 40:66, :40].mean((1, 2)), gain[:, 40:66, 56:].mean((1, 2))
    lit, other = (left, right) if azimuth < 0 else (right, left)
    assert (lit > 2 * other.abs() + 0.01).all()
    assert (gain > -0.01).all()


def test_glasses_are_worn_over_the_eyes_by_those_who_have_them():
    people = adults(frame_dark=1.0)
    before, after = shot(people), shot(people.with_traits(glasses=1.0))
    mask = changed(before, after, 0.01)
    assert (mask & near(before.landmarks[:, 36:48], 0.25)).flatten(1).sum(1).min() > 30
    assert not (mask & near(before.landmarks[:, 48:], 0.05)).any()


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_a_turned_head_shows_its_near_ear_and_hides_the_far_one(yaw):
    people = adults(hair_length=-0.2, tied=0.0)
    small, large = (shot(people.with_traits(ear=e), yaw_deg=torch.tensor(yaw)) for e in (0.8, 1.2))
    mask = changed(small, large).float().sum(1)  # by column
    nose = small.landmarks[:, 30, 0]
    left = torch.stack([mask[b, : int(nose[b])].sum() for b in range(len(people))])
    right = mask.sum(1) - left
    near, far = (right, left) if yaw < 0 else (left, right)
    assert (near > 15).all()
    assert (far < 0.3 * near).all()


def test_every_place_looks_different_and_walls_are_even():
    style = torch.full((len(PLACES), 8), 0.4)
    walls = paint_backdrop(torch.arange(len(PLACES)), style, 64).clamp(0, 4).sqrt()
    rough = walls.diff(dim=-1).abs().mean((1, 2, 3))
    assert rough[:PLAIN].max() < 0.5 * rough[PLAIN:].min()
    apart = torch.cdist(walls.flatten(1), walls.flatten(1)) + 1e3 * torch.eye(len(PLACES))
    assert apart.min() > 2


def test_a_face_does_not_depend_on_its_neighbours_with_everything_on():
    style = SceneStyle(
        yaw_deg=20, pitch_deg=12, roll_deg=15, occluder=0.9, headwear=0.6, second_light=0.8, motion=0.5,
        blur=(0.0, 2.0), compression=(0.0, 0.9), vignette=(0.2, 0.6),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(5)
    people = sample_people(24, seed=5).with_traits(glasses=(torch.arange(24) % 2).float())
    units = torch.rand(24, 20, 2, generator=generator) * 0.6
    scene = sample_scene(24, generator, style)
    together = render(people, units, scene, size=64)
    assert len(scene.occluder.unique()) > 5
    order = torch.randperm(24, generator=generator)
    mixed = render(people.take(order), units[order], scene.take(order), size=64)
    assert torch.allclose(together.images[order], mixed.images, atol=2e-3)
    for k in range(0, 24, 5):
        one = torch.tensor([k])
        alone = render(people.take(one), units[one], scene.take(one), size=64)
        assert (alone.images[0] - together.images[k]).abs().mean() < 1e-4
        assert torch.allclose(alone.landmarks[0], together.landmarks[k], atol=1e-3)
