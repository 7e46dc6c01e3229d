"""Render a world's chunks in several processes, in order, with the same bytes whatever their number.

Workers are started by ``python -m fer_lib.worlds.workers`` and not by forking: nothing of the calling program
is run again, so that notebooks and plain scripts may build worlds alike. Worker w of W renders chunks w,
w + W, ... and writes them to its pipe, which holds it back while the caller is busy: memory stays bounded.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fer_lib.worlds.world import World

SMALL = 3000 * 64 * 64  # pixels: what one process paints before others have started
Part = tuple[np.ndarray, pd.DataFrame, pd.DataFrame]


def number_of_workers(workers: int | None = None) -> int:
    """The argument, else ``$FER_WORKERS``, else the cores this process may use.

    Raises:
        ValueError: not a whole number above 0.
    """
    given: Any = workers if workers is not None else os.environ.get("FER_WORKERS") or None
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        number = int(given)
    except ValueError:
        number = 0
    if number < 1:
        name = "workers" if workers is not None else "FER_WORKERS"
        raise ValueError(f"{name} must be a whole number above 0; got {given!r}. 1 uses this process alone.")
    return number


def render_parts(
    world: World,
    numbers: dict[str, int],
    *,
    size: int,
    seed: int,
    workers: int | None = None,
    progress: bool | None = None,
) -> Iterator[Part]:
    """Render the first ``numbers[split]`` images of each split, chunk by chunk.

    Args:
        world: which world.
        numbers: images a split, in order.
        size: side in pixels.
        seed: which world of its kind.
        workers: processes; None takes ``number_of_workers()``. Small worlds are rendered by this process.
        progress: show a bar; None shows it on a terminal only.

    Returns:
        Images uint8 (b,C,S,S), their table and their truth, chunk by chunk.

    Raises:
        RuntimeError: a worker failed or was killed.
    """
    from tqdm.auto import tqdm

    tasks = [
        (split, k, min(world.chunk_rows, n - k * world.chunk_rows))
        for split, n in numbers.items()
        for k in range(-(-n // world.chunk_rows))
    ]
    total = sum(numbers.values())
    number = min(number_of_workers(workers), len(tasks))
    alone = number < 2 or total * size * size < SMALL
    job = {"world": world, "tasks": tasks, "size": size, "seed": seed}
    parts = _alone(job) if alone else _together(job, number)
    hidden = not _on_terminal() if progress is None else not progress
    with tqdm(total=total, desc=f"rendering {world.name}", unit="face", disable=hidden) as bar:
        for part in parts:
            yield part
            bar.update(len(part[0]))


def _on_terminal() -> bool:
    """Whether somebody watches. A kernel says so too, but its bar would stay on the page."""
    return sys.stderr.isatty() and "ipykernel" not in sys.modules


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: sums over several threads may round otherwise."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _alone(job: dict[str, Any], *, first: int = 0, step: int = 1) -> Iterator[Part]:
    """Every ``step``-th task from ``first`` on."""
    world, crowds = job["world"], {}
    for split, chunk, rows in job["tasks"][first::step]:
        with one_thread():
            if split not in crowds:
                crowds = {split: world.cast(split, job["seed"])}
            images, table, truth = world.chunk(crowds[split], chunk, job["size"])
        yield images[:rows], table.iloc[:rows], truth.iloc[:rows]


def _together(job: dict[str, Any], number: int) -> Iterator[Part]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(number):
            process = subprocess.Popen(
                [sys.executable, "-m", "fer_lib.worlds.workers"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            )  # fmt: skip
            processes.append(process)
            assert process.stdin is not None
            pickle.dump(job | {"index": index, "number": number}, process.stdin)
            process.stdin.close()
        for k in range(len(job["tasks"])):
            yield _receive(processes[k % number])
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _receive(process: subprocess.Popen[bytes]) -> Part:
    assert process.stdout is not None
    try:
        part = pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        code = process.wait()
        fix = "Nothing was stored; call again, with FER_WORKERS=1 if memory is short."
        raise RuntimeError(f"a rendering process stopped (exit code {code}). {fix}") from error
    if isinstance(part, str):
        raise RuntimeError(f"a rendering process failed:\n{part}")
    return part


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    """A worker: take the job, render its share, and hand it over."""
    job = pickle.load(source)
    try:
        for part in _alone(job, first=job["index"], step=job["number"]):
            pickle.dump(part, sink, protocol=pickle.HIGHEST_PROTOCOL)
            sink.flush()
    except BrokenPipeError:
        return  # the caller is gone
    except Exception:
        pickle.dump(traceback.format_exc(), sink)
        sink.flush()


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the pictures
    _serve(sys.stdin.buffer, out)
