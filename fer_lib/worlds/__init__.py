"""The face world: pictures of faces that nobody has, with everything about them known.

``render`` paints faces from people, action units and scenes; ``WORLDS`` holds the stand-ins of corpora, each
with its people, dialect, pictures and annotators.
"""

from fer_lib.worlds.action_units import COLUMNS, NAMES, NUMBERS, PROTOTYPES, from_intensities, prototype_table
from fer_lib.worlds.affect_rules import affect, express
from fer_lib.worlds.annotators import Panel, appearance, confusion_matrix, pair_agreement, vote
from fer_lib.worlds.catalogue import WORLDS
from fer_lib.worlds.ceilings import Ceiling, ceiling
from fer_lib.worlds.expressions import Dialect, sample_expressions
from fer_lib.worlds.feelings import EMOTIONS, FEELINGS
from fer_lib.worlds.people import People, sample_people
from fer_lib.worlds.regions import REGION_NAMES, redraw, region_masks, regions_of_landmarks
from fer_lib.worlds.renderer import REGIONS, Rendered, render
from fer_lib.worlds.scene import Scene, SceneStyle, neutral_scene, sample_scene
from fer_lib.worlds.sequences import Clips
from fer_lib.worlds.tables import landmarks_of
from fer_lib.worlds.world import World

__all__ = [
    "COLUMNS", "EMOTIONS", "FEELINGS", "NAMES", "NUMBERS", "PROTOTYPES", "REGIONS", "REGION_NAMES", "WORLDS",
    "Ceiling", "Clips", "Dialect", "Panel", "People", "Rendered", "Scene", "SceneStyle", "World", "affect",
    "appearance", "ceiling", "confusion_matrix", "express", "from_intensities", "landmarks_of",
    "neutral_scene", "pair_agreement", "prototype_table", "redraw", "region_masks", "regions_of_landmarks",
    "render", "sample_expressions", "sample_people", "sample_scene", "vote",
]  # fmt: skip
