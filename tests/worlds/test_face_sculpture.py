"""The sculpted face: strokes in plain loops, lines of sight by brute force, shadows."""

import math

import pytest
import torch

from fer_lib.worlds import from_intensities, neutral_scene, sample_people
from fer_lib.worlds.geometry import HeadShape, Pose, project, unproject
from fer_lib.worlds.layout import arrange
from fer_lib.worlds.light import Light, to_face
from fer_lib.worlds.relief import carve
from fer_lib.worlds.sculpt import Strokes, blur, canvas_for, look_up, places
from fer_lib.worlds.surface import build, cast_shadow, illuminate, trace

PEOPLE = sample_people(2, seed=3)
SHAPE = HeadShape(*(torch.full((2, 1, 1), value) for value in (0.62, 1.0, 1.0, 0.15, 2.8)))
SIZE = 96


def pose(yaw=0.0, pitch=0.0, roll=0.0):
    turned = [torch.full((2,), math.radians(angle)) for angle in (yaw, pitch, roll)]
    return Pose(*turned, torch.full((2,), 0.85), torch.zeros(2), torch.zeros(2))


def surface(size=SIZE, **units):
    face = arrange(PEOPLE, from_intensities({int(k[2:]): v for k, v in units.items()}, batch=2))
    strokes = carve(PEOPLE, face)
    return strokes, build(strokes, SHAPE, size)


def test_strokes_in_plain_loops():
    strokes = Strokes(torch.zeros(2, 1))
    strokes.add(0.5, 0.1, torch.tensor([[-0.2], [0.3]]), 0.3, 0.2)
    strokes.pair(torch.tensor([[1.0, 2.0], [0.0, -1.0]]), 0.4, 0.1, 0.25, 0.3)
    canvas = canvas_for(96, torch.device("cpu"))
    drawn = strokes.on(canvas)
    step_x, step_y = canvas.steps
    listed = (
        ((0.5, 0.1, -0.2, 0.3, 0.2), (1.0, -0.4, 0.1, 0.25, 0.3), (2.0, 0.4, 0.1, 0.25, 0.3)),
        ((0.5, 0.1, 0.3, 0.3, 0.2), (0.0, -0.4, 0.1, 0.25, 0.3), (-1.0, 0.4, 0.1, 0.25, 0.3)),
    )
    for b, i, j in ((0, 40, 20), (0, 61, 50), (1, 52, 33), (1, 70, 8)):
        x, y = float(canvas.x[j]), float(canvas.y[i])
        smooth = exact = 0.0
        for amount, x0, y0, wide, tall in listed[b]:
            broad, high = math.hypot(wide, 0.55 * step_x), math.hypot(tall, 0.55 * step_y)
            scale = amount * wide * tall / (broad * high)
            smooth += scale * math.exp(-(((x - x0) / broad) ** 2) - ((y - y0) / high) ** 2)
            exact += amount * math.exp(-(((x - x0) / wide) ** 2) - ((y - y0) / tall) ** 2)
        assert float(drawn[b, i, j]) == pytest.approx(smooth, abs=1e-5)
        here = strokes.at(torch.full((2, 1, 1), x), torch.full((2, 1, 1), y))
        assert float(here[b]) == pytest.approx(exact, abs=1e-5)


def test_looking_up_a_canvas_finds_what_lies_there():
    canvas = canvas_for(64, torch.device("cpu"))
    plane = 2 * canvas.x[None, :] - 3 * canvas.y[:, None]
    x, y = torch.tensor([[[-0.7, 0.0, 0.31]]]), torch.tensor([[[-0.9, 0.2, 1.3]]])
    found = look_up(plane[None, None], places(x, y))
    assert torch.allclose(found[0], 2 * x[0] - 3 * y[0], atol=1e-4)


def test_blurring_keeps_an_even_face_and_flattens_a_spot():
    canvas = canvas_for(64, torch.device("cpu"))
    spot = torch.zeros(1, len(canvas.y), len(canvas.x))
    spot[0, 30, 20] = 1.0
    soft = blur(spot, canvas, 0.06)
    assert float(soft.sum()) == pytest.approx(1.0, rel=0.02)
    assert soft.max() < 0.2
    even = torch.full_like(spot, 0.7)
    assert torch.allclose(blur(even, canvas, 0.06), even, atol=1e-5)


def test_normals_have_length_one_and_hollows_are_where_faces_have_them():
    _, made = surface()
    length = sum(part**2 for part in made.normal)
    assert torch.allclose(length, torch.ones_like(length), atol=1e-4)
    seen = look_up(
        torch.stack([made.normal[2], made.hollow], 1),
        places(torch.tensor([[[0.0, 0.14, 0.40]]] * 2), torch.tensor([[[-0.45, 0.0, 0.2]]] * 2)),
    )[:, :, 0]
    assert (seen[:, 0, 0] > 0.9).all()  # the forehead faces the camera
    assert (seen[:, 1, 1] < 0.85).all()  # light hardly reaches the inner corner of the eye,
    assert (seen[:, 1, 2] > 0.95).all()  # but all of the cheek


@pytest.mark.parametrize("turn", [(0, 0, 0), (25, -10, 0), (-40, 12, 20)])
def test_lines_of_sight_stop_at_the_first_skin_they_meet(turn):
    _, made = surface()
    where = pose(*turn)
    frame = unproject(where, SHAPE, SIZE)
    x0, y0 = frame.x.clone(), frame.y.clone()
    trace(frame, where, made)
    ax, ay, az = to_face(where, torch.tensor([[0.0, 0.0, 1.0]] * 2))
    smooth = look_up((made.depth - made.height).unsqueeze(1), places(x0, y0)).squeeze(1)
    best, open_ = torch.full_like(x0, -0.1), torch.ones_like(x0, dtype=torch.bool)
    for k in range(400):  # the same in very small steps
        h = 0.6 - 0.7 * k / 399
        x, y = x0 + h * ax / az, y0 + h * ay / az
        hit = (look_up(made.depth.unsqueeze(1), places(x, y)).squeeze(1) >= smooth + h) & open_
        best, open_ = torch.where(hit, h, best), open_ & ~hit
    inside = (frame.outside < -0.1) & (y0 < 0.8) & (y0 > -0.6)
    error = torch.hypot(frame.x - x0 - best * ax / az, frame.y - y0 - best * ay / az)[inside]
    assert (error < 0.03).float().mean() > 0.96
    assert error.mean() < 0.012


def test_what_a_pixel_sees_projects_back_to_it_where_nothing_is_in_the_way():
    strokes, made = surface()
    where = pose(15, 5, -8)
    frame = unproject(where, SHAPE, SIZE)
    trace(frame, where, made)
    clear = (frame.outside < -0.15) & (frame.y.abs() < 0.6) & (frame.front > 0.4)
    for b in range(2):
        rows, columns = torch.nonzero(clear[b], as_tuple=True)
        x, y = (values[b][clear[b]][None, :, None].expand(2, -1, 1) for values in (frame.x, frame.y))
        px, py = project(where, SHAPE, x, y, strokes.at(x, y), SIZE)
        assert len(rows) > 500
        assert (torch.hypot(px[b] - columns, py[b] - rows) < 1.0).float().mean() > 0.95


def test_a_nose_shades_the_cheek_away_from_the_lamp():
    _, made = surface()
    beside = places(torch.tensor([[[-0.13, 0.13]]] * 2), torch.tensor([[[0.25, 0.25]]] * 2))
    flat = math.cos(math.radians(15))
    for side in (-1, 1):
        lamp = torch.tensor(
            [[side * math.sin(math.radians(60)) * flat, -math.sin(math.radians(15)), 0.5 * flat]] * 2
        )
        reach = look_up(cast_shadow(made, to_face(pose(), lamp)).unsqueeze(1), beside)[:, 0, 0]
        towards, away = (reach[:, 0], reach[:, 1]) if side < 0 else (reach[:, 1], reach[:, 0])
        assert (away < 0.6 * towards).all()
    ahead = cast_shadow(made, to_face(pose(), torch.tensor([[0.0, 0.0, 1.0]] * 2)))
    assert ahead.mean() > 0.97


def lit(light, where):
    _, made = surface(64)
    return illuminate(made, light, where, torch.ones_like(made.height))


def test_a_second_lamp_adds_its_light_and_one_without_power_nothing():
    first = {
        "direction": torch.tensor([[-0.6, -0.3, 0.74]] * 2), "key": torch.full((2, 3), 0.8),
        "ambient": torch.full((2, 3), 0.3),
    }  # fmt: skip
    right = torch.tensor([[0.8, 0.0, 0.6]] * 2)
    one = lit(Light(**first), pose())
    none = lit(Light(**first, second_direction=right, second=torch.zeros(2, 3)), pose())
    two = lit(Light(**first, second_direction=right, second=torch.full((2, 3), 0.5)), pose())
    assert torch.allclose(one, none)
    gain, half = (two - one)[:, :3], one.shape[-1] // 2
    assert gain.min() >= -1e-5
    assert gain[..., half:].mean() > 2 * gain[..., :half].mean()


def test_a_lamp_that_turns_with_the_head_lights_the_same_skin():
    straight = torch.tensor([[0.0, -0.6, 0.8]] * 2)
    angle = math.radians(25)
    tilted = torch.tensor([[0.6 * math.sin(angle), -0.6 * math.cos(angle), 0.8]] * 2)
    colours = {"key": torch.full((2, 3), 0.8), "ambient": torch.zeros(2, 3)}
    plain = lit(Light(direction=straight, **colours), pose())
    rolled = lit(Light(direction=tilted, **colours), pose(roll=25))
    assert torch.allclose(plain, rolled, atol=1e-5)


def test_a_smile_lifts_the_cheeks_and_a_frown_furrows_the_brow():
    rest, smile, frown = (
        surface(SIZE, **units)[1].height for units in ({}, {"au12": 1.0, "au6": 1.0}, {"au4": 1.0})
    )
    canvas = canvas_for(SIZE, torch.device("cpu"))

    def box(height, x, y):
        columns, rows = (canvas.x.abs() - x).abs() < 0.05, (canvas.y - y).abs() < 0.05
        return height[:, rows][:, :, columns].mean((1, 2))

    assert (box(smile, 0.32, 0.24) > box(rest, 0.32, 0.24) + 0.01).all()
    middle = (canvas.y > -0.2) & (canvas.y < -0.08)
    rough = [
        height[:, middle][:, :, canvas.x.abs() < 0.10].diff(dim=2).abs().mean((1, 2))
        for height in (rest, frown)
    ]
    assert (rough[1] > 1.3 * rough[0]).all()


def test_neutral_scene_has_one_lamp_or_a_second_without_power():
    light = neutral_scene(2).light()
    assert light.second is None or float(light.second.abs().sum()) == 0.0
