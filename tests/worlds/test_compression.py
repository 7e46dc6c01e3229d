"""Compression against SciPy's cosine transform in plain loops, and what it must leave alone."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.fft import dctn, idctn

from fer_lib.worlds.compression import BRIGHTNESS, COLOUR, TO_LUMA, compress, cosine_matrix, step_scale


def by_hand(image, strength):
    """One picture (3,H,W), sides a multiple of 8: transform, round to steps, and back; block by block."""
    mix = np.array(TO_LUMA)
    planes = np.einsum("kc,chw->khw", mix, image)
    planes[0] -= 0.5
    scale = 5 * strength ** np.log2(5)
    for plane, table in zip(planes, (BRIGHTNESS, COLOUR, COLOUR), strict=True):
        steps = np.array(table) / 255 * scale
        for i in range(0, plane.shape[0], 8):
            for j in range(0, plane.shape[1], 8):
                waves = dctn(plane[i : i + 8, j : j + 8], norm="ortho")
                plane[i : i + 8, j : j + 8] = idctn(np.round(waves / steps) * steps, norm="ortho")
    planes[0] += 0.5
    return np.einsum("ck,khw->chw", np.linalg.inv(mix), planes)


def photographs(batch, side, seed=0):
    rough = torch.rand(batch, 3, side // 4 + 2, side // 4 + 2, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(rough, size=(side + 8, side + 8), mode="bicubic")
    return smooth[..., 4:-4, 4:-4].clamp(0, 1)


@pytest.mark.parametrize("strength", [0.2, 0.5, 1.0])
def test_as_scipy_does_it_block_by_block(strength):
    images = photographs(2, 24)
    seen = compress(images, torch.tensor([strength, strength])).numpy()
    for image, done in zip(images.double().numpy(), seen, strict=True):
        expected = by_hand(image.copy(), strength)
        # float32 may round a few waves the other way; all other pixels agree
        assert np.mean(np.abs(done - expected) < 1e-4) > 0.95
        assert np.abs(done - expected).mean() < 1e-3


def test_cosines_are_scipys():
    block = np.random.default_rng(0).normal(size=(8, 8))
    matrix = cosine_matrix().numpy()
    assert np.allclose(matrix @ block @ matrix.T, dctn(block, norm="ortho"), atol=1e-12)


def test_strength_is_each_pictures_own_and_zero_changes_nothing():
    images = photographs(3, 30)
    strength = torch.tensor([0.0, 0.3, 0.9])
    together = compress(images, strength)
    assert torch.equal(together[0], images[0])
    for k in range(3):
        assert torch.allclose(compress(images[k : k + 1], strength[k : k + 1])[0], together[k], atol=1e-6)
    loss = (together - images).square().mean(dim=(1, 2, 3))
    assert 0 == loss[0] < loss[1] < loss[2]


def test_strong_compression_shows_the_borders_of_blocks():
    images = photographs(8, 64, seed=1)
    done = compress(images, torch.ones(8))
    jumps = done.diff(dim=-1).abs().mean(dim=(0, 1, 2))
    borders = jumps[7::8].mean()
    assert borders > 1.3 * jumps[torch.arange(63) % 8 != 7].mean()


def test_a_grey_picture_stays_grey():
    grey = photographs(2, 32)[:, :1].expand(-1, 3, -1, -1)
    done = compress(grey, torch.tensor([0.4, 0.8]))
    assert (done - done.mean(1, keepdim=True)).abs().max() < 1e-4


@pytest.mark.parametrize(("quality", "strength"), [(50, 0.5), (10, 1.0)])
def test_steps_are_those_of_a_real_codec(quality, strength):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    scale = float(step_scale(torch.tensor(strength)))
    for number, table in enumerate((BRIGHTNESS, COLOUR)):
        theirs = np.array(Image.open(buffer).quantization[number]).reshape(8, 8)
        assert np.abs(np.minimum(np.array(table) * scale, 255) - theirs).max() <= 0.5


def test_steps_grow_with_strength():
    scale = step_scale(torch.linspace(0.05, 1, 20))
    assert (scale.diff() > 0).all()
