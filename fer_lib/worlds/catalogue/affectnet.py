"""AffectNet: web pictures in colour, cropped loosely, one annotator each; and the same faces masked."""

from dataclasses import replace

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.published import published_of
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.feelings import EMOTIONS
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["affectnet"]

AFFECTNET = World(
    name="affectnet",
    classes=_CLASSES,
    label="expression+va",
    task="valence_arousal",
    tasks=("valence_arousal", "categorical"),
    metric="ccc",
    protocol="trained on train, tested on validation, as the test labels of the corpus are not public",
    size=96,
    channels=3,
    counts={"train": 24_000, "validation": 4_000},
    people={"train": 12_000, "validation": 2_000},
    frequency={
        # images a class that the corpus reports, in thousands; its validation part has 500 of each class
        "train": shares(_CLASSES, (74.9, 134.4, 25.5, 14.1, 6.4, 3.8, 24.9, 3.8)),
        "validation": dict.fromkeys(EMOTIONS, 1.0),
    },
    dialect=Dialect(
        variants={
            "anger": (1.4, 1.2, 0.2, 0.2),
            "surprise": (1.6, 0.8, 0.3, 0.3),
            "fear": (1.6, 0.3, 0.3),
            "happiness": (1.6, 0.6, 0.8, 1.0),
            "sadness": (1.6, 0.2, 1.2, 0.3),
            "disgust": (1.6, 0.3, 0.3),
        },
        intensity=(0.78, 4.0),
        blend=0.30,
        stretch=(1.0, 1.2),
    ),
    style=SceneStyle(yaw_deg=10, pitch_deg=5, roll_deg=5, scale=(1.02, 1.24), shift=0.04),
    panel=Panel(count=12, bias=0.45, slips=0.07, weak_below=0.30, shift=0.06, noise=0.11),
    published=published_of("affectnet"),
    why="Found by searching the web for emotion words in six languages; in its world, textbook faces, "
    "clearly shown.",
)

# AffectNet with masks drawn on; other people than AFFECTNET has, so that neither world leaks into the other
MASKED_AFFECTNET = replace(
    AFFECTNET,
    name="masked_affectnet",
    protocol="as AffectNet: trained on train, tested on validation; everybody wears a mask",
    masks=True,
    published={},
    why="AffectNet's feelings with half of the face covered: what the mouth tells is gone.",
)
