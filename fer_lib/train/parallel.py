"""Independent pieces of work side by side, in processes that share the cores and do not crowd them.

Each process gets its part of the threads that this one may use. A training rounds by its number of threads:
with as many, results are those of one process after the other, to the bit.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from fer_lib import artifacts

T = TypeVar("T")
ASKED = "FER_PROCESSES"


def processes_of(processes: int | None = None) -> int:
    """How many processes to use: the argument, or FER_PROCESSES, or 1; at most one a core.

    Raises:
        ValueError: not a whole number from 1 on.
    """
    text = str(processes) if processes is not None else os.environ.get(ASKED, "") or "1"
    if not text.isdecimal() or int(text) < 1:
        name = ASKED if processes is None else "processes"
        raise ValueError(f"{name} must be a whole number from 1 on; got {text!r}. 1 works one by one.")
    return min(int(text), cores())


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_each(processes: int) -> int:
    """Threads of each of several processes: an even part of this one's, at least 1.

    Example:
        >>> threads_each(10**6)
        1
    """
    return max(1, min(torch.get_num_threads(), cores()) // processes)


def side_by_side(
    tasks: Sequence[Callable[[], T]],
    *,
    processes: int | None = None,
    progress: bool = False,
    what: str = "runs",
) -> list[T]:
    """Call functions without arguments, several at a time where that is asked for.

    In processes of their own they see a copy of what they refer to: what they change there is lost, what they
    return comes back. Results that must outlive a crash they write themselves.

    Args:
        tasks: which may be closures; they and their results travel between processes.
        processes: how many at a time; None takes FER_PROCESSES, or 1. With 1, or a single task, or on CUDA,
            whose card they would have to share, they are called here, in order.
        progress: show a bar.
        what: the tasks are called on it.

    Returns:
        What they return, in their order.

    Raises:
        ValueError: a number of processes that cannot be.
        RuntimeError: a process was killed from outside, as for want of memory.
        Exception: what a task raises; the others are stopped.

    Example:
        >>> side_by_side([lambda: 1, lambda: 2])
        [1, 2]
    """
    tasks, count = list(tasks), processes_of(processes)
    if count == 1 or len(tasks) < 2 or torch.cuda.is_available():
        return [task() for task in _bar(tasks, len(tasks), progress, what)]
    return list(_bar(_apart(tasks, min(count, len(tasks))), len(tasks), progress, what))


def ahead(tasks: Sequence[Callable[[], object]]) -> None:
    """Do work that keeps its results, for those who open them afterwards, where there are processes for it.

    Args:
        tasks: see :func:`side_by_side`; what they return is dropped.

    Example:
        >>> ahead([print])  # FER_PROCESSES is not set: whoever needs it does it
    """
    if processes_of() > 1 and len(tasks) > 1 and not torch.cuda.is_available():
        side_by_side([partial(_silent, task) for task in tasks])


def _silent(task: Callable[[], object]) -> None:
    task()


def _apart(tasks: list[Callable[[], T]], processes: int) -> Iterator[T]:
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed, parallel_config

    call = partial(_call, threads=threads_each(processes), given=_given(), folder=str(Path.cwd()))
    with parallel_config("loky", inner_max_num_threads=threads_each(processes)):
        pool = Parallel(n_jobs=processes, return_as="generator", max_nbytes=None, batch_size=1)
        try:
            yield from pool(delayed(call)(task) for task in tasks)
        except BrokenProcessPool as error:
            raise RuntimeError(
                f"processes must live to their end; one of {processes} was killed, as where memory runs out. "
                "What is finished is kept: call again, with fewer processes."
            ) from error


def _given() -> dict[str, str]:
    """What a process must know of this one's surroundings; it may have been started for an earlier call."""
    own = {name: value for name, value in os.environ.items() if name.startswith("FER_")}
    return own | {"FER_HOME": str(artifacts.home()), ASKED: "1"}


def _call(task: Callable[[], T], *, threads: int, given: dict[str, str], folder: str) -> T:
    for name in [name for name in os.environ if name.startswith("FER_") and name not in given]:
        del os.environ[name]
    os.environ.update(given)
    os.chdir(folder)
    torch.set_num_threads(threads)
    return task()


def _bar(items: Iterable[Any], total: int, show: bool, what: str) -> Iterator[Any]:
    if not show:
        return iter(items)
    from tqdm import tqdm

    return iter(tqdm(items, total=total, desc=what, unit="run"))
