"""The worlds that stand in for corpora, by the corpus's name."""

from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.expressions import EMOTIONS, Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.world import World

_AFFECTNET = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
_FER2013 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")


def _shares(classes: tuple[str, ...], numbers: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(classes, numbers, strict=True))


# images a class that the corpora report, in thousands
_IN_AFFECTNET = _shares(_AFFECTNET, (74.9, 134.4, 25.5, 14.1, 6.4, 3.8, 24.9, 3.8))
_IN_FER2013 = _shares(_FER2013, (4.95, 0.55, 5.12, 8.99, 6.08, 4.00, 6.20))
_IN_FERPLUS = _shares(_FERPLUS, (13.0, 9.4, 4.5, 4.4, 3.1, 0.25, 0.82, 0.22))

_affectnet = World(
    name="affectnet",
    classes=_AFFECTNET,
    label="expression+va",
    task="valence_arousal",
    tasks=("valence_arousal", "categorical"),
    metric="ccc",
    protocol="trained on train, tested on validation, as the corpus's own test part was never released",
    size=96,
    channels=3,
    counts={"train": 6000, "validation": 2000},
    people={"train": 3000, "validation": 1000},
    frequency={"train": _IN_AFFECTNET, "validation": dict.fromkeys(EMOTIONS, 1.0)},
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
    panel=Panel(count=12, bias=0.45, slips=0.05, weak_below=0.30, shift=0.06, noise=0.11),
    published={"agreement": 0.607},  # two annotators on 36,000 images, Mollahosseini et al. (2017)
)

_FER_STYLE = SceneStyle(
    yaw_deg=11, pitch_deg=6, roll_deg=6, scale=(1.15, 1.40), shift=0.05, shift_y=0.03, contrast=(0.8, 3.0),
    blur=(0.0, 0.6), noise=(0.005, 0.030), colour=False,
)  # fmt: skip

_fer2013 = World(
    name="fer2013",
    classes=_FER2013,
    label="expression",
    task="categorical",
    tasks=("categorical",),
    metric="accuracy",
    protocol="trained on Training, selected on PublicTest, tested on PrivateTest",
    size=48,
    channels=1,
    counts={"train": 6000, "validation": 1000, "test": 1000},
    people={"train": 3000, "validation": 500, "test": 500},
    frequency=dict.fromkeys(("train", "validation", "test"), _IN_FER2013),
    dialect=Dialect(
        variants={
            "anger": (0.2, 0.2, 1.8, 1.2), "surprise": (0.3, 1.8, 0.3, 0.8), "fear": (0.2, 1.8, 0.6),
            "happiness": (0.5, 0.3, 1.8, 0.4), "sadness": (0.2, 1.6, 0.2, 1.4), "disgust": (0.2, 0.3, 1.8),
        },
        gains={25: 1.25, 26: 1.25, 4: 1.1, 5: 0.7, 17: 0.5},
        intensity=(0.80, 4.0), blend=0.30, turn_deg=8, stretch=(0.95, 1.15),
    ),
    style=_FER_STYLE,
    panel=Panel(count=3, bias=0.7, slips=0.12, weak_below=0.22),
    blank=0.0003,
    published={"people": 0.65},  # Goodfellow et al. (2013), give or take 0.05
)  # fmt: skip

_ferplus = World(
    name="ferplus",
    classes=_FERPLUS,
    label="votes",
    task="distribution",
    tasks=("distribution", "categorical"),
    metric="accuracy",
    protocol="trained on Training, selected on PublicTest, tested on PrivateTest; majority label",
    size=48,
    channels=1,
    counts={"train": 6000, "validation": 1000, "test": 1000},
    people={"train": 3000, "validation": 500, "test": 500},
    frequency=dict.fromkeys(("train", "validation", "test"), _IN_FERPLUS),
    dialect=Dialect(
        variants={
            "anger": (0.8, 1.8, 0.2, 0.4), "surprise": (0.4, 0.2, 1.8, 1.4), "fear": (0.6, 0.2, 1.8),
            "happiness": (0.4, 1.6, 0.3, 1.6), "sadness": (0.8, 0.6, 1.8, 0.2), "disgust": (0.3, 1.8, 0.3),
        },
        gains={12: 0.85, 25: 0.65, 26: 0.6, 1: 1.2, 15: 1.25, 4: 0.85},
        intensity=(0.74, 4.5), blend=0.20, turn_deg=-6, stretch=(1.05, 0.9),
    ),
    style=_FER_STYLE,
    panel=Panel(count=24, bias=0.35, slips=0.03, weak_below=0.26),
    blank=0.004,
    published={"agreement": 0.610},  # pairs among the ten votes of the official vote file
)  # fmt: skip

WORLDS: dict[str, World] = {world.name: world for world in (_affectnet, _fer2013, _ferplus)}
"""Every world by its corpus's name; ``fer_lib.datasets.load("world:<name>")`` reads them."""
