"""Joins the results of a grid: runs that differ in their seeds alone become one table, as if run together."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import remote
from fer_lib.chapters import run, seeds
from fer_lib.chapters.grid import Job, Plan, written

if TYPE_CHECKING:
    import pandas as pd

RUNS = "runs.csv"
LEFT = "left_out.csv"
COMPLETE = ".complete"  # written last: what Snakemake waits for
_COST = ["value", "commit", "device", "seconds"]  # what two runs of the same experiment may differ in


def gather(plan: Plan) -> Path:
    """Joins what the jobs of a grid left in `runs/` into the folder `results/`.

    For each chapter, dataset, encoder and further parameters there is a folder with the chapter's own result
    files, all seeds in each; `fer_lib.results.load` reads them all, or one of them. `runs.csv` has a line a
    run: what it was, the command that repeats it, commit, device, seconds, memory. Rows without a seed sum up
    the seeds of one run; where runs differ in them, they stand in `left_out.csv`, and in no table.

    Returns:
        The folder, which appears whole or not at all.

    Raises:
        ValueError: a run is not there, was made by other code than planned, or two runs have other values for
            the same row and seed.
    """
    done = {job.name: run.load(plan.out / "runs" / job.name) for job in plan.jobs}
    for job in plan.jobs:
        if done[job.name].info.get("code") != job.code:
            raise ValueError(
                f"runs/{job.name} must be made by the code that was planned; got other code. Chapters or "
                "library were edited meanwhile; start the grid again: what the edit does not touch is kept."
            )
    draft = Path(tempfile.mkdtemp(prefix=".results-", dir=plan.out))
    try:
        left: list[dict[str, Any]] = []
        lines: dict[str, dict[str, Any]] = {}
        for name, jobs in settings(plan).items():
            left += _join(name, [done[job.name] for job in jobs], draft)
            lines |= {job.name: _line(job, done[job.name].info, name) for job in jobs}
        _write(draft / RUNS, [lines[job.name] for job in plan.jobs])
        _write(draft / LEFT, left)
        (draft / COMPLETE).touch()
        draft.chmod(0o755)
        final = plan.out / "results"
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if left:
        print(
            f"{len(left)} rows are left out, as they sum up the seeds of one run: {final / LEFT}", flush=True
        )
    if plan.copy_to:
        for name in done:
            remote.send(plan.out / "runs" / name, remote.join(plan.copy_to, "runs", name))
        remote.send(final, remote.join(plan.copy_to, "results"))
    return final


def settings(plan: Plan) -> dict[str, list[Job]]:
    """The jobs that differ in their seeds alone, by the name of the folder of their results.

    A name tells what differs between the settings of a chapter: `04_facechannel/dataset=world-fer2013`.
    Folders of data are no part of it; where names would be equal, the second ends in `-2`.
    """
    groups: dict[str, list[Job]] = {}
    found: dict[str, list[tuple[dict[str, str], list[Job]]]] = {}
    for job in plan.jobs:
        chapter, given = job.setting
        of_chapter = found.setdefault(chapter, [])
        same = next((jobs for other, jobs in of_chapter if other == given), None)
        if same is None:
            of_chapter.append((given, [job]))
        else:
            same.append(job)
    for chapter, several in found.items():
        every = {name for given, _ in several for name in given}
        differ = sorted(name for name in every if len({given.get(name) for given, _ in several}) > 1)
        for given, jobs in several:
            words = [f"{name}={_plain(given.get(name, ''))}" for name in differ if name != "data_root"]
            groups[_free("/".join([chapter, ",".join(words)]).rstrip("/"), groups)] = jobs
    return groups


def _join(name: str, runs: Sequence[run.Run], draft: Path) -> list[dict[str, Any]]:
    """Writes the result files of one setting; returns the rows that could not be joined."""
    import pandas as pd

    left: list[dict[str, Any]] = []
    for file in sorted({file for one in runs for file in one.info["results"]}):
        parts = [
            pd.read_parquet(one.folder / "results" / file) for one in runs if file in one.info["results"]
        ]
        rows, other = joined(parts, where=f"{name}/{file}")
        left += [{"setting": name, "file": file, **record} for record in other.to_dict("records")]
        (draft / name).mkdir(parents=True, exist_ok=True)
        rows.to_parquet(draft / name / file, index=False)
    return left


def joined(parts: Sequence[pd.DataFrame], *, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Joins the rows of runs with different seeds.

    Args:
        parts: the same result file of each run.
        where: a name for messages.

    Returns:
        All rows, those of a seed once, in the order of the runs; and the rows without a seed in which the
        runs differ, which belong to none of them alone.

    Raises:
        ValueError: two runs have other values for the same row and seed.
    """
    import pandas as pd

    every = pd.concat(parts, ignore_index=True)
    same = [name for name in every.columns if name not in _COST]
    number = pd.concat([part.groupby(same, sort=False, dropna=False).cumcount() for part in parts])
    every["again"] = (
        number.to_numpy()
    )  # a run may have two rows of one name; they are told apart by their order
    groups = every.groupby([*same, "again"], sort=False, dropna=False)["value"]
    differs = groups.transform("nunique") > 1
    seeded = every["seed"].notna()
    if (differs & seeded).any():
        row, values = every[differs & seeded].iloc[0], sorted(every[differs & seeded]["value"])
        raise ValueError(
            f"runs of {where} must agree on the rows that they share; got {values[:2]} for seed "
            f"{row['seed']} of {row['row']}, {row['column']}. Compare the devices in their run.json."
        )
    whole = groups.transform("size") == len(parts)  # a row without a seed must be in every run
    left = ~seeded & (differs | ~whole)
    kept = every[~left & ~every.duplicated([*same, "again"])].drop(columns="again")
    return kept.reset_index(drop=True), every[left].drop(columns="again").reset_index(drop=True)


def _line(job: Job, info: dict[str, Any], setting: str) -> dict[str, Any]:
    """What `runs.csv` says of a run."""
    named = {name: job.given.get(name, "") for name in ("profile", "dataset", "encoder", seeds.NAME)}
    known = ("commit", "device", "threads", "seconds", "peak_memory_gb", "command")
    versions = json.dumps(info.get("versions", {}))
    names = {"run": job.name, "chapter": job.chapter, "setting": setting}
    return {**names, **named, **{name: info.get(name) for name in known}} | {"versions": versions}


def _write(path: Path, records: list[dict[str, Any]]) -> None:
    import pandas as pd

    if records:
        pd.DataFrame(records).to_csv(path, index=False)


def _free(name: str, taken: Container[str]) -> str:
    """The name, or the first of `name-2`, `name-3`, ... that is free."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _plain(value: str) -> str:
    """A value as part of a folder's name."""
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in value)


def main(out: str) -> int:
    """What the rule of `workflow/grid.smk` calls; errors that a user can mend are one line.

    Args:
        out: the grid's folder.

    Returns:
        0 when the results are joined, else 1.
    """
    try:
        gather(written(out))
    except (ValueError, OSError) as error:
        print(f"fer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
