"""Items a second of a piece of work."""

import time
from collections.abc import Callable


def rate(work: Callable[[], int], *, repeats: int = 3) -> float:
    """Best of several runs; ``work`` returns how many items it did. The best run is the least disturbed."""
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        items = work()
        best = max(best, items / (time.perf_counter() - start))
    return best
