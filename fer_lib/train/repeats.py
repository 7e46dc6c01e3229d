"""Repeat an experiment over seeds, keeping what is finished."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib.artifacts import atomic_write
from fer_lib.errors import DataError
from fer_lib.train.parallel import side_by_side

if TYPE_CHECKING:
    import pandas as pd

Outcome = dict[str, Any] | list[dict[str, Any]]


def repeat(
    run: Callable[[int], Outcome],
    seeds: Iterable[int],
    *,
    folder: str | Path | None = None,
    processes: int | None = 1,
    progress: bool = False,
) -> "pd.DataFrame":
    """Run an experiment once a seed and collect its rows.

    With a folder, a finished seed is written to ``folder/seed_<n>.json`` at once (whole or not at all) and
    is not run again: a stopped repetition goes on where it was. The folder must belong to ONE experiment;
    name it by :func:`fer_lib.artifacts.key` of all its options.

    Args:
        run: takes a seed, returns one row (a dict of numbers, strings, booleans) or a list of rows.
        seeds: distinct integers.
        folder: where finished seeds are kept; None keeps nothing.
        processes: seeds at a time, in processes of their own, where ``run`` must do nothing but return its
            rows; None takes FER_PROCESSES, or 1. See ``fer_lib.train.parallel``.
        progress: show a bar.

    Returns:
        All rows in the order of the seeds, with a column ``seed``.

    Raises:
        ValueError: a seed occurs twice.
        DataError: a kept file is damaged.

    Example:
        >>> repeat(lambda seed: {"double": 2 * seed}, [1, 2])["double"].tolist()
        [2, 4]
    """
    import pandas as pd

    seeds = list(seeds)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be distinct; got {seeds}. A repeated seed is no new evidence.")
    tasks = [partial(_one, run, seed, folder) for seed in seeds]
    found = side_by_side(tasks, processes=processes, progress=progress, what="seeds")
    return pd.DataFrame(
        [{"seed": seed, **row} for seed, rows in zip(seeds, found, strict=True) for row in rows]
    )


def _one(run: Callable[[int], Outcome], seed: int, folder: str | Path | None) -> list[dict[str, Any]]:
    if folder is None:
        return _as_rows(run(seed))
    path = Path(folder) / f"seed_{seed}.json"
    if path.is_file():
        return _read(path)
    rows = _as_rows(run(seed))
    atomic_write(path, json.dumps(rows, default=_plain, indent=1))
    return _read(path)  # what a later call will see


def _as_rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [outcome] if isinstance(outcome, dict) else list(outcome)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text())
    except ValueError as error:
        rule, fix = "must hold the rows of a finished seed as JSON", "Delete the file to run this seed again."
        raise DataError(path.name, rule, str(error), fix) from error
    return rows


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # a NumPy or PyTorch number
        return value.item()
    raise TypeError(f"rows must hold numbers, strings and booleans; got {type(value).__name__}. Convert it.")
