"""EmoReact: children of 4 to 14 reacting to what is shown to them, eight states that may come together."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["emoreact"]
_KEPT = 3  # frames a clip
_CLIPS = {"train": 432, "validation": 303, "test": 367}

EMOREACT = World(
    name="emoreact",
    classes=_CLASSES,
    label="states",
    task="multi_label",
    tasks=("multi_label",),
    metric="macro_f1",
    protocol="the official splits; macro F1 over eight affective states",
    size=96,
    channels=3,
    counts={split: clips * _KEPT for split, clips in _CLIPS.items()},
    people={"train": 25, "validation": 18, "test": 20},
    # curiosity, uncertainty, excitement, happiness, surprise, disgust, fear, frustration: our guess
    frequency=dict.fromkeys(
        _CLIPS, shares((*_CLASSES, "neutral"), (0.19, 0.14, 0.15, 0.17, 0.10, 0.08, 0.06, 0.08, 0.03))
    ),
    ages=(4.0, 14.0),
    dialect=Dialect(
        variants={
            "happiness": (0.8, 0.2, 2.0, 0.6),
            "surprise": (1.0, 1.8, 0.1, 0.8),
            "disgust": (0.5, 0.2, 1.9),
        },
        own={
            # tongues out and noses up before unknown food; joy with the whole face
            "disgust": ((2.0, {9: 1.0, 10: 0.9, 25: 0.9, 26: 0.6, 43: 0.5}),),
            "happiness": ((1.0, {6: 1.0, 12: 1.0, 25: 1.0, 27: 0.6}),),
        },
        gains={1: 1.2, 2: 1.3, 5: 1.25, 12: 1.15, 25: 1.3, 26: 1.4, 4: 0.75, 9: 1.2},
        intensity=(0.80, 5.0),
        blend=0.20,
        restless=1.8,
        stretch=(1.15, 1.2),
        offset=(0.05, 0.10),
    ),
    style=SceneStyle(
        yaw_deg=14,
        pitch_deg=8,
        roll_deg=9,
        scale=(1.02, 1.20),
        shift=0.06,
        busy=0.4,
        contrast=(0.4, 1.2),
        blur=(0.0, 0.6),
        compression=(0.05, 0.3),
    ),
    panel=Panel(count=9, bias=0.6, slips=0.06, shift=0.08, noise=0.15, lean={"curiosity": 0.3, "fear": -0.5}),
    clips=Clips(
        frames=_KEPT,
        seconds=(3.0, 21.0),
        videos=20,
        floor=(0.6, 1.0),
        drift=0.15,
        talk=0.6,
        head_deg=8.0,
        blinks=20.0,
    ),
    prefix="child",
    why="Children fidget, and their states are not the six emotions but what fits a child before something "
    "new (Nojavanasghari et al., 2016). In this world their expressions are big, quick and open-mouthed; "
    "they smile more and frown less.",
)
