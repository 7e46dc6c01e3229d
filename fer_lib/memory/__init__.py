"""Memories that grow: a self-organising network, and what it remembers of one person (chapter 10)."""

from fer_lib.memory.affective import AffectiveMemory, Perceived
from fer_lib.memory.gwr import GrowWhenRequired
from fer_lib.memory.rule import Step

__all__ = ["AffectiveMemory", "GrowWhenRequired", "Perceived", "Step"]
