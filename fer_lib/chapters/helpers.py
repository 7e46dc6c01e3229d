"""Three helpers for a chapter's cells: a value by profile, the seeds of a run, a number for the prose."""

from __future__ import annotations

import os
from typing import Any, TypeVar

T = TypeVar("T")

PROFILES = ("smoke", "quick", "full")
"""How much a run does: a test in seconds, the book on two cores, the papers' sizes on one GPU."""

_SEEDS = {"smoke": 2, "full": 30}


def check_profile(profile: str) -> str:
    """Returns the profile when it is one of `PROFILES`.

    Raises:
        ValueError: for any other name.

    >>> check_profile("quick")
    'quick'
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be smoke, quick or full; got {profile!r}. Choose one of the three.")
    return profile


def choose(profile: str, *, smoke: T, quick: T, full: T) -> T:
    """Picks the value that belongs to the profile.

    Args:
        profile: "smoke", "quick" or "full".
        smoke: the value for a test in seconds.
        quick: the value for the book on two cores.
        full: the value of the paper.

    Raises:
        ValueError: for an unknown profile.

    >>> choose("quick", smoke=1, quick=12, full=100)
    12
    """
    return {"smoke": smoke, "quick": quick, "full": full}[check_profile(profile)]


def seeds_of(seeds: int, profile: str, *, quick: int = 5) -> list[int]:
    """Lists the seeds of an experiment: 0, 1, 2, ..., or so many from $FER_FIRST_SEED on.

    The runner sets that variable where a range was asked for (`fer run ... --seeds 10-19`).

    Args:
        seeds: how many; 0 means the profile's own number (smoke 2, quick `quick`, full 30).
        profile: "smoke", "quick" or "full".
        quick: the number for the quick profile, for chapters that need another than 5.

    Raises:
        ValueError: for a negative number or an unknown profile.

    >>> seeds_of(0, "smoke")
    [0, 1]
    >>> seeds_of(3, "full")
    [0, 1, 2]
    """
    own = {"quick": quick, **_SEEDS}[check_profile(profile)]
    if isinstance(seeds, bool) or not isinstance(seeds, int):
        raise TypeError(f"seeds must be a whole number; got {seeds!r}. Give how many runs to make.")
    if seeds < 0:
        raise ValueError(f"seeds must be 0 or more; got {seeds}. Give 0 for the profile's own number.")
    first = int(os.environ.get("FER_FIRST_SEED") or 0)
    return list(range(first, first + (seeds or own)))


def glue(name: str, value: Any) -> None:
    """Stores a number or a text under a name, so that the prose can show it.

    Numbers of NumPy and PyTorch become plain floats first, because MyST can format only those
    (`` {glue:text}`name:.2f` ``). Whole numbers stay whole.

    Args:
        name: the name that the prose uses.
        value: a number, a 0-dimensional array or tensor, or anything with a text form.
    """
    from myst_nb import glue as myst_glue

    myst_glue(name, plain(value), display=False)


def plain(value: Any) -> int | float | str:
    """Turns a number of any library into Python's own, anything else into its text.

    >>> import numpy as np
    >>> plain(np.float32(0.5)), plain(np.int64(3)), plain("world:ferplus")
    (0.5, 3, 'world:ferplus')
    """
    if hasattr(value, "item") and getattr(value, "size", None) != 0:
        value = value.item()
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, (int, float, str)) else str(value)
