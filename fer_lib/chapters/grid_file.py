"""A grid's file: read, and refused in one sentence where its shape is wrong. What it means is in `grid`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lib import remote
from fer_lib.chapters import seeds
from fer_lib.chapters.helpers import check_profile

ENTRY = (
    "chapters", "datasets", "encoders", "seeds", "seeds_per_job", "parameters", "minutes", "memory_gb",
)  # fmt: skip
WHOLE = ("name", "profile", "runs", "data_roots", "threads", "out", "copy_to")
ELSEWHERE = {"profile": "profile", "seeds": "seeds", "dataset": "datasets", "encoder": "encoders"}
"""Parameters of a chapter that a grid has a key of its own for."""
_LISTS = ("chapters", "datasets", "encoders")


def read(file: str | Path) -> dict[str, Any]:
    """What a grid's file holds; its `name` is that of the file, where it gives none.

    Raises:
        ValueError: there is no such file, it is not YAML, or holds no names.
    """
    import yaml

    try:
        held = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"grid must be a file; got {file}: {error.strerror}. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"grid must be a YAML file; got {file}: {error}. Correct it.") from None
    if not isinstance(held, dict):
        raise ValueError(f"grid must be a YAML file with names and values; got {file}. See workflow/grids.")
    return held if held.get("name") else held | {"name": _plain(Path(file).stem)}


def entries(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a grid, once its shape is found right.

    Args:
        config: what the file holds.

    Returns:
        Those of `runs`, or the one that stands in the file by itself.

    Raises:
        ValueError: an unknown key, or a value of another kind than its key asks for.
    """
    _known(config, (*WHOLE, *ENTRY), "grid")
    check_profile(str(config.get("profile") or "quick"))
    number("threads", config.get("threads"))
    _mapping("data_roots", config.get("data_roots"))
    name, copy_to = str(config.get("name") or "grid"), config.get("copy_to")
    if not re.fullmatch(r"[\w-][\w.-]*", name):
        raise ValueError(
            f"name must be letters, digits and -_. alone; got {name!r}. Give `out` for a folder."
        )
    if copy_to and not remote.is_remote(str(copy_to)):
        raise ValueError(f"copy_to must be an address such as s3://lab/first; got {copy_to!r}. Correct it.")
    beside = [name for name in ENTRY if name in config]
    runs = config.get("runs", [{name: config[name] for name in beside}])
    if not isinstance(runs, list) or not runs or not all(isinstance(entry, dict) for entry in runs):
        raise ValueError(
            f"runs must be a list of entries with names and values; got {_short(runs)}. "
            "Begin each with a dash: - chapters: [04_facechannel]."
        )
    if "runs" in config and beside:
        raise ValueError(
            f"grid must hold runs, or one entry by itself; got {beside[0]!r} beside runs. Move it into them."
        )
    for entry in runs:
        _check_entry(entry)
    return [dict(entry) for entry in runs]


def _check_entry(entry: Mapping[str, Any]) -> None:
    _known(entry, ENTRY, "entry of runs")
    for name in _LISTS:
        listed(name, entry.get(name))
    if not listed("chapters", entry.get("chapters")):
        raise ValueError(
            "chapters must name one or more; got none. Write for example chapters: [04_facechannel]."
        )
    number("seeds_per_job", entry.get("seeds_per_job"))
    for name in ("minutes", "memory_gb"):
        amount(name, entry.get(name))
    _check_seeds(entry.get("seeds"))
    for name in _mapping("parameters", entry.get("parameters")):
        if name in ELSEWHERE:
            place = "of the grid" if name == "profile" else "of the entry"
            raise ValueError(
                f"parameters must be those without a key of their own; got {name!r}. "
                f"Write it as {ELSEWHERE[name]} {place}."
            )


def _check_seeds(value: Any) -> None:
    if value is None or (value == 0 and not isinstance(value, bool)):
        return
    if not re.fullmatch(r"\s*[1-9]\d*\s*|\s*\d+\s*-\s*\d+\s*", str(value)):
        raise ValueError(
            f"seeds must be a whole number, at least 1, or a range FIRST-LAST; got {value!r}. "
            "Write for example seeds: 4, or seeds: 10-19."
        )
    seeds.split({seeds.NAME: str(value)})


def number(name: str, value: Any) -> int:
    """A whole number, at least 1; 0 where none is given.

    Raises:
        ValueError: it is none.
    """
    if value is None:
        return 0
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d*", str(value).strip()):
        raise ValueError(
            f"{name} must be a whole number, at least 1; got {value!r}. Write for example {name}: 2."
        )
    return int(value)


def amount(name: str, value: Any) -> float:
    """A number above 0; 0 where none is given.

    Raises:
        ValueError: it is none.
    """
    if value is None:
        return 0.0
    try:
        found = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        found = math.nan
    if not 0 < found < math.inf:
        raise ValueError(f"{name} must be a number above 0; got {value!r}. Write for example {name}: 90.")
    return found


def listed(name: str, value: Any) -> list[str]:
    """A list of texts; a text with commas is parted.

    Raises:
        ValueError: it is neither.

    >>> listed("chapters", "04, 08"), listed("chapters", [4, 8]), listed("chapters", None)
    (['04', '08'], ['4', '8'], [])
    """
    if value is None or value == "":
        return []
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    if isinstance(value, Mapping) or not all(isinstance(part, str | int | float) for part in parts):
        raise ValueError(
            f"{name} must be a list of names, or a text with commas; got {_short(value)}. "
            f"Write for example {name}: [a, b]."
        )
    return [str(part).strip() for part in parts]


def text(value: Any) -> str:
    """A value of a grid's file as `fer run -p` takes it.

    >>> text([1, 2.5]), text(True), text("a")
    ('1,2.5', 'true', 'a')
    """
    if isinstance(value, list | tuple):
        return ",".join(map(text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value or {}, Mapping):
        raise ValueError(
            f"{name} must be names with values; got {_short(value)}. Write for example {name}: {{a: b}}."
        )
    return value or {}


def _known(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"{where} must hold only {', '.join(names)}; got {unknown[0]!r}. Check the spelling."
        )


def _short(value: Any) -> str:
    """A value of any length in a message of one line."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _plain(stem: str) -> str:
    """A file's name as that of a grid."""
    return re.sub(r"[^\w.-]", "-", stem).lstrip(".") or "grid"
