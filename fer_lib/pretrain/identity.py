"""Pre-training on identity: VGGFace learns who is who, and nothing of what they show (chapter 09)."""

from typing import TYPE_CHECKING, Any

from fer_lib.augment import Augmentation
from fer_lib.chapters.helpers import choose
from fer_lib.encoders import VGGFace
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import build_model
from fer_lib.pretrain.people import people_of
from fer_lib.train.loop import fit
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

VERSION = 1
TASKS = ("categorical",)


def recipe(profile: str) -> dict[str, Any]:
    """What a VGGFace is trained with, by profile.

    CIAO's encoder learned from VGGFace2, 3.3 million pictures of 9,131 people; "full" takes 2,000 people of
    a world with 30 pictures each.
    """
    return {
        "width": choose(profile, smoke=0.125, quick=0.25, full=1.0),
        "size": choose(profile, smoke=32, quick=64, full=96),
        "people": choose(profile, smoke=8, quick=80, full=2000),
        "faces": choose(profile, smoke=128, quick=2000, full=60_000),
        "epochs": choose(profile, smoke=2, quick=8, full=40),
        "learning_rate": choose(profile, smoke=1.5e-3, quick=1.5e-3, full=2e-4),
        "batch_size": choose(profile, smoke=32, quick=32, full=64),
    }


def parts(recipe: dict[str, Any], dataset: str, data_root: str) -> "Parts":
    """Faces of people of a world or corpus, see :func:`fer_lib.pretrain.people.people_of`."""
    return people_of(
        dataset,
        people=recipe["people"],
        pictures=recipe["faces"],
        size=recipe["size"],
        root=data_root or None,
    )


def train(recipe: dict[str, Any], parts: "Parts", seed: int) -> "tuple[Encoder, pd.DataFrame]":
    """Train VGGFace to name the person, through one dense layer that is then thrown away.

    Args:
        recipe: see :func:`recipe`.
        parts: sets whose classes are people, see :func:`parts`.
        seed: of weights, order and augmentation.

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
    done = fit(model, parts.train, parts.validation, epochs=recipe["epochs"], seed=seed, settings=settings)
    return model.encoder.cpu().eval(), done.history
