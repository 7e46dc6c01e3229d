"""Aff-Wild2: videos from the web, cropped and aligned, a rating and an expression for every frame."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["affwild2"]
_KEPT, _SCENES = 2, 10  # a frame in 4 s; scenes of 8 s a video
_VIDEOS = {"train": 346, "validation": 68, "test": 131}

AFFWILD2 = World(
    name="affwild2",
    classes=_CLASSES,
    label="frames",
    task="valence_arousal",
    tasks=("valence_arousal", "categorical"),
    metric="ccc",
    protocol="the official splits; every frame is annotated; frames marked -5 or -1 are left out",
    size=112,
    channels=3,
    counts={split: videos * _SCENES * _KEPT for split, videos in _VIDEOS.items()},
    people=_VIDEOS,
    # neutral, anger, disgust, fear, happiness, sadness, surprise: our guess, not published shares
    frequency=dict.fromkeys(_VIDEOS, shares(_CLASSES, (0.42, 0.07, 0.04, 0.05, 0.22, 0.11, 0.09))),
    ages=(10.0, 75.0),
    dialect=Dialect(
        variants={
            "happiness": (0.6, 1.0, 1.2, 0.6),
            "surprise": (0.6, 0.6, 1.0, 1.6),
            "fear": (0.3, 1.6, 0.6),
        },
        own={"anger": ((1.2, {4: 0.7, 2: 0.4, 25: 0.7, 26: 0.6}),)},
        intensity=(0.78, 4.0),
        blend=0.20,
        restless=1.3,
        turn_deg=-35,
        stretch=(1.05, 1.1),
        offset=(0.0, 0.25),
        arousal={25: 0.3, 26: 0.4, 15: -0.2},
    ),
    style=SceneStyle(
        yaw_deg=12,
        pitch_deg=7,
        roll_deg=4,
        scale=(1.16, 1.32),
        shift=0.025,
        blur=(0.1, 0.9),
        noise=(0.005, 0.03),
        compression=(0.1, 0.5),
        occluder=0.06,
    ),
    panel=Panel(count=4, bias=0.4, slips=0.06, weak_below=0.25, shift=0.10, noise=0.12),
    clips=Clips(
        frames=_KEPT,
        seconds=(8.0, 8.0),
        per_video=_SCENES,
        floor=(0.4, 0.95),
        drift=0.2,
        talk=0.6,
        mood=0.5,
        head_deg=7.0,
        lag_s=0.4,
    ),
    prefix="video",
    why="Reactions to trailers, films and pranks, rated with a joystick while the video ran. In its world "
    "ratings follow late, most are aroused, and the more so the less pleasant.",
)
