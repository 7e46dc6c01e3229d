"""Action units: names, prototypes, and what each one does to the landmarks and to the pixels."""

import pytest
import torch

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds import (
    EMOTIONS,
    NUMBERS,
    PROTOTYPES,
    from_intensities,
    neutral_scene,
    prototype_table,
    sample_people,
)
from fer_lib.worlds import render as render_faces

SIZE = 128
PEOPLE = sample_people(6, seed=11).with_traits(glasses=0.0, beard=0.0, moustache=0.0, fringe=0.0)


def shown(units):
    return render_faces(PEOPLE, units, neutral_scene(6), size=SIZE)


@pytest.fixture(scope="module")
def rest():
    return shown(from_intensities({}, batch=6))


@pytest.fixture(scope="module")
def moved():
    return {number: shown(from_intensities({number: 1.0}, batch=6)) for number in NUMBERS}


def test_prototypes_use_known_units_and_the_emotions_of_affectnet():
    assert set(EMOTIONS) == set(VOCABULARIES["affectnet"])
    for emotion, variants in PROTOTYPES.items():
        table = prototype_table(emotion)
        assert len(table) == len(variants)
        for row, variant in zip(table, variants, strict=True):
            assert {n: round(float(v), 6) for n, v in zip(NUMBERS, row, strict=True) if v} == variant


# landmark, axis, direction (rows grow downwards), and how far at least, in pixels of a 128 pixel face
EFFECTS = {
    1: (21, 1, -1, 2.0),
    2: (17, 1, -1, 2.0),
    4: (21, 1, 1, 1.5),
    5: (37, 1, -1, 0.9),
    6: (41, 1, -1, 0.4),
    7: (41, 1, -1, 0.4),
    9: (33, 1, -1, 0.7),
    10: (51, 1, -1, 1.0),
    12: (48, 1, -1, 3.0),
    14: (48, 1, -1, 0.3),
    15: (48, 1, 1, 2.0),
    17: (57, 1, -1, 0.3),
    18: (48, 0, 1, 3.0),
    20: (48, 0, -1, 1.5),
    23: (48, 0, 1, 0.8),
    24: (57, 1, -1, 0.8),
    25: (66, 1, 1, 1.0),
    26: (8, 1, 1, 3.0),
    27: (8, 1, 1, 6.0),
    43: (37, 1, 1, 1.5),
}


@pytest.mark.parametrize("number", NUMBERS)
def test_each_unit_moves_its_landmark_the_right_way_on_everybody(number, rest, moved):
    point, axis, direction, least = EFFECTS[number]
    path = (moved[number].landmarks - rest.landmarks)[:, point, axis] * direction
    assert path.min() > least


def test_units_that_share_a_feature_keep_apart(rest, moved):
    brows = {n: (moved[n].landmarks - rest.landmarks)[:, :, 1].mean(0) for n in (1, 2)}
    assert abs(brows[1][17]) < 0.3 * abs(brows[1][21])  # AU 1 lifts the inner end,
    assert abs(brows[2][21]) < 0.3 * abs(brows[2][17])  # AU 2 the outer one
    closer = (moved[4].landmarks - rest.landmarks)[:, 21, 0]
    assert closer.min() > 0.5  # AU 4 also draws the brows together
    wider = moved[27].landmarks[:, 66, 1] - moved[27].landmarks[:, 62, 1]
    dropped = moved[26].landmarks[:, 66, 1] - moved[26].landmarks[:, 62, 1]
    assert (wider > 1.3 * dropped).all()


def test_closed_eyes_are_closed(rest, moved):
    def opening(done):
        return done.landmarks[:, [41, 40], 1].mean(1) - done.landmarks[:, [37, 38], 1].mean(1)

    assert (opening(rest) > 3).all()
    assert (opening(moved[43]) < 0.35 * opening(rest)).all()
    assert moved[43].regions[:, 0].sum() < 0.2 * rest.regions[:, 0].sum()


UPPER, LOWER = (1, 2, 4, 5, 7, 43), (14, 15, 17, 18, 20, 23, 24, 25)


@pytest.mark.parametrize("number", NUMBERS)
def test_pixels_change_only_where_the_unit_acts(number, rest, moved):
    change = (moved[number].images - rest.images).abs().amax(1)  # (B,S,S)
    rows = torch.arange(SIZE)[None, :, None]
    points = (
        torch.minimum(rest.landmarks, moved[number].landmarks),
        torch.maximum(rest.landmarks, moved[number].landmarks),
    )
    top = points[0][:, :, 1].amin(1)[:, None, None] - 0.30 * SIZE
    low = points[1][:, 8, 1][:, None, None] + 3
    if number in UPPER:
        low = points[1][:, 30, 1][:, None, None]  # the tip of the nose
    elif number in LOWER:
        top = points[0][:, 30, 1][:, None, None] - 2
    elif number in (26, 27):
        top = rest.landmarks[:, 28, 1][:, None, None]  # the jaw's edge, nothing at the eyes
    allowed = (rows >= top) & (rows <= low)
    assert change.mean() > 2e-4
    assert (change * ~allowed).sum() < 0.015 * change.sum()


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 7, 12, 14, 15, 20, 43])
def test_one_side_alone(number):
    units = from_intensities({number: 1.0}, batch=6)
    units[:, :, 0] = 0  # nothing on the image's left
    change = (shown(units).images - shown(torch.zeros_like(units)).images).abs().amax(1)
    middle = SIZE // 2
    assert change[..., : middle - 2].sum() < 0.12 * change[..., middle:].sum()


def test_bad_units_are_refused():
    with pytest.raises(ValueError, match=r"intensities must name action units; got 3\."):
        from_intensities({3: 0.5})
    with pytest.raises(ValueError, match=r"intensities must lie in \[0, 1\]; got 1.5 for AU 12"):
        from_intensities({12: 1.5})
    with pytest.raises(ValueError, match=r"emotion must be one of .*got 'joy'"):
        prototype_table("joy")
