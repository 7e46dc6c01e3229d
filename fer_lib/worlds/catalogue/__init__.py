"""The worlds that stand in for corpora, by the corpus's name; one file a corpus or a family of them."""

from fer_lib.worlds.catalogue.affectnet import AFFECTNET, MASKED_AFFECTNET
from fer_lib.worlds.catalogue.affwild2 import AFFWILD2
from fer_lib.worlds.catalogue.amigos import AMIGOS
from fer_lib.worlds.catalogue.elderreact import ELDERREACT
from fer_lib.worlds.catalogue.emoreact import EMOREACT
from fer_lib.worlds.catalogue.fabo import FABO
from fer_lib.worlds.catalogue.fer2013 import FER2013, FERPLUS
from fer_lib.worlds.catalogue.jaffe import JAFFE
from fer_lib.worlds.catalogue.omg_emotion import OMG_EMOTION
from fer_lib.worlds.world import World

_ALL = (
    AFFECTNET, MASKED_AFFECTNET, FER2013, FERPLUS, JAFFE, OMG_EMOTION, ELDERREACT, EMOREACT, FABO, AMIGOS,
    AFFWILD2,
)  # fmt: skip

WORLDS: dict[str, World] = {world.name: world for world in _ALL}
"""Every world by its corpus's name; ``fer_lib.datasets.load("world:<name>")`` reads them."""
