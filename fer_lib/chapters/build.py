"""Drives the build of the book: Snakemake runs the chapters that changed, then the pages are rendered.

The rules are in `workflow/Snakefile`; here is what they call, and what `fer build` and `make book` call.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib.chapters import catalogue, engine, keys, show
from fer_lib.chapters.helpers import check_profile

if TYPE_CHECKING:
    from fer_lib.chapters import run as runner_module

_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "LOKY_MAX_CPU_COUNT",
)


def build(profile: str, *, cores: int = 0) -> int:
    """Builds the book.

    Args:
        profile: "smoke", "quick" or "full".
        cores: how many to use; 0 for all.

    Returns:
        0 when all chapters ran and the pages built without warnings, else 1.
    """
    from filelock import FileLock

    check_profile(profile)
    root = catalogue.book_root()
    (root / "_build").mkdir(exist_ok=True)
    with FileLock(root / "_build" / ".build.lock"):  # a second build waits, then finds its work done
        _announce(keys.write_keys(catalogue.chapters(root), key_folder(root, profile), profile=profile))
        status = engine.call(_command(profile, cores), cwd=root, env=os.environ | {"FER_BOOK": str(root)})
    if status == engine.STOPPED:
        print("stopped; the next build goes on where this one was", file=sys.stderr)
        return 1
    if status:
        print(failed(root, profile), file=sys.stderr)
        return 1
    print(f"open {show.path(root / '_build' / 'html' / profile / 'index.html')}")
    return 0


def key_folder(root: Path, profile: str) -> Path:
    """Where the keys of the chapters lie, see `keys.write_keys`."""
    return root / "_build" / "keys" / profile


def execute(name: str, profile: str, *, threads: int) -> int:
    """Runs one chapter for the book: its notebook, facts and results go to `_build/executed/<profile>`.

    Returns:
        0 when it ran, else 1; the failing cell and its traceback are then on stderr.
    """
    from fer_lib.chapters import run as runner

    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    root = catalogue.book_root()
    executed = root / "_build" / "executed" / profile
    out = executed / "runs" / name
    for stale in (out.with_name(f"{name}.failed"), *out.parent.glob(f".{name}-*")):  # of a killed build
        shutil.rmtree(stale, ignore_errors=True)
    print(f"{name}: running", flush=True)
    try:
        run = runner.run(name, {"profile": profile}, out=out, progress=False)
    except runner.RunFailed as failure:
        print(f"{name}: failed", flush=True)
        print(show.failure(failure), file=sys.stderr)
        return 1
    _publish(run, executed)
    print(show.finished(run).splitlines()[0], flush=True)
    return 0


def failed(root: Path, profile: str) -> str:
    """Says which chapters failed in the last build, why, and where their logs are."""
    logs, executed = root / "_build" / "logs" / profile, root / "_build" / "executed" / profile
    lines = []
    for chapter in catalogue.chapters(root):
        if not (executed / f"{chapter.name}.ipynb").is_file():
            log = logs / f"{chapter.name}.log"
            lines += [f"  {chapter.name}: {_reason(log, chapter.name)}", f"    log: {show.path(log)}"]
    if not lines:
        return f"The book (profile {profile}) is not complete; the messages above say why."
    return "\n".join([f"The book (profile {profile}) is not complete. Chapters that failed:", *lines])


def _reason(log: Path, name: str) -> str:
    """The last line of a log that the runner wrote about a failure."""
    said = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    line = next((line for line in reversed(said) if line.startswith("fer: ")), "")
    return line.removeprefix("fer: ").removeprefix(f"{name} ") or "did not run"


def _publish(run: runner_module.Run, executed: Path) -> None:
    """Copies a run's files to where the book looks for them; results that it no longer makes go."""
    name = run.info["chapter"]
    results = executed / "results" / name
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    for file in run.info["results"]:
        shutil.copy2(run.folder / "results" / file, results / file)
    shutil.copyfile(run.folder / "run.json", executed / f"{name}.json")
    shutil.copyfile(run.notebook, executed / f"{name}.ipynb")


def _announce(changed: dict[str, list[str]]) -> None:
    """Says why chapters will run again, where they ran before."""
    for name, parts in changed.items():
        more = f" and {len(parts) - 3} more" if len(parts) > 3 else ""
        if parts != ["new"]:
            print(f"{name}: will run again, because of {', '.join(parts[:3])}{more}", flush=True)


def _command(profile: str, cores: int) -> list[str]:
    """Snakemake's command line; the default profile is spelled out, as Snakemake would announce the file."""
    import yaml

    settings = yaml.safe_load(
        (engine.WORKFLOW / "profiles" / "default" / "config.yaml").read_text(encoding="utf-8")
    )
    options = []
    for name, value in settings.items():
        options += [
            f"--{name}",
            *([] if value is True else map(str, value if isinstance(value, list) else [value])),
        ]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(engine.WORKFLOW / "Snakefile")]
    return [
        *snakemake,
        "--workflow-profile",
        "none",
        *options,
        *engine.limits(cores),
        "--config",
        f"profile={profile}",
        "--quiet",
        "all",
    ]


def main() -> int:
    """What the rules of the Snakefile call: one chapter, or the pages."""
    parser = argparse.ArgumentParser(description="One step of the book's build.")
    parser.add_argument("step", choices=["execute", "html"])
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--profile", required=True)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    try:
        if given.step == "execute":
            return execute(given.name, given.profile, threads=given.threads)
        from fer_lib.chapters import render

        print("pages: rendering", flush=True)
        render.html(catalogue.book_root(), given.profile)
    except ValueError as error:
        print(f"fer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
