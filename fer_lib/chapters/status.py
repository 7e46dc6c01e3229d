"""The status page: what each chapter really cost when it last ran, beside what its header promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MEANING = {
    "smoke": "It only shows that everything runs: **no number on these pages means anything.**",
    "quick": "Networks and worlds are small; the trends are meant to be read, not the last digit.",
    "full": "Sizes and numbers of runs are those of the papers.",
}


def markdown(
    infos: Sequence[Mapping[str, Any]],
    profile: str,
    *,
    promised: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None,
) -> str:
    """The generated part of the status page, as MyST text with one numbered table.

    Args:
        infos: what the runner noted about each chapter's run: `chapter`, `title`, `seconds`, and where known
            `peak_memory_gb`, `gpu_memory_gb`, `threads`, `device`, `processor`, `parameters`,
            `commit`, `finished`, `versions`.
        profile: with which the chapters ran.
        promised: by chapter name, the header's `minutes` and `memory_gb` by profile.

    Returns:
        The text; a dash stands for what is not known. Measured values come with the promise in brackets.

    >>> info = {"chapter": "04_facechannel", "title": "FaceChannel", "seconds": 90.0, "peak_memory_gb": 1.26}
    >>> text = markdown([info], "quick", promised={"04_facechannel": {"minutes": {"quick": 2}}})
    >>> print(text.splitlines()[-6])
    | [FaceChannel](../notebooks/04_facechannel.ipynb) | 1.5 (2) | 1.3 | – | – | – | – |
    """
    rows = [_row(info, profile, (promised or {}).get(info.get("chapter", ""), {})) for info in infos]
    total = sum(float(info.get("seconds") or 0) for info in infos) / 60
    return "\n".join(
        [
            f"These pages were built in profile `{profile}`. {MEANING.get(profile, '')}".rstrip(),
            "",
            f"All chapters together took {total:.1f} minutes, one after the other; side by side they take "
            "less. Each line is the last run of a chapter, on the machine that built the pages; what the "
            "chapter itself promises stands in brackets. Memory is that of the largest process.",
            "",
            "```{table} Minutes, and GB of memory at most, of the last run of each chapter.",
            ":name: tbl-status",
            "",
            "| chapter | minutes | GB | device, threads | data | commit | finished (UTC) |",
            "|:---|---:|---:|:---|:---|:---|:---|",
            *rows,
            "```",
            "",
            _machines(infos),
            "",
            _versions(infos),
        ]
    )


def _row(info: Mapping[str, Any], profile: str, promised: Mapping[str, Mapping[str, float]]) -> str:
    seconds, memory = info.get("seconds"), info.get("peak_memory_gb")
    name, title = info.get("chapter"), str(info.get("title") or info.get("chapter") or "–").replace("|", "/")
    cells = [
        f"[{title}](../notebooks/{name}.ipynb)" if name else title,
        _measured(None if seconds is None else seconds / 60, promised.get("minutes", {}).get(profile)),
        _measured(memory, promised.get("memory_gb", {}).get(profile)) + _on_card(info),
        ", ".join(str(info[name]) for name in ("device", "threads") if info.get(name)) or "–",
        _data(info.get("parameters") or {}),
        _commit(info["commit"]) if info.get("commit") else "–",
        str(info.get("finished") or "–").replace("T", " ").replace("+00:00", ""),
    ]
    return "| " + " | ".join(cells) + " |"


def _commit(told: str) -> str:
    """Seven digits, and the "+" of a checkout with changes of its own."""
    return f"`{told[:7]}{'+' if told.endswith('+') else ''}`"


def _data(parameters: Mapping[str, Any]) -> str:
    """The corpora or worlds that a chapter was given; a dash where it takes none."""
    named = [
        str(value)
        for name, value in parameters.items()
        if value and (name == "dataset" or f"{name}_root" in parameters or str(value).startswith("world:"))
    ]
    return ", ".join(dict.fromkeys(named)) or "–"


def _on_card(info: Mapping[str, Any]) -> str:
    memory = info.get("gpu_memory_gb")
    return f", {memory:.1f} on the GPU" if memory else ""


def _machines(infos: Sequence[Mapping[str, Any]]) -> str:
    """Processors of the runs; where two differ, both."""
    found = sorted({str(info["processor"]) for info in infos if info.get("processor")})
    return f"Processor: {' and '.join(found)}." if found else "Processor: not known."


def _versions(infos: Sequence[Mapping[str, Any]]) -> str:
    """Versions of what the chapters imported; where two runs differ, both."""
    found: dict[str, set[str]] = {}
    for info in infos:
        for name, version in (info.get("versions") or {}).items():
            found.setdefault(name, set()).add(version)
    told = [f"{name} {' and '.join(sorted(several))}" for name, several in sorted(found.items())]
    return f"Versions: {', '.join(told)}." if told else "Versions: not known."


def _measured(value: float | None, promise: float | None) -> str:
    """`1.5 (2)`: measured, and promised where a promise is known."""
    shown = f"{value:.1f}" if value else "–"
    return shown if promise is None else f"{shown} ({promise:g})"
