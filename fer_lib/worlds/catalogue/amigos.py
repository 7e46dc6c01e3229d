"""AMIGOS: people alone before short films, filmed from the front; three annotators a segment of 20 s."""

from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.world import World

_KEPT, _FILMS, _SEGMENTS = 5, 16, 12  # a frame every 4 s; films a person; segments a film
_PEOPLE = {"train": 30, "test": 10}

_SHOWN = {
    "neutral": 0.50, "happiness": 0.22, "sadness": 0.07, "surprise": 0.06, "fear": 0.05, "disgust": 0.06,
    "contempt": 0.02, "boredom": 0.02,
}  # fmt: skip

AMIGOS = World(
    name="amigos",
    classes=(),
    label="segments",
    task="valence_arousal",
    tasks=("valence_arousal",),
    metric="ccc",
    protocol="a frame every 4 s; test: the ten people of the personal protocol, 5 folds in each person",
    size=96,
    channels=3,
    counts={split: people * _FILMS * _SEGMENTS * _KEPT for split, people in _PEOPLE.items()},
    people=_PEOPLE,
    frequency={split: _SHOWN for split in _PEOPLE},
    ages=(21.0, 40.0),
    dialect=Dialect(
        variants={
            "happiness": (0.1, 2.0, 0.1, 1.4),
            "surprise": (0.1, 0.1, 0.9, 1.8),
            "sadness": (0.1, 1.6, 1.6, 0.1),
            "disgust": (0.4, 1.8, 0.1),
        },
        own={
            # nobody is looked at: leaning lips, a nose that wrinkles a little, a stare
            "fear": ((3.0, {4: 0.5, 7: 0.6, 20: 0.4, 24: 0.4}),),
            "sadness": ((2.0, {4: 0.4, 17: 0.7, 24: 0.6}),),
        },
        intensity=(0.50, 4.0),
        blend=0.15,
        restless=0.7,
        turn_deg=-42,
        stretch=(0.9, 1.0),
        offset=(0.0, -0.32),
        arousal={43: -1.2, 5: 0.9, 12: 0.4},
    ),
    style=SceneStyle(
        yaw_deg=5,
        pitch_deg=5,
        roll_deg=4,
        scale=(1.08, 1.22),
        shift=0.03,
        busy=0.2,
        contrast=(1.4, 2.6),
        blur=(0.2, 0.7),
        noise=(0.006, 0.02),
        compression=(0.05, 0.3),
        headwear=0.0,
    ),
    panel=Panel(count=3, shift=0.05, noise=0.08),
    clips=Clips(
        frames=_KEPT,
        seconds=(20.0, 20.0),
        per_video=_SEGMENTS,
        videos=_FILMS,
        floor=(0.5, 1.0),
        drift=0.2,
        talk=0.03,
        mood=0.5,
        head_deg=2.5,
        blinks=14.0,
    ),
    prefix="P",
    digits=2,
    clip_name="segment",
    why="Viewers who talk to nobody. In their world: long stillness, small smiles, low arousal that shows in "
    "the lids, films that relax or rouse. It is made so that valence travels better than arousal, as the "
    "study of chapter 11 found on the corpus.",
)
