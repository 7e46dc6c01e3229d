"""ElderReact: elderly people reacting to videos, six states that may be present together."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["elderreact"]
_KEPT = 3  # frames a clip
_CLIPS = {"train": 615, "validation": 355, "test": 353}

ELDERREACT = World(
    name="elderreact",
    classes=_CLASSES,
    label="states",
    task="multi_label",
    tasks=("multi_label",),
    metric="macro_f1",
    protocol="the official splits; macro F1 over six emotions",
    size=96,
    channels=3,
    counts={split: clips * _KEPT for split, clips in _CLIPS.items()},
    people={"train": 22, "validation": 12, "test": 12},
    # anger, disgust, fear, happiness, sadness, surprise: our guess, not published shares
    frequency=dict.fromkeys(
        _CLIPS, shares((*_CLASSES, "neutral"), (0.13, 0.14, 0.09, 0.30, 0.10, 0.16, 0.08))
    ),
    ages=(60.0, 88.0),
    dialect=Dialect(
        variants={
            "happiness": (0.8, 1.4, 0.6, 0.2),
            "anger": (0.5, 1.6, 0.4, 0.5),
            "surprise": (0.4, 0.1, 1.8, 0.9),
            "sadness": (0.3, 0.3, 1.9, 0.3),
        },
        own={
            # noses wrinkle less, chins and corners do the work; joy closes the eyes; surprise is in the brows
            "disgust": ((8.0, {10: 0.5, 15: 0.8, 17: 0.9}),),
            "happiness": ((6.0, {6: 0.9, 12: 0.75, 43: 0.55}),),
            "anger": ((8.0, {7: 0.6, 24: 1.0, 17: 0.8, 15: 0.4}),),
            "surprise": ((8.0, {1: 0.9, 2: 0.9, 12: 0.5, 25: 0.4}),),
            "sadness": ((6.0, {1: 0.9, 4: 0.5, 24: 0.7, 43: 0.4}),),
            "fear": ((5.0, {1: 0.6, 12: 0.5, 20: 0.8, 25: 0.5}),),
        },
        gains={5: 0.55, 12: 0.85, 25: 0.85, 26: 0.75, 9: 0.7, 17: 1.3, 15: 1.25, 24: 1.3},
        intensity=(0.78, 6.0),
        blend=0.15,
        uneven=0.2,
        stretch=(0.9, 0.8),
    ),
    style=SceneStyle(
        yaw_deg=9,
        pitch_deg=6,
        roll_deg=5,
        scale=(1.06, 1.22),
        shift=0.05,
        blur=(0.1, 0.8),
        compression=(0.1, 0.4),
    ),
    panel=Panel(count=9, bias=0.5, slips=0.06, shift=0.08, noise=0.15, lean={"happiness": 0.4, "fear": -0.6}),
    clips=Clips(
        frames=_KEPT, seconds=(3.0, 9.0), videos=30, floor=(0.6, 1.0), drift=0.1, talk=0.5, head_deg=3.5
    ),
    prefix="elder",
    gender=True,
    why="Age changes skin, shape and movement, and folds can look like feelings (Ma et al., 2019; Foelster "
    "et al., 2014). In this world old faces move less and more unevenly; lids droop, lips press, chins rise.",
)
