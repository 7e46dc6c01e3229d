"""Pre-training with labels: the FaceChannel learns to read valence and arousal, or classes (chapter 04)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib.augment import Augmentation
from fer_lib.chapters.helpers import choose
from fer_lib.encoders import FaceChannel
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import build_model
from fer_lib.train.loop import fit
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

MIRRORED = Augmentation(rotate_deg=0, zoom=0, shift=0, brightness=0, contrast=0)
MOVED = Augmentation(rotate_deg=6, zoom=0.06, shift=0.04)
TASKS = ("valence_arousal", "categorical", "distribution")


def recipe(profile: str) -> dict[str, Any]:
    """What a FaceChannel is trained with, by profile.

    A few epochs over a few thousand faces learn more from faces in their place: there, mirroring is enough.
    """
    return {
        "width": choose(profile, smoke=0.125, quick=0.25, full=1.0),
        "size": choose(profile, smoke=32, quick=48, full=64),
        "faces": choose(profile, smoke=256, quick=3000, full=None),
        "epochs": choose(profile, smoke=2, quick=10, full=40),
        "learning_rate": choose(profile, smoke=3e-3, quick=3e-3, full=1e-3),
        "batch_size": choose(profile, smoke=16, quick=16, full=64),
        "dropout": choose(profile, smoke=0.0, quick=0.0, full=0.25),
        "mirrored_only": choose(profile, smoke=True, quick=True, full=False),
    }


def train(
    recipe: dict[str, Any], parts: "Parts", seed: int, *, checkpoint: Path | None = None
) -> "tuple[Encoder, pd.DataFrame]":
    """Train a FaceChannel with its decision layer, and keep the encoder.

    Args:
        recipe: see :func:`recipe`.
        parts: sets to learn from and to choose the epoch by.
        seed: of weights, order and augmentation.
        checkpoint: file to resume from, see ``fer_lib.train.fit``; None keeps nothing.

    Returns:
        The encoder of the best epoch, and the history of ``fer_lib.train.fit``.
    """
    settings = Settings(
        batch_size=recipe["batch_size"],
        learning_rate=recipe["learning_rate"],
        augmentation=MIRRORED if recipe["mirrored_only"] else MOVED,
    )
    shape = {name: recipe[name] for name in ("width", "size", "dropout")}
    with seeded(seed):
        model = build_model(FaceChannel, parts.train, hidden=(64,), **shape)
    done = fit(
        model, parts.train, parts.validation, epochs=recipe["epochs"], seed=seed, settings=settings,
        checkpoint=checkpoint,
    )  # fmt: skip
    return model.encoder.cpu().eval(), done.history
