"""FABO: 23 people act nine states, here before a plain wall, each from rest to apex and back."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["fabo"]
_KEPT, _VIDEOS, _EXECUTIONS, _PEOPLE = 3, 12, 3, 23

FABO = World(
    name="fabo",
    classes=_CLASSES,
    label="posed",
    task="categorical",
    tasks=("categorical",),
    metric="accuracy",
    protocol="folds over the people; the apex of each execution",
    size=96,
    channels=3,
    counts={"train": _PEOPLE * _VIDEOS * _EXECUTIONS * _KEPT},
    people={"train": _PEOPLE},
    frequency={"train": dict.fromkeys(_CLASSES, 1.0)},
    ages=(18.0, 50.0),
    dialect=Dialect(
        variants={
            "anger": (0.3, 0.3, 1.8, 0.8),
            "happiness": (0.3, 1.2, 0.6, 1.6),
            "sadness": (0.2, 1.9, 0.9, 0.1),
            "surprise": (0.5, 1.8, 0.1, 0.3),
            "fear": (0.2, 0.6, 1.9),
            "disgust": (0.2, 0.9, 1.6),
        },
        own={
            # acted with the whole upper body: shouted anger, recoiling fear with tight lids
            "fear": ((6.0, {1: 0.8, 2: 0.8, 5: 0.7, 25: 0.9, 27: 0.8}),),
            "sadness": ((6.0, {43: 0.9, 15: 0.8, 1: 0.6}),),
            "surprise": ((6.0, {1: 1.0, 2: 1.0, 12: 0.6, 25: 0.5}),),
            "anger": ((6.0, {4: 1.0, 10: 0.6, 25: 0.9, 27: 0.5}),),
            "disgust": ((6.0, {9: 0.9, 10: 0.8, 25: 0.7, 43: 0.6, 12: 0.3}),),
        },
        gains={26: 1.2, 5: 1.15, 43: 1.1},
        intensity=(0.90, 8.0),
        blend=0.0,
        restless=0.6,
    ),
    style=SceneStyle(
        yaw_deg=6,
        pitch_deg=5,
        roll_deg=5,
        scale=(1.02, 1.16),
        shift=0.05,
        busy=0.0,
        contrast=(0.5, 1.0),
        blur=(0.2, 0.8),
        noise=(0.004, 0.012),
        warmth=0.05,
        headwear=0.0,
    ),
    panel=Panel(count=6),
    posed_slips=0.06,
    clips=Clips(
        frames=_KEPT,
        seconds=(4.0, 8.0),
        per_video=_EXECUTIONS,
        videos=_VIDEOS,
        keep="apex",
        floor=(0.0, 0.0),
        drift=0.0,
        talk=0.1,
        mood=1.0,
        head_deg=4.0,
    ),
    prefix="S",
    clip_name="execution",
    why="Acted on request in a laboratory, from rest to rest; in its world at full strength and in even "
    "light. Three of the nine states (anxiety, boredom, puzzlement) are no basic emotions.",
)
