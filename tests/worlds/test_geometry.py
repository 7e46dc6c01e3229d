"""The turned head: the way from a pixel to the skin and back, and limits that can be worked by hand."""

import math

import pytest
import torch

from fer_lib.worlds.draw import bump, cover, ellipse, noise, ramp
from fer_lib.worlds.geometry import DEPTH, HeadShape, Pose, anchor, project, unproject

SIZE = 96


def head(batch=1, **changes):
    values = {"width": 0.62, "top": 1.0, "chin": 1.0, "taper": 0.15, "jaw": 2.8} | changes
    return HeadShape(**{k: torch.full((batch, 1, 1), float(v)) for k, v in values.items()})


def pose(yaw=0.0, pitch=0.0, roll=0.0, scale=0.8, x=0.0, y=0.0):
    turned = [torch.tensor([math.radians(a)]) for a in (yaw, pitch, roll)]
    return Pose(*turned, *(torch.tensor([float(v)]) for v in (scale, x, y)))


@pytest.mark.parametrize("yaw", [-40, -15, 0, 25])
@pytest.mark.parametrize("pitch", [-20, 0, 15])
@pytest.mark.parametrize("roll", [-20, 10])
def test_projecting_what_a_pixel_shows_leads_back_to_the_pixel(yaw, pitch, roll):
    where, shape = pose(yaw, pitch, roll, 0.9, 0.05, -0.1), head()
    frame = unproject(where, shape, SIZE)
    face = (frame.outside < -0.15) & (frame.front > 0.25) & (frame.y.abs() < 0.7)
    rows, columns = torch.nonzero(face[0], as_tuple=True)
    x, y = frame.x[0][face[0]], frame.y[0][face[0]]
    px, py = project(where, shape, x[None, :, None], y[None, :, None], torch.zeros(1, len(x), 1), SIZE)
    assert len(x) > 500
    assert (px[0] - columns).abs().max() < 0.6
    assert (py[0] - rows).abs().max() < 1.2
    assert (px[0] - columns).abs().mean() < 0.1


def test_a_frontal_head_is_where_plain_arithmetic_puts_it():
    # a point on the middle line lands in the middle column; the anchor's row is the middle row
    px, py = project(
        pose(), head(), torch.zeros(1, 2, 1), torch.tensor([[[0.2], [1.2]]]), torch.zeros(1, 2, 1), 100
    )
    assert px[0].tolist() == pytest.approx([49.5, 49.5])
    assert py[0].tolist() == pytest.approx([49.5, 49.5 + 0.8 * 50])  # one face unit is 0.8 half pictures


def test_the_anchor_moves_with_the_turn():
    ax, ay = anchor(pose(yaw=30), head())
    assert float(ax) == pytest.approx(DEPTH * 0.62 * 0.95 * math.sin(math.radians(30)))
    assert float(ay) == pytest.approx(0.2)


def test_the_outline_of_a_frontal_head_is_its_width():
    frame = unproject(pose(scale=0.5), head(taper=0.0), 256)
    row = int((frame.y[0, :, 128]).abs().argmin())
    inside = frame.head[0, row].sum() * float(frame.pixel)
    assert float(inside) == pytest.approx(2 * 0.62, rel=0.02)


def test_drawing_primitives():
    x = torch.linspace(-2, 2, 401)
    assert float(ramp(torch.tensor(0.5), 0.0, 1.0)) == pytest.approx(0.5)
    assert float(ramp(torch.tensor(0.25), 1.0, 0.0)) == pytest.approx(1 - (3 * 0.0625 - 2 * 0.015625))
    assert float(bump(torch.tensor(1.0), torch.tensor(0.0), 1.0, 1.0)) == pytest.approx(math.exp(-1))
    distance = ellipse(x, torch.zeros_like(x), 1.0, 1.0)
    assert torch.allclose(distance[300:320], x[300:320] - 1, atol=0.02)  # exact to first order at the edge
    assert cover(torch.zeros(1), 1.0).item() == 0.5


def test_noise_tiles_and_has_the_promised_mean_and_spread():
    u, v = torch.meshgrid(torch.arange(128) / 128, torch.arange(128) / 128, indexing="ij")
    once, next_tile = noise(u[None], v[None]), noise(u[None] + 3, v[None] - 2)
    assert torch.allclose(once, next_tile, atol=1e-3)
    assert once.mean((1, 2, 3)).tolist() == pytest.approx([0.5] * 3, abs=0.03)
    assert once.std((1, 2, 3)).tolist() == pytest.approx([0.25] * 3, abs=0.05)
