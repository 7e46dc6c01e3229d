"""What stands out of the smooth head: a field of heights in face units, and the normals it bends."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, ramp
from fer_lib.worlds.layout import Layout, brow_curve, fold_line


def nose_height(face: Layout, x: Tensor, y: Tensor) -> Tensor:
    """The nose alone: the part high enough to hide what is behind it when the head turns."""
    tip = face.mean("nose_y")
    width, high = face.mean("nose_w"), face.mean("nose_h")
    root = face.mean("eye_y") - 0.10
    up = ((y - root) / (tip - root)).clamp(0, 1)
    profile = up * (0.35 + 0.65 * up) * ramp(y, tip + 0.115, tip + 0.015)
    across = (0.048 + 0.045 * up * up) * width
    bridge = high * 0.80 * profile * torch.exp(-((x / across) ** 2))
    ball = 0.055 * (0.5 + 2.5 * high) * bump(x, y - tip, 0.070 * width, 0.060)
    return bridge + ball


def heights(face: Layout, x: Tensor, y: Tensor, *, nose: Tensor) -> Tensor:
    """All of it: nose, wings, sockets, brow ridges, cheeks, folds, muzzle, chin (B,H,W)."""
    ax = x.abs()
    here = face.on(x)
    h = nose + 0.045 * bump(ax - here.wing_x, y - here.wing_y, 0.040, 0.045)
    eye_dx, eye_dy = ax - here.eye_x, y - here.eye_y
    h = h - 0.085 * bump(eye_dx + 0.05, eye_dy + 0.03, 0.16, 0.105)
    h = h + 0.030 * bump(eye_dx, eye_dy, 0.11, 0.07)
    h = h + 0.030 * bump(eye_dx - 0.02, eye_dy + 0.165 - 0.5 * (here.inner + here.outer), 0.20, 0.055)
    up = here.cheek_up
    h = h + here.cheek_full * bump(ax - 0.36, y - 0.25 + up, 0.19, 0.15)
    h = h + _fold(here, ax, y)
    muzzle_y = here.mouth_y - 0.02
    h = h + 0.045 * bump(x, y - muzzle_y, 0.26, 0.17)
    h = h - 0.010 * bump(x, y - (here.nose_y + here.mouth_y) / 2 - 0.03, 0.022, 0.07)
    under = here.mouth_y + here.gap * 0.8 + here.lip_lower
    h = h - 0.022 * bump(x, y - under - 0.045, 0.13, 0.035)
    return h + 0.045 * (1 + 0.5 * here.chin_boss) * bump(x, y - here.chin + 0.17, 0.16, 0.09)


def _fold(here: Layout, ax: Tensor, y: Tensor) -> Tensor:
    """The nasolabial fold: the cheek's soft edge, standing over the muzzle; no line of its own."""
    beside = ax - fold_line(here, y)
    along = ramp(y, here.wing_y - 0.06, here.wing_y + 0.04) * ramp(
        y, here.mouth_y + 0.16, here.mouth_y - 0.02
    )
    edge = torch.sigmoid(beside / 0.020) * torch.exp(-((beside.clamp_min(0) / 0.12) ** 2))
    return 0.042 * here.fold * along * edge


def wrinkles(face: Layout, x: Tensor, y: Tensor) -> Tensor:
    """Fine relief of action units and age: forehead lines, frown furrows, crow's feet, nose, under-eye."""
    ax = x.abs()
    here = face.on(x)
    old = here.wrinkled
    brow, _ = brow_curve(here, ((ax - here.brow_x) / here.brow_w).clamp(-1, 1))
    over = ramp(y, brow - 0.04, brow - 0.12) * ramp(ax, 0.42, 0.25) * ramp(y, -0.72, -0.55)
    amount = (
        0.0052
        * (here.furrow * (0.35 + 0.75 * old) + 0.35 * (old - 0.15))
        * (0.75 + 0.35 * torch.sin(x * 17 + y * 9))
    )
    h = amount * over * torch.sin((y - 0.25 * brow) * 62 + 1.6 * torch.cos(x * 6) + 0.7 * torch.sin(x * 15))
    furrow = here.frown * (0.5 + 0.6 * old)
    h = h - 0.016 * furrow * bump(ax - 0.042, y - here.brow_y - 0.02, 0.014, 0.055)
    h = h + 0.010 * furrow * bump(x, y - here.brow_y - 0.02, 0.030, 0.06)
    h = h - 0.007 * here.sneer * ramp(ax, 0.10, 0.05) * torch.cos(y * 95) * bump(
        x, y - here.eye_y - 0.06, 0.08, 0.07
    )
    feet_x, feet_y = ax - here.eye_x - here.eye_w - 0.05, y - here.eye_y
    rays = torch.cos(feet_y * 110 - 25 * feet_y * feet_x)
    h = h - 0.0055 * here.squeeze * (0.35 + 0.8 * old) * rays * bump(feet_x, feet_y, 0.045, 0.06)
    bag = bump(ax - here.eye_x, y - here.eye_y - here.lower - 0.055, 0.10, 0.022)
    h = h + (0.010 * (old - 0.15) + 0.010 * here.squeeze) * bag
    dent = bump(ax - here.mouth_w - 0.03, y - here.mouth_y - here.corner - here.sag, 0.03, 0.045)
    h = h - 0.016 * here.dimple * dent
    boss = bump(x, y - here.chin + 0.18, 0.09, 0.05)
    return h + 0.004 * here.chin_boss * boss * torch.cos(x * 90) * torch.cos(y * 100)


def bend(normal: tuple[Tensor, Tensor, Tensor], h: Tensor, pixel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Tilt the smooth head's normals by the slope of the heights."""
    dx, dy = torch.zeros_like(h), torch.zeros_like(h)
    dx[:, :, 1:-1] = h[:, :, 2:] - h[:, :, :-2]
    dy[:, 1:-1] = h[:, 2:] - h[:, :-2]
    scale = 0.62 / pixel  # 0.5 is the slope; a little more, as skin shades harder than chalk
    nx, ny, nz = normal
    nx, ny = nx - (dx * scale).clamp(-2.5, 2.5), ny - (dy * scale).clamp(-2.5, 2.5)
    length = torch.rsqrt(nx * nx + ny * ny + nz * nz)
    return nx * length, ny * length, nz * length
