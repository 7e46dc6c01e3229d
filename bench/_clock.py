"""Items a second of a piece of work."""

import time
from collections.abc import Callable


def rates(ours: Callable[[], int], theirs: Callable[[], int], *, repeats: int = 3) -> tuple[float, float]:
    """Best rate of each of two pieces of work that take turns, so that a disturbance meets both."""
    pairs = [(rate(ours, repeats=1), rate(theirs, repeats=1)) for _ in range(repeats)]
    return max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)


def rate(work: Callable[[], int], *, repeats: int = 3) -> float:
    """Best of several runs; ``work`` returns how many items it did. The best run is the least disturbed."""
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        items = work()
        best = max(best, items / (time.perf_counter() - start))
    return best
