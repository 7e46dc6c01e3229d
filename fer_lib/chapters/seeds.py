"""Which seeds a run takes: a number of them, counted from 0, or a range such as 10-19."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = "seeds"
_RANGE = re.compile(r"^\s*(\d+)\s*-\s*(\d+)\s*$")


def split(given: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Parts the parameters of a run into the first seed and a mere number of seeds.

    Args:
        given: parameters as texts, by name; `seeds` may be a range.

    Returns:
        The first seed, and the parameters with a number for `seeds`.

    Raises:
        ValueError: when a range ends before it begins.

    >>> split({"seeds": "10-19", "profile": "full"})
    (10, {'seeds': '10', 'profile': 'full'})
    >>> split({"seeds": "5"})
    (0, {'seeds': '5'})
    """
    found = _RANGE.match(given.get(NAME, ""))
    if not found:
        return 0, dict(given)
    first, last = int(found[1]), int(found[2])
    if last < first:
        raise ValueError(
            f"seeds must be a number, or a range FIRST-LAST; got {given[NAME]!r}, which holds none. "
            f"Write for example {last}-{first}."
        )
    return first, {**given, NAME: str(last - first + 1)}


def blocks(seeds: str, per_job: int) -> list[str]:
    """Parts seeds into ranges for several jobs; what is left over goes to the last.

    Args:
        seeds: a number or a range, as `split` takes it.
        per_job: how many a job takes, at least 1.

    >>> blocks("5", 2), blocks("3-3", 1), blocks("10-13", 4)
    (['0-1', '2-4'], ['3-3'], ['10-13'])
    """
    first, counted = split({NAME: seeds})
    end = first + int(counted[NAME])
    starts = list(range(first, max(first + 1, end - per_job + 1), per_job))
    return [f"{a}-{b - 1}" for a, b in zip(starts, [*starts[1:], end], strict=True)]
