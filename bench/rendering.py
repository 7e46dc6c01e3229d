"""Rendering faces: batches in two worker processes against the same renderer called for one face at a time.

The alternative is what a plain data loader does that renders in ``__getitem__``: one face a call, same
processes, same threads. Both sides paint the same faces.
"""

import multiprocessing
import time
from collections.abc import Iterator

WORKERS = 2
SECONDS = 6.0  # of steady work a worker, after a warm-up


def run() -> Iterator[dict]:
    """Colour pictures a second at 64 x 64 and 112 x 112."""
    named = f"the same renderer, one face a call, {WORKERS} processes"
    for size in (64, 112):
        theirs, ours = (_together(size, batch) for batch in (1, 64))
        yield {
            "what": f"rendering {size}x{size} (images)",
            "ours": ours,
            "alternative": theirs,
            "named": named,
        }


def _together(size: int, batch: int) -> float:
    """Images a second of all workers at once."""
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        return sum(pool.starmap(_steady, [(size, batch, seed) for seed in range(WORKERS)], chunksize=1))


def _steady(size: int, batch: int, seed: int) -> float:
    """Images a second of this process, on one thread."""
    import torch

    from fer_lib import worlds

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    people = worlds.sample_people(64, seed=seed)
    units = torch.rand(64, len(worlds.NUMBERS), 2, generator=generator) * 0.6
    scene = worlds.sample_scene(64, generator, worlds.SceneStyle(occluder=0.05, compression=(0.0, 0.3)))

    def some(first: int) -> int:
        index = torch.arange(first, first + batch) % 64
        return len(worlds.render(people.take(index), units[index], scene.take(index), size=size).images)

    some(0)
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        done += some(done)
    return done / passed
