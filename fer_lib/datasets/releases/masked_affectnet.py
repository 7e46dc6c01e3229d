"""Write the world of MaskedAffectNet as AffectNet: the same faces before they put on their masks.

MaskedAffectNet has no release of its own; it is made from AffectNet's, so that is what is written, with the
landmarks that a mask is drawn by. Read back, everybody wears a mask again, though another one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.releases import affectnet

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = affectnet.FORMS


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write pictures without masks, and labels.

    Args:
        faces: of "world:masked_affectnet", whole splits from their beginning.
        folder: an empty folder.
        seed: that `faces` were drawn with; also draws the pictures' numbers.
        fps: not used.
        form: "npy" or "csv".

    Raises:
        ValueError: `faces` are not the first of their splits.
    """
    from fer_lib.worlds import WORLDS
    from fer_lib.worlds.workers import render_parts

    bare = replace(WORLDS["masked_affectnet"], masks=False)
    numbers = faces.table["split"].value_counts(sort=False).to_dict()
    pixels, done = np.empty((len(faces), *faces.pixels.shape[1:]), np.uint8), 0
    for images, table, _ in render_parts(bare, numbers, size=pixels.shape[-1], seed=seed, progress=False):
        rows = slice(done, done + len(images))
        if table["path"].tolist() != faces.table["path"].iloc[rows].tolist():
            got = f"others from row {done} on"
            raise ValueError(f"faces must be the first of their splits; got {got}. Write a whole world.")
        pixels[rows], done = images, done + len(images)
    plain = replace(faces, pixels=pixels, rows=np.arange(len(faces)))
    affectnet.write(plain, folder, seed=seed, fps=fps, form=form)
