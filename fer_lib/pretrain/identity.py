"""Pre-training on identity: VGGFace learns who is who, and nothing of what they show (chapter 09)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fer_lib.augment import Augmentation
from fer_lib.chapters.helpers import choose
from fer_lib.encoders import VGGFace
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import build_model
from fer_lib.preprocess import prepare
from fer_lib.pretrain.people import people_of
from fer_lib.train.loop import fit
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet
    from fer_lib.train.parts import Parts

TASKS = ("categorical",)
EACH = 30  # pictures of each person where the recipe does not limit their number


def recipe(profile: str) -> dict[str, Any]:
    """What a VGGFace is trained with, by profile.

    CIAO's encoder learned from VGGFace2, 3.3 million pictures of 9,131 people; "full" takes 2,000 people of
    a world with 30 pictures each. ``stored`` is the side of the pictures on disk, which may be larger than
    the network's ``size``: networks of several sizes then share them.
    """
    return {
        "width": choose(profile, smoke=0.125, quick=0.25, full=1.0),
        "size": choose(profile, smoke=32, quick=64, full=96),
        "stored": choose(profile, smoke=32, quick=64, full=96),
        "people": choose(profile, smoke=8, quick=80, full=2000),
        "faces": choose(profile, smoke=128, quick=2000, full=None),
        "epochs": choose(profile, smoke=2, quick=8, full=40),
        "learning_rate": choose(profile, smoke=1.5e-3, quick=1.5e-3, full=2e-4),
        "batch_size": choose(profile, smoke=32, quick=32, full=64),
    }


def parts(recipe: dict[str, Any], dataset: str, data_root: str) -> "Parts":
    """Faces of people of a world or corpus, see :func:`fer_lib.pretrain.people.people_of`."""
    return people_of(
        dataset,
        people=recipe["people"],
        pictures=recipe["faces"] or EACH * recipe["people"],
        size=recipe["stored"],
        root=data_root or None,
    )


def train(
    recipe: dict[str, Any], parts: "Parts", seed: int, *, checkpoint: Path | None = None
) -> "tuple[Encoder, pd.DataFrame]":
    """Train VGGFace to name the person, through one dense layer that is then thrown away.

    Args:
        recipe: see :func:`recipe`.
        parts: sets whose classes are people, see :func:`parts`.
        seed: of weights, order and augmentation.
        checkpoint: file to resume from, see ``fer_lib.train.fit``; None keeps nothing.

    Returns:
        The encoder of the best epoch, and the history of ``fer_lib.train.fit``: ``score`` is the share of
        other pictures of the same people that it names rightly.
    """
    settings = Settings(
        batch_size=recipe["batch_size"],
        learning_rate=recipe["learning_rate"],
        augmentation=Augmentation(rotate_deg=6, zoom=0.06, shift=0.04),
    )
    with seeded(seed):
        model = build_model(VGGFace, parts.train, hidden=(), width=recipe["width"], size=recipe["size"])
    done = fit(
        model, parts.train, parts.validation, epochs=recipe["epochs"], seed=seed, settings=settings,
        checkpoint=checkpoint,
    )  # fmt: skip
    return model.encoder.cpu().eval(), done.history


def verification(encoder: Encoder, faces: "FaceSet", *, batch_size: int = 256) -> float:
    """How well an encoder tells whether two pictures show one person, best asked about strangers to it.

    Every pair of pictures gets the cosine of the angle between their maps, after the mean map of all is
    subtracted. Told is the chance that a pair of one person gets a higher one than a pair of two.

    Args:
        encoder: any encoder, in evaluation mode.
        faces: of at least two people, one of them seen twice; ``table["subject"]`` says who it is, as in
            :func:`fer_lib.pretrain.people.people_of`.
        batch_size: pictures encoded at a time.

    Returns:
        The area under the ROC curve: 1/2 by guessing, 1 without fault.

    Raises:
        ValueError: the people are not named, or no two pictures show one person, or all do.
    """
    from sklearn.metrics import roc_auc_score

    if "subject" not in faces.table:
        raise ValueError("faces must name their people in the column subject; got none. See people_of.")
    who = torch.from_numpy(faces.table["subject"].astype("category").cat.codes.to_numpy().copy())
    first, second = torch.triu_indices(len(who), len(who), offset=1)
    same = who[first] == who[second]
    one, two = int(same.sum()), int((~same).sum())
    if not (one and two):
        raise ValueError(
            f"faces must hold pairs of one person and of two; got {one} and {two}. "
            "Take several pictures of several people."
        )
    maps = _maps(encoder, faces, batch_size)
    maps = torch.nn.functional.normalize(maps - maps.mean(0), dim=1)
    return float(roc_auc_score(same.numpy(), (maps @ maps.T)[first, second].numpy()))


@torch.no_grad()
def _maps(encoder: Encoder, faces: "FaceSet", batch_size: int) -> torch.Tensor:
    """Flattened maps (N, D), float64 on the CPU."""
    device = next(encoder.parameters()).device
    found = []
    for start in range(0, len(faces), batch_size):
        pictures = faces.batch(slice(start, start + batch_size)).to(device)
        found.append(encoder(prepare(pictures, encoder.input_spec)).flatten(1).double().cpu())
    return torch.cat(found)
