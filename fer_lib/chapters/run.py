"""Runs one chapter into a folder of its own, which appears whole or not at all.

A run folder holds the executed notebook, `results/*.parquet` and `run.json`: everything needed to know
what was done and to do it again. A run that fails leaves its notebook up to the failing cell in
`NAME.failed` beside it.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts, remote
from fer_lib.chapters import catalogue, kernel, keys, notebooks, parameters, reader, seeds

if TYPE_CHECKING:
    from nbformat import NotebookNode

INFO = "run.json"
RAW = "executed.ipynb"


class RunFailed(RuntimeError):
    """A chapter stopped at a cell.

    Attributes:
        cell: the source of that cell.
        traceback: its traceback, as the kernel printed it.
        partial: the notebook up to there.
    """

    def __init__(self, chapter: str, reason: str, *, cell: str, traceback: str, partial: Path) -> None:
        self.cell, self.traceback, self.partial = cell, traceback, partial
        super().__init__(f"{chapter} stopped at {reason}")


@dataclass(frozen=True)
class Run:
    """A finished run: its folder and what its `run.json` holds."""

    folder: Path
    info: dict[str, Any]

    @property
    def notebook(self) -> Path:
        """The executed notebook."""
        return self.folder / f"{self.info['chapter']}.ipynb"


def run(
    name: str, given: Mapping[str, str] | None = None, *, out: str | Path | None = None, progress: bool = True
) -> Run:
    """Runs a chapter.

    Args:
        name: the chapter, see `catalogue.find`.
        given: parameters as texts, by name; what is not given keeps the chapter's default.
        out: the run's folder, new or that of an earlier run, which is then replaced; or an address such as
            "s3://lab/runs/one", to which the finished run is sent. Default: a new folder in
            `artifacts.home()/runs`.
        progress: show a bar on stderr, one step a cell.

    Returns:
        The finished run.

    Raises:
        ValueError: for an unknown chapter or parameter, a value that does not fit, or a folder that
        holds other things. RunFailed: when a cell fails.
    """
    if remote.is_remote(out):
        return _run_and_send(name, given, str(out), progress)
    chapter = catalogue.find(name)
    given = dict(given or {})
    known = parameters.inspect(chapter)
    first, counted = seeds.split(given)
    values = parameters.validate(counted, known, chapter=chapter.name, folder=Path.cwd())
    wanted = _folder(chapter, values | ({"first_seed": first} if first else {}), out)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{wanted.name}-", dir=wanted.parent))
    try:
        info = _describe(chapter, known, given, out)
        with _environment(FER_FIRST_SEED=str(first)):
            done = _finish(chapter, values, info, draft, progress)
        return Run(_swap(draft, wanted) if out is not None else _number(draft, wanted), done)
    except RunFailed as failure:
        kept = _swap(draft, wanted.with_name(f"{wanted.name}.failed"))
        failure.partial = kept / f"{chapter.name}.ipynb"
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run_and_send(name: str, given: Mapping[str, str] | None, address: str, progress: bool) -> Run:
    """Runs a chapter here, into a folder named by the address, and sends it there."""
    remote.check_target(address)  # before hours are spent
    here = artifacts.home() / "runs" / f"sent-{artifacts.key(address=address)[:10]}"
    done = run(name, given, out=here, progress=progress)
    remote.send(done.folder, address)
    return done


def load(folder: str | Path) -> Run:
    """Opens the folder of a finished run, here or at an address such as "s3://lab/runs/one".

    Raises:
        ValueError: when it is not one.
    """
    folder = remote.local(folder)
    if not (folder / INFO).is_file():
        raise ValueError(f"run must be a folder made by `fer run`; got {folder}. It holds no {INFO}.")
    return Run(folder, json.loads((folder / INFO).read_text(encoding="utf-8")))


def _finish(
    chapter: catalogue.Chapter, values: dict[str, Any], info: dict[str, Any], draft: Path, progress: bool
) -> dict[str, Any]:
    text = reader.notebook_of(chapter)
    profile = info["parameters"].get("profile", "quick")
    begin = time.perf_counter()
    kernels = {"IPYTHONDIR": f"{draft}/.ipython", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    known = {"FER_RUN_DIR": str(draft), "FER_PROFILE": str(profile), "FER_HOME": str(artifacts.home())}
    with _environment(**known, **kernels):
        executed = _execute(text, values, draft, chapter.name, progress)
    info["seconds"] = round(time.perf_counter() - begin, 1)
    info["finished"] = datetime.now(UTC).isoformat(timespec="minutes")
    facts = draft / kernel.FILE
    if facts.is_file():
        info |= json.loads(facts.read_text(encoding="utf-8"))
        facts.unlink()
    info["results"] = sorted(path.name for path in (draft / "results").glob("*.parquet"))
    notebooks.write(notebooks.compose(text, executed, info), draft / f"{chapter.name}.ipynb")
    notebooks.write_if_changed(draft / INFO, json.dumps(info, indent=1, ensure_ascii=False) + "\n")
    (draft / RAW).unlink(missing_ok=True)
    shutil.rmtree(draft / ".ipython", ignore_errors=True)
    draft.chmod(0o755)
    return info


def _execute(
    text: NotebookNode, values: dict[str, Any], draft: Path, name: str, progress: bool
) -> NotebookNode:
    """Executes in the draft folder, so that files a chapter writes by a bare name stay with the run."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from nbformat.v4 import new_code_cell

    ready = notebooks.json_copy(text)
    ready.cells.append(new_code_cell(kernel.CELL, metadata={"tags": ["fer-report"]}))
    raw = draft / RAW
    try:
        return papermill.execute_notebook(
            ready,
            raw,
            parameters=values,
            cwd=draft,
            progress_bar=progress and _bar(name),
            start_timeout=120,
            extra_arguments=["--IPKernelApp.log_level=40"],
        )
    except papermill.PapermillExecutionError as error:
        words = f"code cell {error.exec_count}: {error.ename}: {error.evalue}"
        raise _failure(name, draft, words, error.source, "\n".join(error.traceback)) from error
    except DeadKernelError as error:
        words = "a cell that ended the Python process, as too little memory does"
        raise _failure(name, draft, words, _last_cell(raw), str(error)) from error


def _failure(name: str, draft: Path, words: str, cell: str, traceback: str) -> RunFailed:
    """Leaves in the draft what a reader needs to find the mistake: the notebook up to the failing cell."""
    os.replace(draft / RAW, draft / f"{name}.ipynb")
    shutil.rmtree(draft / ".ipython", ignore_errors=True)
    draft.chmod(0o755)
    return RunFailed(name, words, cell=cell, traceback=traceback, partial=draft / f"{name}.ipynb")


def _last_cell(raw: Path) -> str:
    """The cell that was running when the kernel died, as far as papermill noted it."""
    cells = json.loads(raw.read_text(encoding="utf-8"))["cells"]
    begun = [cell for cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    return "".join(begun[-1]["source"]) if begun else ""


def _bar(name: str) -> dict[str, Any]:
    return {"desc": name, "unit": "cell", "file": sys.stderr, "mininterval": 0.5}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Sets what the kernel inherits: where results go, the seeds, an IPython folder apart from the user's."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _describe(
    chapter: catalogue.Chapter,
    known: Mapping[str, parameters.Parameter],
    given: Mapping[str, str],
    out: str | Path | None,
) -> dict[str, Any]:
    """What `run.json` says before the run: values as the user wrote them, without this machine's folders."""
    shown = {name: parameter.default for name, parameter in known.items()}
    _, counted = seeds.split(given)
    shown |= {name: parameters.cast(written, known[name]) for name, written in counted.items()}
    shown |= {name: given[name] for name, written in counted.items() if written != given[name]}
    pairs = [part for name, written in given.items() for part in ("-p", f"{name}={written}")]
    place = ["--out", str(out)] if out and not Path(out).is_absolute() else []
    return {
        "chapter": chapter.name,
        "title": chapter.title,
        "profile": shown.get("profile"),
        "parameters": shown,
        "command": shlex.join(["fer", "run", chapter.name, *pairs, *place]),
        "commit": _commit(chapter.root),
        "code": code_of(chapter, str(shown.get("profile") or "quick")),
    }


def code_of(chapter: catalogue.Chapter, profile: str) -> str:
    """Names the code that a run executes: the chapter's, the library's that it imports, locked versions."""
    return artifacts.key(**keys.key_of(chapter, profile=profile))


def _commit(root: Path) -> str:
    """The checkout's commit, with "+" when tracked files differ from it; empty where there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _folder(chapter: catalogue.Chapter, values: Mapping[str, Any], out: str | Path | None) -> Path:
    if out is not None:
        folder = Path(out).expanduser().resolve()
        if folder.exists() and not (folder / INFO).is_file() and (folder.is_file() or any(folder.iterdir())):
            raise ValueError(
                f"out must be a new folder or that of an earlier run; got {out}. Give another folder."
            )
        return folder
    profile = values.get("profile", "quick")
    return artifacts.home() / "runs" / f"{chapter.name}-{profile}-{artifacts.key(**values)[:6]}"


def _number(draft: Path, stem: Path) -> Path:
    """Renames the draft to `stem-1`, or the next number that no earlier run has."""
    number = 1
    while True:
        final = stem.with_name(f"{stem.name}-{number}")
        if not final.exists():
            with suppress(OSError):  # another run took the name in this moment
                os.rename(draft, final)
                return final
        number += 1


def _swap(draft: Path, final: Path) -> Path:
    """Renames the draft to its final name; what was there stays until then.

    Another run of that name may end in this moment, as when a cluster starts a job twice: the later stays.
    """
    aside: list[Path] = []
    while True:
        try:
            os.replace(draft, final)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not final.exists():
                raise
        aside.append(Path(tempfile.mkdtemp(prefix=f".{final.name}-old-", dir=final.parent)))
        with suppress(FileNotFoundError):  # another run took it away in this moment
            os.replace(final, aside[-1] / "run")
    for old in aside:
        shutil.rmtree(old, ignore_errors=True)
    return final
