"""A grid of runs, chapter x dataset x encoder x seeds: what is to be run, its name, what it needs.

The rules are in `workflow/grid.smk`; each job is one call of `fer run`. `gather` joins the results.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fer_lib import artifacts, remote
from fer_lib.chapters import catalogue, keys, parameters, seeds
from fer_lib.chapters.helpers import check_profile
from fer_lib.chapters.imports import Library
from fer_lib.chapters.notebooks import write_if_changed

FILE = "plan.json"
ENTRY = ("chapters", "datasets", "encoders", "seeds", "seeds_per_job", "parameters")
WHOLE = ("name", "profile", "runs", "data_roots", "threads", "out", "copy_to")
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
        mem_mb: memory to ask for, in MB: what the chapter's header says, and what the engine takes.
        minutes: time to ask for: three times what the header says, and ten minutes.
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
    """The jobs of a grid, the folder that they fill, and where that is copied to ("" for nowhere).

    It is written to `plan.json` when a grid starts, and jobs on other machines read it from there.
    """

    jobs: tuple[Job, ...]
    out: Path
    copy_to: str = ""

    @cached_property
    def names(self) -> dict[str, Job]:
        """The jobs by name."""
        return {job.name: job for job in self.jobs}

    def write(self) -> None:
        """Writes `plan.json` in the grid's folder, where it changed."""
        text = json.dumps({"copy_to": self.copy_to, "jobs": [asdict(job) for job in self.jobs]}, indent=1)
        write_if_changed(self.out / FILE, text + "\n")


def written(out: str | Path) -> Plan:
    """The plan of a grid that was started.

    Raises:
        ValueError: the folder holds none.
    """
    file = Path(out) / FILE
    if not file.is_file():
        raise ValueError(f"out must be the folder of a grid; got {out}, without {FILE}. Start the grid.")
    held = json.loads(file.read_text(encoding="utf-8"))
    return Plan(tuple(Job(**job) for job in held["jobs"]), Path(out).resolve(), held["copy_to"])


def folder(config: Mapping[str, Any], root: Path) -> Path:
    """The folder that a grid fills."""
    return (root / str(config.get("out") or f"_build/grids/{config.get('name') or 'grid'}")).resolve()


def plan(config: Mapping[str, Any], root: Path | None = None) -> Plan:
    """Reads a grid.

    Args:
        config: what the grid's file holds (see `workflow/grids/first.yaml`): `runs`, a list of entries with
            `chapters`, `datasets`, `encoders`, `seeds`, `seeds_per_job`, `parameters`; or one such entry by
            itself. Beside it `name`, `profile`, `threads`, `out`, `data_roots` (a folder by dataset) and
            `copy_to`. A text with commas stands for a list.
        root: the book's folder; relative paths start there.

    Raises:
        ValueError: for an unknown key, a value that a chapter does not take, a chapter without the
            parameter that a list is meant for, too few seeds in a job, or the same run twice.
    """
    root = root or catalogue.book_root()
    _known(config, (*WHOLE, *ENTRY), "grid")
    profile = check_profile(str(config.get("profile") or "quick"))
    entries = config.get("runs") or [{name: config[name] for name in ENTRY if name in config}]
    library = Library(keys.PACKAGE)
    jobs: list[Job] = []
    for entry in entries:
        _known(entry, ENTRY, "entry of runs")
        for name in _listed(entry.get("chapters")) or _none("chapters"):
            chapter = catalogue.find(name, root)
            code = artifacts.key(**keys.key_of(chapter, profile=profile, library=library))
            for dataset in _listed(entry.get("datasets")):
                _check_tasks(chapter, dataset)
            for given in _settings(chapter, {**entry, "profile": profile}, _roots(config, root)):
                jobs.append(_job(chapter, given, profile, code, int(config.get("threads") or 0)))
    twice = {job.name for job in jobs if sum(job.name == other.name for other in jobs) > 1}
    if twice:
        job = next(job for job in jobs if job.name in twice)
        raise ValueError(f"runs must differ; got twice {job.chapter} {job.options}. Drop one of them.")
    return Plan(tuple(jobs), folder(config, root), str(config.get("copy_to") or ""))


def table(found: Plan) -> str:
    """What a grid asks for, a line a job, for a person."""
    lines = [
        f"{job.chapter:<32} {job.options}  [{job.threads} cores, {job.mem_mb} MB, {job.minutes} min"
        f"{f', {job.gpus} GPU' if job.gpus else ''}]"
        for job in found.jobs
    ]
    return "\n".join([*lines, f"{len(found.jobs)} runs"])


def _job(chapter: catalogue.Chapter, given: dict[str, str], profile: str, code: str, threads: int) -> Job:
    content = artifacts.key(code=code, given=given)
    threads = threads or _THREADS[profile]
    return Job(
        name=f"{chapter.name}-{profile}-{content[:10]}",
        chapter=chapter.name,
        given=given,
        mem_mb=int(1000 * chapter.memory_gb.get(profile, 2)) + _ENGINE_MB,
        minutes=int(3 * chapter.minutes.get(profile, 10)) + 10,
        gpus=chapter.needs_gpus(profile),
        threads=threads,
        code=code,
    )


def _settings(
    chapter: catalogue.Chapter, entry: Mapping[str, Any], roots: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """The parameters of each run of a chapter, as texts, checked."""
    known = parameters.inspect(chapter)
    axes: dict[str, list[str]] = {}
    for listed, name in _AXES.items():
        axes[name] = _listed(entry.get(listed)) or [""]
        if axes[name] != [""] and name not in known:
            raise ValueError(
                f"{listed} must be given only for chapters that have the parameter {name!r}; got "
                f"{chapter.name}, which has {', '.join(known) or 'none'}. Give it an entry of its own."
            )
    fixed = {"profile": str(entry["profile"])} | {
        name: _text(value) for name, value in (entry.get("parameters") or {}).items()
    }
    for dataset, encoder in itertools.product(axes["dataset"], axes["encoder"]):
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
    per_job = int(entry.get("seeds_per_job") or least)
    count = int(seeds.split({seeds.NAME: str(entry["seeds"])})[1][seeds.NAME])
    if min(per_job, count) < least:
        raise ValueError(
            f"seeds_per_job must be at least {least} for {chapter.name}, which compares runs of one job; got "
            f"{min(per_job, count)}. Give more seeds to a job."
        )
    return seeds.blocks(str(entry["seeds"]), per_job)


def _check_tasks(chapter: catalogue.Chapter, dataset: str) -> None:
    """Refuses a dataset without any label that the chapter learns from, before a cluster finds out."""
    if not chapter.tasks:
        return
    from fer_lib.datasets.corpora import OWN, describe

    tasks = describe(dataset).tasks
    if dataset.removeprefix("world:") != OWN.name and not set(tasks) & set(chapter.tasks):
        raise ValueError(
            f"datasets must have labels that {chapter.name} learns from ({', '.join(chapter.tasks)}); got "
            f"{dataset}, which has {', '.join(tasks)}. `fer data` lists the corpora."
        )


def _roots(config: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Folders of real corpora by name, absolute; addresses of remote storage stay as they are."""
    given = config.get("data_roots") or {}
    return {
        name: str(place) if remote.is_remote(place) else str((root / Path(str(place)).expanduser()).resolve())
        for name, place in given.items()
    }


def _known(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"{where} must hold only {', '.join(names)}; got {unknown[0]!r}. Check the spelling."
        )


def _listed(value: Any) -> list[str]:
    """A list of texts; a text with commas is parted."""
    if value is None or value == "":
        return []
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return [str(part).strip() for part in parts]


def _none(name: str) -> list[str]:
    raise ValueError(f"{name} must name one or more; got none. Write for example {name}: [04_facechannel].")


def _text(value: Any) -> str:
    """A value of a grid's file as `fer run -p` takes it."""
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
