"""What the command `fer` prints: plain text tables and messages."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib.chapters.helpers import PROFILES

if TYPE_CHECKING:
    from fer_lib.chapters import catalogue
    from fer_lib.chapters import parameters as parameters_module
    from fer_lib.chapters import run as runner


def columns(rows: Sequence[Sequence[str]], *, header: Sequence[str]) -> str:
    """Lays out rows in columns of equal width, two spaces apart.

    >>> print(columns([["seeds", "int"], ["profile", "str"]], header=["name", "type"]))
    name     type
    seeds    int
    profile  str
    """
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(f"{c:{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def chapters(known: Sequence[catalogue.Chapter]) -> str:
    """The table of `fer list`."""
    rows = [
        [
            chapter.name,
            *(_number(chapter.minutes.get(profile)) for profile in PROFILES),
            _number(chapter.memory_gb.get("quick")),
            ", ".join(chapter.tasks) or "-",
            chapter.title,
        ]
        for chapter in known
    ]
    header = ["chapter", *(f"{profile} min" for profile in PROFILES), "GB", "takes data for", "title"]
    return columns(rows, header=header)


def parameters(chapter: catalogue.Chapter, known: Mapping[str, parameters_module.Parameter]) -> str:
    """The table of `fer params`."""
    if not known:
        return f"{chapter.name} has no parameters."
    rows = []
    for entry in known.values():
        allowed = entry.help
        if entry.choices and not all(choice in entry.help for choice in entry.choices):
            allowed = f"{entry.help} ({', '.join(entry.choices)})"
        rows.append([entry.name, entry.type, repr(entry.default), allowed])
    return columns(rows, header=["name", "type", "default", "help"])


def finished(run: runner.Run) -> str:
    """What `fer run` says at the end: time, memory, and where things are."""
    memory = run.info.get("peak_memory_gb")
    used = f" and {memory:.1f} GB" if memory else ""
    lines = [
        f"{run.info['chapter']}: done in {run.info['seconds']:.0f} s{used}",
        f"notebook  {path(run.notebook)}",
    ]
    lines += [f"results   {path(run.folder / 'results' / name)}" for name in run.info["results"]]
    return "\n".join([*lines, f"read it   fer render {path(run.folder)}"])


def failure(failed: runner.RunFailed) -> str:
    """What `fer run` says when a cell fails: cell, traceback, error, and where the notebook is."""
    cell = "\n".join(f"    {line}" for line in failed.cell.splitlines())
    colours = r"\x1b\[[0-9;]*m"
    traceback = failed.traceback if sys.stderr.isatty() else re.sub(colours, "", failed.traceback)
    return (
        f"The cell that failed:\n\n{cell}\n\n{traceback}\n\nfer: {failed}\n"
        f"The notebook up to there is kept: {path(failed.partial)}"
    )


def search(found: Any, shown: int = 10) -> str:
    """The best decision layer of a search, and a table of the best trials."""
    trials = found.trials
    count = {state: int((trials["state"] == state).sum()) for state in ("finished", "pruned", "diverged")}
    told = ["hidden", "gru", "gru_layers", "length", "optimizer", "learning_rate"]
    told += ["temperature"] * bool(trials["temperature"].notna().any())
    if not trials["gru"].any():
        told = [name for name in told if name not in ("gru", "gru_layers", "length")]
    best = ", ".join(f"{name} {_setting(getattr(found.best, name))}" for name in told)
    done = trials.dropna(subset="score").sort_values("score", ascending=False, kind="stable")
    rows = [
        [str(row["trial"]), f"{row['score']:.3f}", str(row["epochs"]), *(_setting(row[n]) for n in told)]
        for row in done.to_dict("records")
    ]
    return "\n".join(
        [
            f"best: {best}",
            f"score {found.score:.3f} on the validation part, which also chose it: expect less elsewhere",
            ", ".join(f"{number} {state}" for state, number in count.items()) + " trials",
            "",
            columns(rows[:shown], header=["trial", "score", "epochs", *(n.replace("_", " ") for n in told)]),
        ]
    )


def _setting(value: object) -> str:
    """One field of a decision layer, short."""
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def corpora(known: Any) -> str:
    """What `fer data` shows: where each corpus was found, and what is missing for the others.

    Args:
        known: the frame of `fer_lib.datasets.catalogue`.
    """
    ready, missing = [], []
    for entry in known.itertuples(index=False):
        if entry.ready:
            ready.append([entry.name, entry.title, entry.form, entry.found])
        else:
            missing += [
                f"{entry.name} ({entry.title})",
                _wrapped("needs", entry.missing),
                _wrapped("obtain", entry.obtain),
            ]
    lines = [columns(ready, header=["ready", "", "form", "where"])]
    if missing:
        lines += ["", "not found below --root or $FER_DATA", *missing]
    return "\n".join(lines)


def report(checked: Any) -> str:
    """What `fer data check` shows: counts, a line a finding, and whether the corpus may be used.

    Args:
        checked: a `fer_lib.datasets.check.Report`.
    """
    form = f"{checked.form} form, {checked.source}" if checked.form else "not read to the end"
    what = "frames of clips" if "clips" in checked.counts else "pictures"
    took = f"{checked.rows:,} {what} read in {checked.seconds:.0f} s; nothing was stored"
    lines = [f"{checked.name} in {path(checked.root)}: {form}", took]
    if len(checked.counts):
        counted = checked.counts.reset_index()
        rows = [[_counted(value) for value in row] for row in counted.itertuples(index=False)]
        lines += ["", columns(rows, header=[str(column) for column in counted])]
    if checked.findings:
        lines += ["", *_findings(checked.findings)]
    severe = [finding.severity for finding in checked.findings]
    stops, warnings = severe.count("stop"), severe.count("warning")
    verdict = f"NOT usable as it is: {stops} x stop" if stops else "usable"
    return "\n".join([*lines, "", f"{verdict}, {warnings} x warning" if warnings else verdict])


def _counted(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or str(value) in ("<NA>", "nan"):
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) and value % 1 else f"{value:,.0f}"


def _findings(findings: Sequence[Any], shown: int = 2) -> list[str]:
    """A line a finding, broken where the terminal ends."""
    terminal = shutil.get_terminal_size((110, 24)).columns
    numbers = [f"{finding.count:,}" if finding.count else "-" for finding in findings]
    wide = max(len(number) for number in ["count", *numbers])
    lines = [f"severity  {'count':>{wide}}  found"]
    for finding, number in zip(findings, numbers, strict=True):
        head, named = f"{finding.severity:8}  {number:>{wide}}  ", finding.examples
        rest = "; ..." if len(named) > shown else ""
        such = f", such as {'; '.join(named[:shown])}{rest}" if named else ""
        lines += textwrap.wrap(
            head + printable(finding.what + such),
            max(terminal, len(head) + 40),
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def printable(text: str) -> str:
    """A text that any terminal takes: what is not UTF-8 in a file's name shows as \\udc.. codes."""
    return text.encode("utf-8", "backslashreplace").decode()


def written(done: Any) -> str:
    """What `fer data write` shows: where, how many, and what the release has no place for.

    Args:
        done: a `fer_lib.datasets.releases.Written`.
    """
    counts = ", ".join(f"{split} {number:,}" for split, number in done.counts.items())
    lines = [
        f"{done.name} written to {path(done.folder)}: {done.form} form, files: {done.files:,}",
        f"rows    {counts}",
    ]
    if done.lost:
        lines.append(_wrapped("lost", f"the release has no place for {', '.join(done.lost)}").strip())
    here = path(done.folder)
    return "\n".join([*lines, f"check   fer data check {done.corpus} {here}"])


def _wrapped(word: str, sentence: str) -> str:
    width = min(110, shutil.get_terminal_size().columns)
    return textwrap.fill(f"{word:8}{sentence}", width, initial_indent="    ", subsequent_indent=" " * 12)


def path(target: Path) -> str:
    """A path as short as possible: from the working folder when it lies below."""
    relative = os.path.relpath(target)
    return str(target) if relative.startswith("..") else relative


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"
