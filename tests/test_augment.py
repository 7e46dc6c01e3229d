"""Augmentation: each image by its own amount, by hand for each change, repeatable."""

import math

import pytest
import torch
from torch.nn import functional as F

from fer_lib.augment import THESIS, Augmentation, augment, turn_hue

OFF = dict(flip=0.0, rotate_deg=0.0, zoom=0.0, shift=0.0, brightness=0.0, contrast=0.0, cutout=0.0)


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _only(images, seed=0, **amount):
    return augment(images, Augmentation(**(OFF | amount)), generator=_generator(seed))


@pytest.fixture
def images():
    smooth = torch.rand(32, 1, 6, 6, generator=_generator(5))
    return F.interpolate(smooth, (24, 24), mode="bicubic").clamp(0, 1)


def test_all_off_changes_nothing(images):
    assert torch.equal(_only(images), images)


def test_a_sure_flip_mirrors(images):
    assert torch.equal(_only(images, flip=1.0), images.flip(3))


def test_half_flips_about_half_and_nothing_else(images):
    out = _only(images, flip=0.5)
    kept = (out == images).flatten(1).all(1)
    mirrored = (out == images.flip(3)).flatten(1).all(1)
    assert (kept | mirrored).all()
    assert 6 < kept.sum() < 26


def test_a_flip_within_a_resampling_is_the_same_flip(images):
    both = _only(images, flip=1.0, shift=1e-9)  # goes through the grid
    torch.testing.assert_close(both, images.flip(3), atol=1e-4, rtol=0)


def test_shift_moves_by_whole_pixels_where_the_draw_says_so():
    images = torch.zeros(64, 1, 16, 16)
    images[:, :, 8, 8] = 1.0
    out = _only(images, shift=0.25)
    mass = out.sum((1, 2, 3))
    rows = (out.sum((1, 3)) * torch.arange(16)).sum(1) / mass
    columns = (out.sum((1, 2)) * torch.arange(16)).sum(1) / mass
    for centre in (rows, columns):
        assert (centre - 8).abs().max() <= 0.25 * 16 + 1e-3
        assert (centre - 8).abs().max() > 0.2 * 16
        assert centre.std() > 1  # each image by its own amount


def test_rotation_keeps_the_radius_and_the_angle_bound():
    images = torch.zeros(64, 1, 65, 65)
    images[:, :, 32, 52] = 1.0  # 20 pixels to the right of the middle
    out = _only(images, rotate_deg=30.0)
    mass = out.sum((1, 2, 3))
    y = (out.sum((1, 3)) * torch.arange(65)).sum(1) / mass - 32
    x = (out.sum((1, 2)) * torch.arange(65)).sum(1) / mass - 32
    angles = torch.atan2(y, x).rad2deg()
    torch.testing.assert_close(torch.hypot(x, y), torch.full((64,), 20.0), atol=0.5, rtol=0)
    assert 25 < angles.abs().max() <= 30.5
    assert angles.min() < 0 < angles.max()


def test_zoom_scales_about_the_middle():
    images = torch.zeros(64, 1, 65, 65)
    images[:, :, 32, 52] = 1.0
    out = _only(images, zoom=0.2)
    x = (out.sum((1, 2)) * torch.arange(65)).sum(1) / out.sum((1, 2, 3)) - 32
    assert 15.5 < x.min() < 18
    assert 22 < x.max() < 24.5


def test_brightness_adds_the_same_everywhere():
    images = torch.full((64, 1, 4, 4), 0.5)
    images[:, :, 0] = 0.4
    out = _only(images, brightness=0.2)
    added = out - images
    torch.testing.assert_close(added.amax((1, 2, 3)), added.amin((1, 2, 3)))
    assert added.abs().max() <= 0.2
    assert added.min() < -0.1 < 0.1 < added.max()


def test_contrast_keeps_the_mean():
    images = torch.rand(64, 1, 8, 8, generator=_generator(2)) * 0.4 + 0.3
    out = _only(images, contrast=0.5)
    torch.testing.assert_close(out.mean((1, 2, 3)), images.mean((1, 2, 3)))
    ratio = out.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.5 <= ratio.min() < 0.7 < 1.3 < ratio.max() <= 1.5


def test_cutout_covers_one_square_in_half_of_the_images(images):
    out = _only(images, cutout=0.25)
    changed = (out != images)[:, 0]
    covered = changed.flatten(1).any(1)
    assert 6 < covered.sum() < 26
    for mask in changed[covered]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        assert rows.max() - rows.min() + 1 <= math.ceil(0.25 * 24)
        assert columns.max() - columns.min() + 1 <= math.ceil(0.25 * 24)
        assert mask.sum() > 0.8 * (0.25 * 24) ** 2


def test_stays_in_the_range_of_the_encoder(images):
    out = augment(images * 2 - 1, Augmentation(cutout=0.3), generator=_generator(), low=-1.0, high=1.0)
    assert out.min() >= -1
    assert out.max() <= 1
    assert out.min() < -0.5


def test_the_same_generator_gives_the_same_images(images):
    first, second = (augment(images, generator=_generator(7)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, augment(images, generator=_generator(8)))


def test_the_generator_is_advanced_alike_whatever_the_amounts(images):
    one, other = _generator(1), _generator(1)
    augment(images, Augmentation(**OFF), generator=one)
    augment(images, Augmentation(cutout=0.5), generator=other)
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=other))


def _draws(batch, seed=0):
    """The numbers that augment draws, as signed amounts (12, B): ten rows, then two for the colours."""
    generator = _generator(seed)
    rows = [torch.rand(10, batch, generator=generator), torch.rand(2, batch, generator=generator)]
    return 2 * torch.cat(rows) - 1


@pytest.fixture
def colours():
    smooth = torch.rand(16, 3, 6, 6, generator=_generator(6))
    return F.interpolate(smooth, (24, 24), mode="bicubic").clamp(0, 1)


def test_the_six_of_the_thesis_are_on_and_the_others_off():
    on = {name for name, value in vars(THESIS).items() if value}
    assert on == {"flip", "brightness", "contrast", "rotate_deg", "hue_deg", "saturation"}


def test_hue_equals_torchvision(colours):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    out = _only(colours, hue_deg=90.0)
    for image, changed, share in zip(colours, out, _draws(16)[11], strict=True):
        expected = functional.adjust_hue(image, share.item() * 90 / 360)
        torch.testing.assert_close(changed, expected, atol=1e-4, rtol=0)


def test_hue_by_the_standard_library():
    import colorsys

    pixel = (0.8, 0.3, 0.45)
    hue, light, spread = colorsys.rgb_to_hsv(*pixel)
    expected = colorsys.hsv_to_rgb((hue + 40 / 360) % 1, light, spread)
    found = turn_hue(torch.tensor(pixel).view(1, 3, 1, 1), torch.tensor([40.0]))
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_saturation_equals_torchvision(colours):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    out = _only(colours, saturation=0.6)
    for image, changed, share in zip(colours, out, _draws(16)[10], strict=True):
        expected = functional.adjust_saturation(image, 1 + share.item() * 0.6)
        torch.testing.assert_close(changed, expected, atol=2e-3, rtol=0)  # its red weighs .2989


def test_contrast_equals_torchvision(images):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    out = _only(images, contrast=0.5)
    for image, changed, share in zip(images, out, _draws(32)[5], strict=True):
        expected = functional.adjust_contrast(image, 1 + share.item() * 0.5)
        torch.testing.assert_close(changed, expected, atol=1e-4, rtol=0)


def test_brightness_equals_kornia(colours):
    enhance = pytest.importorskip("kornia.enhance")
    out = _only(colours, brightness=0.3)
    expected = enhance.adjust_brightness(colours, _draws(16)[6] * 0.3)
    torch.testing.assert_close(out, expected.clamp(0, 1), atol=1e-6, rtol=0)


def test_rotation_equals_opencv(colours):
    import cv2

    out = _only(colours, rotate_deg=40.0)
    for image, changed, share in zip(colours, out, _draws(16)[1], strict=True):
        turn = cv2.getRotationMatrix2D((11.5, 11.5), share.item() * 40, 1.0)
        expected = cv2.warpAffine(
            image.permute(1, 2, 0).numpy(), turn, (24, 24), borderMode=cv2.BORDER_REPLICATE
        )
        torch.testing.assert_close(changed.permute(1, 2, 0), torch.from_numpy(expected), atol=0.03, rtol=0)


def test_grey_has_no_colour_to_change(images):
    assert torch.equal(_only(images, saturation=0.9, hue_deg=90.0), images)


def test_colours_in_the_range_of_the_encoder(colours):
    one = _only(colours, saturation=0.4, hue_deg=30.0)
    amounts = Augmentation(**(OFF | dict(saturation=0.4, hue_deg=30.0)))
    other = augment(colours * 2 - 1, amounts, generator=_generator(), low=-1.0, high=1.0)
    torch.testing.assert_close(other, one * 2 - 1, atol=1e-5, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cpu_equals_gpu(images):
    gpu = augment(images.cuda(), generator=_generator()).cpu()
    torch.testing.assert_close(gpu, augment(images, generator=_generator()), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ({"flip": 1.5}, r"flip must be in \[0, 1\]; got 1.5\. 0 turns it off\."),
        ({"rotate_deg": -1.0}, r"rotate_deg must be in \[0, 180\]; got -1.0"),
        ({"hue_deg": 181.0}, r"hue_deg must be in \[0, 180\]; got 181.0"),
        ({"zoom": 1.0}, r"zoom must be in \[0, 1\]; got 1.0"),
    ],
)
def test_refuses_amounts_out_of_range(amount, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**amount)
