"""What a chapter's cells need: `choose`, `seeds_of`, `glue`. The command `fer` is made of the modules."""

from fer_lib.chapters.helpers import PROFILES, choose, glue, seeds_of

__all__ = ["PROFILES", "choose", "glue", "seeds_of"]
