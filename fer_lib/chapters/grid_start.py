"""Starts a grid of runs on this machine or on a cluster; the rules are in `workflow/grid.smk`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_lib import remote
from fer_lib.chapters import catalogue, engine, gather, grid, run, show
from fer_lib.chapters.grid_file import read

_DRY = {"-n", "-np", "-pn", "--dry-run", "--dryrun"}
_CONFIG = ("-C", "--config", "--configfile", "--configfiles")


def start(file: str | Path, *, on: str, cores: int = 0, more: Sequence[str] = ()) -> int:
    """Runs a grid with Snakemake; what is done already is not run again.

    Args:
        file: the grid.
        on: a profile of Snakemake: the name of a folder in `workflow/profiles`, or a folder of your own.
        cores: of this machine, where it is to run here; 0 for all.
        more: options for Snakemake.

    Returns:
        0 when all runs are done and joined, or a dry run showed them; else 1.

    Raises:
        ValueError: see `plan`; there is no such profile; cores are given for a cluster; or an option says
            again what the file says.
    """
    from filelock import FileLock

    root = catalogue.book_root()
    found = grid.plan(read(file), root)
    profile = _profile(on, cores)
    for option in more:
        if option.split("=")[0] in _CONFIG:
            raise ValueError(f"options must not change the grid; got {option}. Write it into {file}.")
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(engine.WORKFLOW / "grid.smk")),
        *("--profile", str(profile.resolve()), "--configfile", str(Path(file).resolve())),
        *("--config", f"out={found.out}"),  # the file may have no name of its own
        *(engine.limits(cores) if on == "local" else []),
        *more,
    ]
    dry = bool(_DRY & set(more))
    if found.copy_to and not dry:  # before hours are spent
        remote.check_target(remote.join(found.copy_to, "results"), gather.RUNS, "copy_to")
    found.out.mkdir(parents=True, exist_ok=True)
    with FileLock(found.out / ".grid.lock"):  # a second start waits, then finds its work done
        if not dry:
            _clear(found)
        status = engine.call(command, cwd=root, env=os.environ | found.environment)
        if not dry:
            _sweep(found)
    if dry or not (status or _missing(found)):
        return int(bool(status))
    print(_told(found, status), file=sys.stderr)
    return 1


def _profile(on: str, cores: int) -> Path:
    """The folder of Snakemake's settings."""
    known = engine.WORKFLOW / "profiles"
    profile = next((place for place in (known / on, Path(on)) if (place / "config.yaml").is_file()), None)
    if profile is None:
        there = ", ".join(sorted(place.name for place in known.iterdir()))
        raise ValueError(
            f"--on must be a folder with config.yaml, or one of {there}; got {on!r}. Choose one."
        )
    if cores and on != "local":
        raise ValueError(
            f"--cores must be given for --on local alone; got it with --on {on}. "
            "Write `threads` into the grid, or the number into the profile."
        )
    return profile


def _told(found: grid.Plan, status: int) -> str:
    """What is not done, and where it says why."""
    missing = _missing(found)
    words = f"{len(missing)} of {len(found.jobs)} runs are not done"
    if not missing:
        words = "all runs are done, but their results are not joined"
    if missing and status != engine.STOPPED:
        words += f"; the log of the first is {show.path(found.out / 'logs' / f'{missing[0]}.log')}"
    elif status != engine.STOPPED:
        words += f": {_reason(found.out / 'logs' / 'results.log')}"
    return f"{words}. Start the grid again: it goes on where it was."


def _reason(log: Path) -> str:
    """The last line of a log that says why results could not be joined."""
    said = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    line = next((line for line in reversed(said) if line.startswith("fer: ")), "")
    return line.removeprefix("fer: ").rstrip(".") or "the messages above say why"


def _missing(found: grid.Plan) -> list[str]:
    return [job.name for job in found.jobs if not (found.out / "runs" / job.name / run.INFO).is_file()]


def _clear(found: grid.Plan) -> None:
    """Takes away what would keep a run from being made again: runs of other code, runs that cannot be read.

    Code that was edited while the grid ran makes a run that is no longer what its name says.
    """
    for job in found.jobs:
        folder = found.out / "runs" / job.name
        if folder.is_dir() and _code(folder / run.INFO) != job.code:
            shutil.rmtree(folder)


def _sweep(found: grid.Plan) -> None:
    """Takes away drafts and failed attempts of runs that are done by now: a killed run leaves its draft."""
    runs = found.out / "runs"
    for job in found.jobs:
        if (runs / job.name / run.INFO).is_file():
            for left in (runs / f"{job.name}.failed", *runs.glob(f".{job.name}-*")):
                shutil.rmtree(left, ignore_errors=True)


def _code(info: Path) -> str | None:
    """The code that made a run; None where its `run.json` says nothing of it."""
    try:
        return json.loads(info.read_text(encoding="utf-8")).get("code")
    except (OSError, ValueError, AttributeError):
        return None
