"""Starts a grid of runs on this machine or on a cluster; the rules are in `workflow/grid.smk`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_lib.chapters import build, catalogue, grid, run, show


def start(file: str | Path, *, on: str, cores: int = 0, more: Sequence[str] = ()) -> int:
    """Runs a grid with Snakemake; what is done already is not run again.

    Args:
        file: the grid.
        on: a profile of Snakemake: the name of a folder in `workflow/profiles`, or a folder of your own.
        cores: of this machine, where it is to run here; 0 for all.
        more: options for Snakemake.

    Returns:
        0 when all runs are done and joined, else 1.

    Raises:
        ValueError: see `plan`; or there is no such profile.
    """
    from filelock import FileLock

    root = catalogue.book_root()
    found = grid.plan(read(file), root)
    profile = next((place for place in (build.WORKFLOW / "profiles" / on, Path(on)) if place.is_dir()), None)
    if profile is None:
        there = ", ".join(sorted(place.name for place in (build.WORKFLOW / "profiles").iterdir()))
        raise ValueError(
            f"--on must be a folder with config.yaml, or one of {there}; got {on!r}. Choose one."
        )
    here = ["--cores", str(cores or build.cores_here()), "--resources", f"mem_mb={build.memory_mb()}"]
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(build.WORKFLOW / "grid.smk")),
        *("--profile", str(profile.resolve()), "--configfile", str(Path(file).resolve())),
        *(here if on == "local" else []),
        *more,
    ]
    found.out.mkdir(parents=True, exist_ok=True)
    with FileLock(
        found.out / ".grid.lock"
    ):  # a second start of the same grid waits, then finds its work done
        done = subprocess.run(command, cwd=root, env=os.environ | {"FER_BOOK": str(root)}).returncode
    missing = [job.name for job in found.jobs if not (found.out / "runs" / job.name / run.INFO).is_file()]
    if missing:
        log = show.path(found.out / "logs" / f"{missing[0]}.log")
        words = f"{len(missing)} of {len(found.jobs)} runs are not done; the log of the first is {log}"
        print(f"{words}. Start the grid again: it goes on where it was.", file=sys.stderr)
    return int(bool(done or missing))


def _clear(found: grid.Plan) -> None:
    """Takes away runs that another code made than their name says: it was edited while the grid ran."""
    for job in found.jobs:
        info = found.out / "runs" / job.name / run.INFO
        if info.is_file() and json.loads(info.read_text(encoding="utf-8")).get("code") != job.code:
            shutil.rmtree(info.parent)


def read(file: str | Path) -> dict[str, Any]:
    """What a grid's file holds.

    Raises:
        ValueError: it is not YAML, or holds no names.
    """
    import yaml

    try:
        held = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"grid must be a YAML file; got {file}: {error}. Correct it.") from None
    if not isinstance(held, dict):
        raise ValueError(f"grid must be a YAML file with names and values; got {file}. See workflow/grids.")
    return held
