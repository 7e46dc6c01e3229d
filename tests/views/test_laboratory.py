"""The laboratory without a browser: moving a control changes face, landmarks and affect as it should."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from fer_lib.views.laboratory import laboratory, someone
from fer_lib.views.page_laboratory import emotions, numbers_of, page_laboratory, plane, record
from fer_lib.views.page_people import CAST, cast
from fer_lib.views.vector_face import outlines
from fer_lib.worlds import NUMBERS, affect, from_intensities, neutral_scene
from fer_lib.worlds.action_units import SIDED
from fer_lib.worlds.renderer import place_landmarks


@pytest.fixture(scope="module")
def lab():
    return laboratory(size=64)


@pytest.fixture(autouse=True)
def at_rest(lab):
    lab.controls["intensity"].value = 1.0
    for name, control in lab.controls.items():
        if name.split()[0].isdigit() or name in ("yaw", "pitch", "roll"):
            control.value = 0
    lab.controls["landmarks"].value = False


def shown(lab):
    return np.asarray(Image.open(io.BytesIO(lab.image.value))) / 255


def test_every_unit_has_its_sliders(lab):
    numbered = [name for name in lab.controls if name.split()[0].isdigit()]
    assert len(numbered) == len(NUMBERS) + len(SIDED)
    assert {int(name.split()[0]) for name in numbered} == set(NUMBERS)


def test_a_smile_raises_the_corners_and_the_valence(lab):
    before, points, valence = shown(lab), lab.points.clone(), lab.affect[0]
    lab.controls["12 left"].value = lab.controls["12 right"].value = 1.0
    assert (lab.points[[48, 54], 1] < points[[48, 54], 1] - 0.5).all()
    assert lab.affect[0] > valence + 0.5
    assert np.abs(shown(lab) - before).max() > 0.1
    expected = affect(from_intensities({12: 1.0}))
    np.testing.assert_allclose(lab.affect, [float(v) for v in expected], atol=1e-6)


def test_one_side_moves_alone(lab):
    points = lab.points.clone()
    lab.controls["12 right"].value = 1.0
    assert lab.points[54, 1] < points[54, 1] - 0.5
    assert torch.allclose(lab.points[48], points[48], atol=0.35)


def test_an_emotion_writes_its_units(lab):
    lab.controls["emotion"].value = "surprise"
    lab.controls["intensity"].value = 0.5
    assert lab.controls["1 left"].value == pytest.approx(0.425)
    assert lab.controls["12 left"].value == 0
    lab.controls["emotion"].value = "contempt"
    assert lab.controls["14 left"].value == 0 < lab.controls["14 right"].value
    lab.controls["emotion"].value = "neutral"


def test_turning_the_head_moves_the_nose_and_leaves_the_affect(lab):
    points, before = lab.points.clone(), lab.affect
    lab.controls["yaw"].value = 20
    eyes = lab.points[36:48, 0].mean() - points[36:48, 0].mean()
    nose = lab.points[30, 0] - points[30, 0]
    assert nose > eyes + 1
    assert lab.affect == before


def test_landmarks_are_drawn_only_when_wanted(lab):
    plain = shown(lab)
    lab.controls["landmarks"].value = True
    different = np.abs(shown(lab) - plain).max(-1) > 0.02
    near = {(int(y) + dy, int(x) + dx) for x, y in lab.points.round() for dy in (0, 1) for dx in (0, 1)}
    assert different.sum() > 60
    assert {tuple(map(int, p)) for p in np.argwhere(different)} <= near


def test_people_age_and_stay_themselves():
    young, old = someone(3, age=20, male=True, skin_tone=0.5), someone(3, age=80, male=True, skin_tone=0.5)
    assert float(young["eye_x"]) == float(old["eye_x"])
    assert float(old["old"]) > 0.9 > 0.1 > float(young["old"])
    dark = someone(3, age=20, male=True, skin_tone=1.0)
    assert float(dark["skin"].mean()) < float(young["skin"].mean())


def test_the_snapshot_holds_face_landmarks_and_point(lab):
    lab.controls["12 left"].value = 1.0
    _, dots, plane_axes = lab.figure().axes
    assert len(dots.collections[0].get_offsets()) == 68
    np.testing.assert_allclose(plane_axes.collections[-1].get_offsets()[0], lab.affect)


# ---- what is written into pages ---


@pytest.fixture(scope="module")
def recorded():
    people = cast()
    traits = [name for name, value in people.traits.items() if value.dim() == 1]
    return people, record(people.take(torch.tensor([0])), traits)


@pytest.mark.parametrize("k", range(len(CAST)))
def test_the_programs_repeat_the_face_world(recorded, k):
    people, found = recorded
    person = people.take(torch.tensor([k]))
    units = torch.rand(1, len(NUMBERS), 2, generator=torch.Generator().manual_seed(k))
    angles = (25.0 - 10 * k, 6.0 * k - 15, 4.0 * k - 10)
    out = found["sketch"].run(numbers_of(person, units, angles))
    shape = out[found["shape"] :]
    start, count = found["strokes"]
    strokes = np.array(out[start : start + 5 * count]).reshape(5, count)
    points, _ = outlines(person, units, torch.tensor(angles))
    for name in ("landmarks", "brow_top-", "lip_low", "hairline"):
        start, count = found["skin"][name]
        for (x, y, raised), expected in zip(
            np.reshape(out[start : start + 3 * count], (-1, 3)), points[name], strict=True
        ):
            amount, x0, y0, wide, tall = strokes
            height = raised * (amount * np.exp(-(((x - x0) / wide) ** 2) - ((y - y0) / tall) ** 2)).sum()
            pixel = found["place"].run([*shape, *angles, x, y, height])
            np.testing.assert_allclose(pixel, expected, atol=0.01)
    start, _ = found["levels"]["affect"]
    np.testing.assert_allclose(out[start : start + 2], torch.cat(affect(units)), atol=1e-4)
    scene = neutral_scene(yaw_deg=angles[0], pitch_deg=angles[1], roll_deg=angles[2])
    rendered = place_landmarks(person, units, scene, size=256)[0]
    np.testing.assert_allclose(points["landmarks"], rendered, atol=0.01)


def test_the_cast_fits_its_descriptions():
    people = dict(zip(CAST, range(len(CAST)), strict=True))
    found = cast()
    assert found["age"][people["Juno"]] < 14
    assert found["age"][people["Ilse"]] > 65
    assert found["bald"][people["Otto"]] == 1
    assert found["beard"][people["Ravi"]] > 0.4
    assert float(found["skin_tone"][people["Kofi"]]) > 0.7


def test_emotions_and_their_names_stay_apart():
    entries = {entry["name"]: entry for entry in emotions()}
    assert entries["happiness"]["at"][0] > 0.5
    assert all(left == 0 for _, left, _ in entries["contempt"]["variants"][0])
    labels = [entry["label"] for entry in entries.values()]
    for i, a in enumerate(labels):
        assert all(abs(a[0] - b[0]) > 0.4 or abs(a[1] - b[1]) > 0.1 for b in labels[:i])


def test_faces_of_the_plane_are_read_where_they_lie():
    right = max(plane(), key=lambda cell: cell["at"][0])
    units = from_intensities({})
    for k, value in zip(right["units"][::2], right["units"][1::2], strict=True):
        units[0, k] = value / 100
    assert float(affect(units)[0]) > 0.7


def test_the_page_is_whole_and_asks_nobody():
    page = page_laboratory().page()
    assert "</html>" in page
    assert len(page) < 600_000
    for wanted in ("http://", "https://", "fetch(", "import("):
        assert wanted not in page.replace("http://www.w3.org/2000/svg", "")
