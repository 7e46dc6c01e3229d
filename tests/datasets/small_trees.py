"""Small folders of pictures and releases that read them: for tests of decoding and storing."""

import numpy as np
import pandas as pd

from fer_lib.datasets.listing import Listing, Release


def write_tree(root, number, *, side=20, suffix="png", seed=0):
    """Write smooth colour pictures 000.png, ...; uint8 (N, 3, side, side), as they were before writing."""
    from PIL import Image

    root.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (number, 4, 4, 3), dtype=np.uint8)
    images = [np.asarray(Image.fromarray(image).resize((side, side))) for image in coarse]
    for i, image in enumerate(images):
        Image.fromarray(image).save(root / f"{i:03d}.{suffix}")
    return np.stack(images).transpose(0, 3, 1, 2)


def table_of(number, suffix="png"):
    """Rows of such a folder: path, split, expression; every third is of the validation split."""
    return pd.DataFrame(
        {
            "path": [f"{i:03d}.{suffix}" for i in range(number)],
            "split": ["validation" if i % 3 == 2 else "train" for i in range(number)],
            "expression": np.arange(number) % 8,
        }
    )


def release_of(root, listing, **fields):
    """A release of a folder; `listing` is a Listing, a table, or a number of pictures."""
    if isinstance(listing, int):
        listing = table_of(listing)
    if isinstance(listing, pd.DataFrame):
        listing = Listing(listing)
    usual = {
        "name": "affectnet",
        "version": 1,
        "root": root,
        "form": "test",
        "files": ("one",),
        "listing": lambda: listing,
        "task": "categorical",
        "tasks": ("categorical",),
        "classes": tuple("abcdefgh"),
        "source": "a test",
        "side": 20,
        "framing": "whole",
    }
    return Release(**usual | fields)
