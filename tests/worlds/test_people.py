"""People: reproducible, varied, and as their traits say."""

import pytest
import torch

from fer_lib.worlds import from_intensities, neutral_scene, render, sample_people


def test_the_same_seed_gives_the_same_people():
    first, again, other = sample_people(50, seed=1), sample_people(50, seed=1), sample_people(50, seed=2)
    assert all(torch.equal(first[name], again[name]) for name in first.traits)
    assert not torch.equal(first["width"], other["width"])


def test_traits_cover_their_range_and_skin_does_not_follow_age_or_sex():
    people = sample_people(4000, seed=0)
    assert people["skin_tone"].min() < 0.02
    assert people["skin_tone"].max() > 0.98
    assert people["age"].min() < 7
    assert people["age"].max() > 80
    for other in ("age", "male", "mouth_w", "eye_open"):
        r = torch.corrcoef(torch.stack([people["skin_tone"], people[other]]))[0, 1]
        assert abs(r) < 0.06  # four standard errors
    children = people["age"] < 13
    assert people["beard"][children].max() == 0
    assert people["eye_w"][children].mean() > people["eye_w"][~children].mean()


def test_gains_and_habits_stay_in_their_range():
    people = sample_people(500, seed=0)
    assert people["gain"].shape == people["habit"].shape == (500, 20)
    assert 0.8 < people["gain"].min() <= people["gain"].max() < 1.3
    assert people["habit"].min() == 0
    assert people["habit"].max() <= 0.35


def test_darker_skin_gives_darker_faces():
    people = sample_people(1, seed=4)
    units, scene = from_intensities({}), neutral_scene(1)
    tones = []
    for level in (1.0, 0.4, 0.15):
        traits = {**people.traits, "skin": people["skin"] * level}
        face = render(type(people)(traits), units, scene, size=64).images[:, :, 34:44, 22:42]
        tones.append(float(face.mean()))
    assert tones[0] > tones[1] > tones[2]


def test_traits_can_be_set_and_unknown_ones_are_refused():
    people = sample_people(3, seed=0).with_traits(glasses=1.0)
    assert people["glasses"].tolist() == [1.0] * 3
    with pytest.raises(ValueError, match=r"traits must be known names; got \['hat'\]"):
        people.with_traits(hat=1.0)
    with pytest.raises(ValueError, match="count must be at least 1; got 0"):
        sample_people(0, seed=0)
    with pytest.raises(ValueError, match=r"ages must be \(youngest, oldest\); got \(40, 20\)"):
        sample_people(2, seed=0, ages=(40, 20))
