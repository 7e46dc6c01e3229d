"""Tidy result rows: one number a row, with all that says where it came from."""

import functools
import math
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import artifacts, remote

COLUMNS = (
    "paper",  # id of the work reproduced, such as "face-stn"
    "table",  # its table or figure, such as "Fig 8"
    "row",
    "column",
    "dataset",
    "encoder",
    "regime",
    "metric",
    "seed",
    "value",
    "profile",
    "commit",
    "device",
    "seconds",
)
_NUMBERS = {"seed": "Int64", "value": "float64", "seconds": "float64"}


def row(**fields: object) -> dict[str, object]:
    """Make one result row; what is not given is filled in or left empty.

    Args:
        **fields: any of :data:`COLUMNS`; ``metric`` and ``value`` are required. ``profile`` defaults to
            ``$FER_PROFILE``, ``commit`` to the checkout's, ``device`` to ``"cpu"``.

    Returns:
        A dict with all :data:`COLUMNS` in order.

    Raises:
        ValueError: an unknown column, or ``metric`` or ``value`` is missing or not finite.

    Example:
        >>> row(metric="accuracy", value=0.5, seed=3, commit="")["value"]
        0.5
    """
    unknown = sorted(set(fields) - set(COLUMNS))
    if unknown:
        raise ValueError(f"fields must be result columns; got {unknown}. Use {', '.join(COLUMNS)}.")
    for name in ("metric", "value"):
        if fields.get(name) is None:
            raise ValueError(f"{name} must be given; got None. A row without it says nothing.")
    value = float(fields["value"])  # type: ignore[arg-type]
    if not math.isfinite(value):
        raise ValueError(f"value must be finite; got {value}. Find out why before you store it.")
    filled: dict[str, object] = dict.fromkeys(COLUMNS, "")
    filled |= {"seed": None, "seconds": None, "device": "cpu", "profile": os.environ.get("FER_PROFILE", "")}
    filled |= {"commit": fields["commit"] if "commit" in fields else _commit()}
    return filled | fields | {"value": value}


def save(rows: Iterable[dict[str, object]], name: str) -> Path:
    """Write rows as Parquet, atomically, over an earlier file of the same name.

    Args:
        rows: from :func:`row`.
        name: the file's stem, by custom the chapter's and the experiment's, such as ``"04_inhibition"``.

    Returns:
        Path of the file: in ``$FER_RUN_DIR/results`` inside a chapter run, else in the library's own
        folder ``results/interactive``.

    Raises:
        ValueError: there are no rows, or a row lacks columns.
    """
    frame = _frame(list(rows))
    run = os.environ.get("FER_RUN_DIR")
    folder = Path(run) / "results" if run else artifacts.home() / "results" / "interactive"
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{name}-", suffix=".parquet", dir=folder)
    os.close(handle)
    try:
        frame.to_parquet(draft, index=False)
        os.chmod(draft, 0o644)  # mkstemp's 0600 would hide results on a shared disk
        os.replace(draft, folder / f"{name}.parquet")
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return folder / f"{name}.parquet"


def load(paths: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """Read result rows.

    Args:
        paths: one Parquet file, a folder that holds some (see `files_of`), or several of either; also an
            address of one, such as "s3://lab/grids/first/results".

    Returns:
        One frame with :data:`COLUMNS`.

    Raises:
        FileNotFoundError: nothing there.
    """
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    files: list[Path] = []
    for path in map(remote.local, several):
        found = files_of(path) if path.is_dir() else [path]
        if not found or not all(file.is_file() for file in found):
            raise FileNotFoundError(f"paths must hold result rows; got {path}. Run a chapter first.")
        files += found
    return _frame([record for file in files for record in pd.read_parquet(file).to_dict("records")])


def files_of(folder: Path) -> list[Path]:
    """Parquet files of the finished runs in a folder, at any depth, in order.

    Left out are runs that failed (``NAME.failed``), what a killed run left (hidden folders), and the single
    runs of a grid whose rows are joined already: they would be counted twice.
    """

    def counts(file: Path) -> bool:
        within = file.relative_to(folder)
        if any(part.startswith(".") or part.endswith(".failed") for part in within.parts):
            return False
        above = [place for place in file.parents if place != folder and place.is_relative_to(folder)]
        grids = [place.parent for place in above if place.name == "runs"]
        return not any((grid / "plan.json").is_file() and (grid / "results").is_dir() for grid in grids)

    return sorted(file for file in folder.rglob("*.parquet") if counts(file))


def summarise(rows: pd.DataFrame, *, by: Sequence[str], confidence: float = 0.95) -> pd.DataFrame:
    """Mean over seeds with a Student t interval, one line a group.

    Args:
        rows: result rows.
        by: columns that name a group; the remaining spread is taken to be over seeds.
        confidence: of the interval, in (0, 1).

    Returns:
        ``by`` columns, ``mean``, ``low``, ``high`` (NaN with a single run), ``seeds``; in order of first
        appearance. No rows give no lines.

    Raises:
        ValueError: a confidence out of range, or columns that the rows have not.

    Example:
        >>> rows = pd.DataFrame([row(metric="m", value=v, commit="") for v in (1, 2, 3)])
        >>> summarise(rows, by=["metric"])[["mean", "low", "high"]].round(2).values.tolist()
        [[2.0, -0.48, 4.48]]
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1); got {confidence}. Use 0.95, say.")
    lacking = [name for name in (*by, "value") if name not in rows]
    if lacking and len(rows):
        raise ValueError(f"by must name columns of the rows; got {lacking}. They have {list(rows)}.")
    if not len(rows):
        types = dict.fromkeys(by, object) | dict.fromkeys(("mean", "low", "high"), float) | {"seeds": int}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
    from scipy import stats

    def line(values: pd.Series) -> pd.Series:
        n, mean = len(values), values.mean()
        half = stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        return pd.Series({"mean": mean, "low": mean - half, "high": mean + half, "seeds": n})

    groups = rows.groupby(list(by), sort=False, dropna=False)["value"].apply(line)
    return groups.unstack().reset_index().astype({"seeds": int})


def _frame(records: list[dict[str, object]]) -> pd.DataFrame:
    if not records:
        raise ValueError("rows must hold at least one result; got none. Did the experiment run?")
    lacking = [column for column in COLUMNS if column not in records[0]]
    if lacking:
        raise ValueError(f"rows must have all result columns; got none of {lacking}. Make rows with row().")
    return pd.DataFrame(records, columns=list(COLUMNS)).astype(_NUMBERS)


@functools.cache
def _commit() -> str:
    """Short hash of the checkout that holds the library, or "" outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
