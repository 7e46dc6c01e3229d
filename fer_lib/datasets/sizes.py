"""How many faces a chapter takes of a corpus in each profile, unless it has reasons of its own."""

from __future__ import annotations

from fer_lib.datasets.corpora import CORPORA, WORLD, describe, names
from fer_lib.errors import DataError

PROFILES = ("smoke", "quick", "full")
# faces of training and of held-out splits that two cores render and learn from within the profile's minutes
_WORLDS = {"smoke": (384, 192), "quick": (4000, 1600)}
# real corpora need no rendering: only what a small network can learn from in the profile's time
_CORPORA = {"smoke": (512, 256), "quick": (12_000, 4_000)}


def limit_for(name: str, profile: str, split: str = "train") -> int | None:
    """Number of faces to load in a profile, for ``load(..., limit=limit_for(...))``.

    Args:
        name: of a corpus or a world.
        profile: "smoke", "quick" or "full".
        split: as `load` takes it; "train" counts as training, anything else as held out.

    Returns:
        None, all of it, in the full profile and where a corpus is no larger than the limit.

    Raises:
        DataError: an unknown corpus.
        ValueError: another profile.

    Example:
        >>> limit_for("world:affectnet", "quick"), limit_for("world:jaffe", "quick")
        (4000, None)
    """
    if profile not in PROFILES:
        raise ValueError(
            f"profile must be one of {', '.join(PROFILES)}; got {profile!r}. Choose one of these."
        )
    if name not in CORPORA and name not in names():
        raise DataError("name", "must be a corpus or a world", repr(name), "See fer_lib.datasets.names().")
    if profile == "full":
        return None
    sizes = _WORLDS if name.startswith(WORLD) else _CORPORA
    limit = sizes[profile][0 if split == "train" else 1]
    counts = describe(name).counts
    whole = sum(counts.get(part, 0) for part in split.split("+")) or sum(counts.values())
    return None if counts and whole <= limit and name.startswith(WORLD) else limit


__all__ = ["PROFILES", "limit_for"]
