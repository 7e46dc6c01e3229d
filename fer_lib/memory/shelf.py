"""Runs over videos that are kept, each by itself: what was finished is read, not run again (chapter 10)."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.errors import DataError
from fer_lib.memory.films import Film, Shot, films, fingerprint
from fer_lib.provenance import PACKAGE, ROOMS, key_in
from fer_lib.train.parallel import processes_of, side_by_side

if TYPE_CHECKING:
    import pandas as pd

SHELF = "memories"


@dataclass(frozen=True)
class Job:
    """Something to do with each video.

    Args:
        setting: its name.
        seed: of it.
        about: all else that decides what comes out, for the name of what is kept.
        run: makes columns of one video, each as long as the video.
    """

    setting: str
    seed: int
    about: dict[str, Any]
    run: Callable[[Film], dict[str, list[Any]]]


def watch(
    jobs: Sequence[Job], *, dataset: str, split: str, count: int, shot: Shot, root: str = ""
) -> "pd.DataFrame":
    """Do every job with every video; each video is opened once, and not at all where nothing is left to do.

    With FER_PROCESSES, the seeds go side by side, and each process opens the videos by itself.

    Args:
        jobs: what to do.
        dataset, split, count, shot, root: see ``films``.

    Returns:
        One row a video, job and frame: video, setting, seed, and the columns of the job.

    Raises:
        DataError: a kept run is damaged.
    """
    import pandas as pd

    about = {"code": key_in_room(), "dataset": dataset, "split": split, "shot": asdict(shot)}
    about["films"] = fingerprint(dataset, split, shot, root=root)
    place = artifacts.home() / SHELF
    paths = {
        (video, number): place / f"{artifacts.key(video=video, seed=job.seed, **job.about, **about)}.json"
        for video in range(count)
        for number, job in enumerate(jobs)
    }
    if not all(path.is_file() for path in paths.values()):
        reel = partial(films, dataset, split, count, shot, root=root)
        side_by_side([partial(_do, some, jobs, paths, reel) for some in _shares(jobs)])
    parts = [
        pd.DataFrame(_open(path)).assign(setting=jobs[number].setting, seed=jobs[number].seed)
        for (_, number), path in paths.items()
        if path.is_file()  # a corpus may have fewer videos
    ]
    return pd.concat(parts, ignore_index=True)


def _shares(jobs: Sequence[Job]) -> list[list[int]]:
    """The numbers of the jobs of each process; those of one seed, who share paintings, stay together."""
    seeds = list(dict.fromkeys(job.seed for job in jobs))
    count = min(processes_of(), len(seeds))
    return [[n for n, job in enumerate(jobs) if job.seed in seeds[k::count]] for k in range(count)]


def _do(
    some: Sequence[int],
    jobs: Sequence[Job],
    paths: dict[tuple[int, int], Path],
    reel: Callable[[], Iterable[Film]],
) -> None:
    """Do some of the jobs with every video."""
    if all(path.is_file() for (_, number), path in paths.items() if number in some):
        return
    for video, film in enumerate(reel()):
        for number in some:
            if not paths[video, number].is_file():
                done = jobs[number].run(film) | {"video": [film.name] * len(film)}
                artifacts.atomic_write(paths[video, number], json.dumps(done))


@functools.cache
def key_in_room() -> str:
    """Name the code that decides these runs."""
    from fer_lib.chapters.imports import Library

    modules = ("fer_lib.memory.study", "fer_lib.memory.priors")
    found = [key_in(Library(PACKAGE), name, (*ROOMS, "memory", "worlds")) for name in modules]
    return artifacts.key(code=found)


def named(*arrays: np.ndarray) -> str:
    """16 hex digits of some arrays."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:16]


def _open(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        rule, fix = "must hold a finished run as JSON", "Delete the file to run it again."
        raise DataError(path.name, rule, str(error), fix) from error
    return found
