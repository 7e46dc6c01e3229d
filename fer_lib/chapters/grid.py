"""A grid of runs, chapter x dataset x encoder x seeds: what is to be run, its name, what it needs.

The rules are in `workflow/grid.smk`; each job is one call of `fer run`. `gather` joins the results.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fer_lib import artifacts
from fer_lib.chapters import catalogue, grid_checks, grid_file, keys, parameters, seeds
from fer_lib.chapters.grid_file import amount, listed, number, text
from fer_lib.chapters.helpers import seeds_of
from fer_lib.chapters.imports import Library
from fer_lib.chapters.notebooks import write_if_changed

FILE = "plan.json"
_AXES = {"datasets": "dataset", "encoders": "encoder"}
_AT_LEAST = re.compile(r"at least (\d+)")
_THREADS = {"smoke": 1, "quick": 1, "full": 4}
_ENGINE_MB = 1000  # two processes of Snakemake run beside the chapter on a node


@dataclass(frozen=True)
class Job:
    """One run of a grid.

    Attributes:
        name: of its folder, made from the chapter's code and all values that it is given.
        chapter: its name.
        given: parameters as texts, by name, as `fer run -p` takes them.
        mem_mb: memory to ask for, in MB: what the entry says, or the chapter's header and what the engine
            takes.
        minutes: time to ask for: what the entry says, or three times the job's share of what the header says,
            and ten minutes.
        gpus: graphics cards to ask for.
        threads: cores.
        code: names the code that is to run, see `run.code_of`.
    """

    name: str
    chapter: str
    given: dict[str, str]
    mem_mb: int
    minutes: int
    gpus: int
    threads: int
    code: str

    @property
    def options(self) -> str:
        """The parameters as `fer run` takes them on a command line."""
        return shlex.join([part for pair in self.given.items() for part in ("-p", "=".join(pair))])

    @property
    def setting(self) -> tuple[str, dict[str, str]]:
        """What its results share with those of the same grid for other seeds: all but the seeds."""
        return self.chapter, {name: value for name, value in self.given.items() if name != seeds.NAME}


@dataclass(frozen=True)
class Plan:
    """The jobs of a grid, the folder that they fill, where that is copied to, and what they need around them.

    `copy_to` is "" for nowhere; with the variables in `environment` a job finds book, store and corpora.

    It is written to `plan.json` when a grid starts, and jobs on other machines read it from there.
    """

    jobs: tuple[Job, ...]
    out: Path
    copy_to: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, Job]:
        """The jobs by name."""
        return {job.name: job for job in self.jobs}

    def write(self) -> None:
        """Writes `plan.json` in the grid's folder, where it changed."""
        jobs = [asdict(job) for job in self.jobs]
        held = {"copy_to": self.copy_to, "environment": self.environment, "jobs": jobs}
        write_if_changed(self.out / FILE, json.dumps(held, indent=1) + "\n")


def written(out: str | Path) -> Plan:
    """The plan of a grid that was started.

    Raises:
        ValueError: the folder holds none.
    """
    file = Path(out) / FILE
    if not file.is_file():
        raise ValueError(f"out must be the folder of a grid; got {out}, without {FILE}. Start the grid.")
    held = json.loads(file.read_text(encoding="utf-8"))
    return Plan(
        tuple(Job(**job) for job in held["jobs"]), Path(out).resolve(), held["copy_to"], held["environment"]
    )


def folder(config: Mapping[str, Any], root: Path) -> Path:
    """The folder that a grid fills."""
    return (root / str(config.get("out") or f"_build/grids/{config.get('name') or 'grid'}")).resolve()


def plan(config: Mapping[str, Any], root: Path | None = None) -> Plan:
    """Reads a grid.

    Args:
        config: what the grid's file holds (see `workflow/grids/first.yaml`): `runs`, a list of entries with
            `chapters`, `datasets`, `encoders`, `seeds`, `seeds_per_job`, `parameters`, `minutes`,
            `memory_gb`; or one such entry by itself. Beside it `name`, `profile`, `threads`, `out`,
            `data_roots` (a folder by dataset) and `copy_to`. A text with commas stands for a list.
        root: the book's folder; relative paths start there.

    Raises:
        ValueError: for a file of another shape, a value that a chapter does not take, a chapter without the
            parameter that a list is meant for, a corpus that is nowhere, too few seeds in a job, or the same
            run twice.
    """
    root = root or catalogue.book_root()
    entries = grid_file.entries(config)
    profile = str(config.get("profile") or "quick")
    roots = _roots(config, root)
    grid_checks.roots(
        roots, (name for entry in entries for name in listed("datasets", entry.get("datasets")))
    )
    library = Library(keys.PACKAGE)
    jobs: list[Job] = []
    real: set[tuple[str, str]] = set()
    for entry in entries:
        for name in listed("chapters", entry["chapters"]):
            chapter = catalogue.find(name, root)
            code = artifacts.key(**keys.key_of(chapter, profile=profile, library=library))
            known = parameters.inspect(chapter)
            for given in _settings(chapter, known, {**entry, "profile": profile}, roots, root):
                asked = {**entry, "threads": number("threads", config.get("threads"))}
                jobs.append(_job(chapter, given, profile, code, asked))
                real.update(grid_checks.corpora(given, known))
    twice = {job.name for job in jobs if sum(job.name == other.name for other in jobs) > 1}
    if twice:
        job = next(job for job in jobs if job.name in twice)
        raise ValueError(f"runs must differ; got twice {job.chapter} {job.options}. Drop one of them.")
    for corpus, place in sorted(real):
        grid_checks.found(corpus, place)
    copy_to = str(config.get("copy_to") or "")
    return Plan(tuple(jobs), folder(config, root), copy_to, _environment(root))


def table(found: Plan) -> str:
    """What a grid asks for, a line a job, for a person."""
    lines = [
        f"{job.chapter:<32} {job.options}  [{job.threads} cores, {job.mem_mb} MB, {job.minutes} min"
        f"{f', {job.gpus} GPU' if job.gpus else ''}]"
        for job in found.jobs
    ]
    return "\n".join([*lines, f"{len(found.jobs)} runs"])


def _job(
    chapter: catalogue.Chapter, given: dict[str, str], profile: str, code: str, asked: Mapping[str, Any]
) -> Job:
    content = artifacts.key(code=code, given=given)
    memory = amount("memory_gb", asked.get("memory_gb"))
    minutes = 3 * chapter.minutes.get(profile, 10) * _share(given, profile) + 10
    return Job(
        name=f"{chapter.name}-{profile}-{content[:10]}",
        chapter=chapter.name,
        given=given,
        mem_mb=int(1000 * memory) or int(1000 * chapter.memory_gb.get(profile, 2)) + _ENGINE_MB,
        minutes=math.ceil(amount("minutes", asked.get("minutes"))) or int(minutes),
        gpus=chapter.needs_gpus(profile),
        threads=asked["threads"] or _THREADS[profile],
        code=code,
    )


def _share(given: Mapping[str, str], profile: str) -> float:
    """How much of the header's minutes a job takes: those are the minutes of all the profile's seeds.

    Decoding and the training of an encoder do not shrink with the seeds, so a fifth is the least.
    """
    if seeds.NAME not in given:
        return 1.0
    count = int(seeds.split(given)[1][seeds.NAME])
    return max(count / len(seeds_of(0, profile)), 0.2)


def _settings(
    chapter: catalogue.Chapter,
    known: Mapping[str, parameters.Parameter],
    entry: Mapping[str, Any],
    roots: Mapping[str, str],
    root: Path,
) -> Iterator[dict[str, str]]:
    """The parameters of each run of a chapter, as texts, checked."""
    axes = {name: listed(key, entry.get(key)) for key, name in _AXES.items()}
    grid_checks.axes(chapter, known, axes)
    for dataset in axes["dataset"]:
        grid_checks.tasks(chapter, dataset)
    fixed = {"profile": str(entry["profile"])} | {
        name: grid_checks.absolute(name, text(value), root)
        for name, value in (entry.get("parameters") or {}).items()
    }
    for dataset, encoder in itertools.product(*(axes[name] or [""] for name in ("dataset", "encoder"))):
        named = {"dataset": dataset, "encoder": encoder, "data_root": roots.get(dataset, "")}
        for part in _seed_blocks(chapter, known, entry):
            given = fixed | {name: value for name, value in (*named.items(), (seeds.NAME, part)) if value}
            parameters.validate(seeds.split(given)[1], known, chapter=chapter.name)
            yield given


def _seed_blocks(
    chapter: catalogue.Chapter, known: Mapping[str, parameters.Parameter], entry: Mapping[str, Any]
) -> list[str]:
    """The seeds of each job: as few as the chapter allows, where the entry does not say how many."""
    if not entry.get("seeds"):
        return [""]
    told = _AT_LEAST.search(known[seeds.NAME].help) if seeds.NAME in known else None
    least = int(told[1]) if told else 1
    per_job = number("seeds_per_job", entry.get("seeds_per_job")) or least
    count = int(seeds.split({seeds.NAME: str(entry["seeds"])})[1][seeds.NAME])
    if min(per_job, count) < least:
        raise ValueError(
            f"seeds_per_job must be at least {least} for {chapter.name}, which compares runs of one job; got "
            f"{min(per_job, count)}. Give more seeds to a job."
        )
    return seeds.blocks(str(entry["seeds"]), per_job)


def _roots(config: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Folders of real corpora by name, absolute; addresses of remote storage stay as they are."""
    given = config.get("data_roots") or {}
    return {name: grid_checks.absolute("data_root", str(place), root) for name, place in given.items()}


def _environment(root: Path) -> dict[str, str]:
    """Where the jobs find book, store and corpora: they run in the grid's folder, and on other machines."""
    given = {"FER_BOOK": str(root), "FER_HOME": str(artifacts.home(root))}
    data = os.environ.get("FER_DATA", "")
    return given | ({"FER_DATA": grid_checks.absolute("_root", data, Path.cwd())} if data else {})
