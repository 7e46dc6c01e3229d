"""Scenes: drawn within their cuts, the second lamp, posed pictures, shares of what is worn or in the way."""

import pytest
import torch

from fer_lib.worlds import SceneStyle, neutral_scene, sample_scene
from fer_lib.worlds.backdrop import PLACES, PLAIN
from fer_lib.worlds.scene import HEADWEAR, OCCLUDERS, direction


def scenes(count=4000, seed=0, **style):
    return sample_scene(count, torch.Generator().manual_seed(seed), SceneStyle(**style))


def test_turns_are_cut_and_do_not_pile_up_at_the_cut():
    wide = scenes(yaw_deg=20, pitch_deg=15, roll_deg=30)
    for angle, cut in ((wide.yaw_deg, 40), (wide.pitch_deg, 25), (wide.roll_deg, 30)):
        assert angle.abs().max() <= cut
        assert angle.abs().max() > 0.95 * cut
        assert ((angle.abs() > 0.99 * cut).float().mean()) < 0.02
        assert abs(float(angle.mean())) < 1.5
    narrow = scenes(yaw_deg=5)
    assert narrow.yaw_deg.abs().max() <= 10
    assert narrow.yaw_deg.std() == pytest.approx(5 * 0.88, rel=0.05)  # a normal cut at two deviations


def test_shares_are_those_of_the_style():
    drawn = scenes(second_light=0.4, occluder=0.2, headwear=0.1, motion=0.3)
    for shown, share in (
        (drawn.second_key > 0, 0.4),
        (drawn.occluder > 0, 0.2),
        (drawn.headwear > 0, 0.1),
        (drawn.motion.abs().amax(1) > 0, 0.3),
    ):
        assert float(shown.float().mean()) == pytest.approx(share, abs=0.03)
    assert sorted(drawn.occluder.unique().tolist()) == list(range(len(OCCLUDERS)))
    assert sorted(drawn.headwear.unique().tolist()) == list(range(len(HEADWEAR)))
    assert not scenes(occluder=0.0).occluder.any()
    assert not scenes(compression=(0.0, 0.0)).compression.any()


def test_posed_pictures_are_taken_in_a_studio():
    posed, free = scenes(posed=True, occluder=0.5, headwear=0.5), scenes()
    assert (posed.place < PLAIN).all()
    assert (free.place >= PLAIN).float().mean() > 0.4
    assert not posed.occluder.any()
    assert not posed.headwear.any()
    for name in ("yaw_deg", "pitch_deg", "roll_deg", "gaze", "light_azimuth_deg", "exposure"):
        assert getattr(posed, name).std() < 0.5 * getattr(free, name).std()


def test_lamps_point_where_they_stand():
    right, above, front = direction(torch.tensor([90.0, 0.0, 0.0]), torch.tensor([0.0, 90.0, 0.0]))
    assert torch.allclose(right, torch.tensor([1.0, 0.0, 0.0]), atol=1e-6)
    assert torch.allclose(above, torch.tensor([0.0, -1.0, 0.0]), atol=1e-6)
    assert torch.allclose(front, torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    light = scenes(300).light()
    assert torch.allclose(light.second_direction.norm(dim=1), torch.ones(300), atol=1e-5)
    assert (light.second[scenes(300).second_key == 0] == 0).all()


def test_the_same_seed_draws_the_same_scenes_and_take_takes_them():
    first, again = scenes(50, seed=3), scenes(50, seed=3)
    index = torch.tensor([7, 2, 2])
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
        assert torch.equal(getattr(first.take(index), name), value[index]), name


def test_a_neutral_scene_takes_light_and_background():
    scene = neutral_scene(2, light_azimuth_deg=50, light_elevation_deg=10, background="leaves")
    assert scene.light_azimuth_deg.tolist() == [50.0, 50.0]
    assert scene.light_elevation_deg.tolist() == [10.0, 10.0]
    assert scene.place.tolist() == [PLACES.index("leaves")] * 2
    assert all(len(value) == 2 for value in vars(scene).values())
    with pytest.raises(ValueError, match=r"background must be one of .*; got 'moon'\. Choose one of these\."):
        neutral_scene(background="moon")
