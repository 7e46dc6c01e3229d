"""FER2013 and FER+: small grey pictures from the web, cropped tightly; one label, or ten votes."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.published import published_of
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.world import World

_SPLITS = ("train", "validation", "test")
_PROTOCOL = "trained on Training, selected on PublicTest, tested on PrivateTest"
_COUNTS = {"train": 28_709, "validation": 3_589, "test": 3_589}
_PEOPLE = {"train": 14_000, "validation": 1_800, "test": 1_800}

_STYLE = SceneStyle(
    yaw_deg=11,
    pitch_deg=6,
    roll_deg=6,
    scale=(1.15, 1.40),
    shift=0.05,
    shift_y=0.03,
    contrast=(0.8, 3.0),
    blur=(0.0, 0.6),
    noise=(0.005, 0.030),
    colour=False,
)

FER2013 = World(
    name="fer2013",
    classes=VOCABULARIES["fer2013"],
    label="expression",
    task="categorical",
    tasks=("categorical",),
    metric="accuracy",
    protocol=_PROTOCOL,
    size=48,
    channels=1,
    counts=_COUNTS,
    people=_PEOPLE,
    # images a class that the corpus reports, in thousands
    frequency=dict.fromkeys(
        _SPLITS, shares(VOCABULARIES["fer2013"], (4.95, 0.55, 5.12, 8.99, 6.08, 4.00, 6.20))
    ),
    dialect=Dialect(
        variants={
            "anger": (0.2, 0.2, 1.8, 1.2),
            "surprise": (0.3, 1.8, 0.3, 0.8),
            "fear": (0.2, 1.8, 0.6),
            "happiness": (0.5, 0.3, 1.8, 0.4),
            "sadness": (0.2, 1.6, 0.2, 1.4),
            "disgust": (0.2, 0.3, 1.8),
        },
        own={
            # stock pictures: crying, screaming, shouting, joyful surprise
            "sadness": ((4.0, {1: 0.8, 4: 0.7, 6: 0.5, 15: 0.5, 20: 0.6, 25: 0.8}),),
            "fear": ((5.0, {1: 0.8, 2: 0.8, 5: 0.9, 25: 1.0, 27: 1.0}),),
            "surprise": ((4.0, {1: 0.9, 2: 1.0, 5: 0.6, 12: 0.6, 25: 0.8, 26: 0.6}),),
            "anger": ((5.0, {4: 1.0, 9: 0.5, 10: 0.8, 25: 1.0, 27: 0.7}),),
        },
        gains={25: 1.25, 26: 1.25, 4: 1.1, 5: 0.7, 17: 0.5},
        intensity=(0.80, 4.0),
        blend=0.30,
        turn_deg=8,
        stretch=(0.95, 1.15),
    ),
    style=_STYLE,
    # labels began as search words; in this world sad and fearful are given freely, disgust rarely
    panel=Panel(
        count=8,
        bias=0.5,
        slips=0.10,
        weak_below=0.22,
        lean={"fear": 0.38, "sadness": 0.25, "neutral": 0.1, "disgust": -1.2, "surprise": -0.25},
        confusions={
            "neutral": {"sadness": 0.16, "anger": 0.08, "fear": 0.03, "happiness": 0.03},
            "sadness": {"neutral": 0.10, "fear": 0.10, "anger": 0.06},
            "surprise": {"fear": 0.18, "happiness": 0.05},
        },
    ),
    blank=0.0003,
    published=published_of("fer2013"),
    why="Web pictures found by emotion words. In their world: open mouths, exaggerated anger, shouted joy.",
)

FERPLUS = World(
    name="ferplus",
    classes=VOCABULARIES["ferplus"],
    label="votes",
    task="distribution",
    tasks=("distribution", "categorical"),
    metric="accuracy",
    protocol=_PROTOCOL + "; majority label",
    size=48,
    channels=1,
    counts=_COUNTS,
    people=_PEOPLE,
    # the emotion with most votes on each picture of the official vote file, in thousands
    frequency=dict.fromkeys(
        _SPLITS, shares(VOCABULARIES["ferplus"], (13.0, 9.4, 4.5, 4.4, 3.1, 0.25, 0.82, 0.22))
    ),
    dialect=Dialect(
        variants={
            "anger": (0.8, 1.8, 0.2, 0.4),
            "surprise": (0.4, 0.2, 1.8, 1.4),
            "fear": (0.6, 0.2, 1.8),
            "happiness": (0.4, 1.6, 0.3, 1.6),
            "sadness": (0.8, 0.6, 1.8, 0.2),
            "disgust": (0.3, 1.8, 0.3),
        },
        gains={12: 0.85, 25: 0.65, 26: 0.6, 1: 1.2, 15: 1.25, 4: 0.85},
        intensity=(0.76, 3.8),
        blend=0.30,
        turn_deg=-6,
        stretch=(1.05, 0.9),
    ),
    style=_STYLE,
    # what each majority is mixed with in the official vote file, a little less: the panel's biases add to it
    panel=Panel(
        count=24,
        bias=0.28,
        slips=0.006,
        weak_below=0.26,
        clear=0.90,
        confusions={
            "neutral": {
                "sadness": 0.12,
                "happiness": 0.03,
                "contempt": 0.03,
                "anger": 0.035,
                "surprise": 0.02,
            },
            "happiness": {"neutral": 0.04, "surprise": 0.03},
            "surprise": {"fear": 0.11, "happiness": 0.04, "neutral": 0.06, "anger": 0.02},
            "sadness": {"neutral": 0.14, "fear": 0.03, "disgust": 0.025, "anger": 0.05},
            "anger": {"neutral": 0.09, "disgust": 0.06, "sadness": 0.05, "surprise": 0.05, "fear": 0.03},
            "disgust": {"anger": 0.15, "sadness": 0.10, "neutral": 0.09, "contempt": 0.05},
            "fear": {"surprise": 0.20, "sadness": 0.09, "anger": 0.04, "neutral": 0.04},
            "contempt": {"neutral": 0.17, "sadness": 0.07, "disgust": 0.07, "anger": 0.05},
        },
    ),
    blank=0.004,
    published=published_of("ferplus"),
    why="The same pictures seen by ten annotators each, who call many of FER2013's emotional faces neutral.",
)
