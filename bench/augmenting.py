"""Augmenting a batch, each image by its own amounts: one resampling of the batch against image by image."""

from collections.abc import Iterator

import torch

from bench._clock import rate
from fer_lib.augment import Augmentation, augment


def run() -> Iterator[dict]:
    """Flip, turn, zoom, shift, brightness and contrast of 48 x 48 grey faces in batches of 128."""
    from torchvision.transforms import v2

    images = torch.rand(128, 1, 48, 48)
    generator = torch.Generator().manual_seed(0)
    amounts = Augmentation()
    zoom, shift = (1 - amounts.zoom, 1 + amounts.zoom), (amounts.shift, amounts.shift)
    alternative = v2.Compose(
        [
            v2.RandomHorizontalFlip(amounts.flip),
            v2.RandomAffine(
                amounts.rotate_deg, translate=shift, scale=zoom, interpolation=v2.InterpolationMode.BILINEAR
            ),
            v2.ColorJitter(brightness=amounts.brightness, contrast=amounts.contrast),
        ]
    )

    def ours() -> int:
        for _ in range(10):
            augment(images, amounts, generator=generator)
        return 10 * len(images)

    def theirs() -> int:
        return len(torch.stack([alternative(image) for image in images]))

    yield {
        "what": "augmenting (images)",
        "ours": rate(ours),
        "alternative": rate(theirs),
        "named": "torchvision.transforms.v2, one image at a time",
    }
