"""Chapters: what a notebook needs (`choose`, `seeds_of`, `glue`); the command `fer` lives in the modules beside it."""

from fer_lib.chapters.helpers import PROFILES, choose, glue, seeds_of

__all__ = ["PROFILES", "choose", "glue", "seeds_of"]
