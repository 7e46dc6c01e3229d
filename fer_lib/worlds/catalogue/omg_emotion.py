"""OMG-Emotion: monologues from the web, one person a video, a rating an utterance."""

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.catalogue.shares import shares
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_CLASSES = VOCABULARIES["omg_emotion"]
_KEPT, _UTTERANCES = 2, 10  # frames an utterance, utterances a video
_VIDEOS = {"train": 231, "validation": 60, "test": 204}

OMG_EMOTION = World(
    name="omg_emotion",
    classes=_CLASSES,
    label="utterances",
    task="valence_arousal",
    tasks=("valence_arousal", "categorical"),
    metric="ccc",
    protocol="the official splits; a label an utterance; arousal in [0, 1], valence in [-1, 1]",
    size=96,
    channels=3,
    counts={split: videos * _UTTERANCES * _KEPT for split, videos in _VIDEOS.items()},
    people=_VIDEOS,
    # anger, disgust, fear, happiness, neutral, sadness, surprise: about right, neutral and happy lead
    frequency=dict.fromkeys(_VIDEOS, shares(_CLASSES, (0.13, 0.07, 0.06, 0.24, 0.28, 0.17, 0.05))),
    ages=(16.0, 65.0),
    dialect=Dialect(
        own={
            # actors speak while they feel: lips are never far apart from the next word
            "sadness": ((1.5, {1: 0.8, 4: 0.5, 15: 0.5, 25: 0.5, 43: 0.3}),),
            "anger": ((1.5, {4: 0.9, 7: 0.4, 25: 0.8, 26: 0.4, 20: 0.4}),),
        },
        gains={4: 1.2, 1: 1.15, 12: 0.9},
        intensity=(0.74, 4.0),
        blend=0.20,
        restless=1.2,
        turn_deg=-38,
        stretch=(1.1, 1.2),
        offset=(-0.05, 0.05),
    ),
    style=SceneStyle(
        yaw_deg=12,
        pitch_deg=7,
        roll_deg=6,
        scale=(1.06, 1.24),
        shift=0.05,
        blur=(0.1, 0.9),
        compression=(0.1, 0.5),
    ),
    panel=Panel(count=30, bias=0.5, slips=0.08, weak_below=0.25, shift=0.15, noise=0.22),
    clips=Clips(
        frames=_KEPT,
        seconds=(2.0, 12.0),
        per_video=_UTTERANCES,
        floor=(0.5, 0.95),
        drift=0.25,
        talk=0.9,
        mood=0.55,
        head_deg=5.0,
    ),
    prefix="omg",
    clip_name="utterance",
    why="Monologues and auditions: one person's feeling changes over a minute of talking; at least five "
    "annotators, who knew what went before, rated whole utterances.",
)
