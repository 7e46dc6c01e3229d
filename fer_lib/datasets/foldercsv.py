"""Your own faces, listed in a csv file; the columns are told in `fer_lib.datasets.folder`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import SPLITS, TASKS
from fer_lib.datasets.folderlabels import SPLIT_NAMES, Found, class_name, in_order
from fer_lib.datasets.listing import REPEATED
from fer_lib.datasets.paths import inside
from fer_lib.datasets.textfiles import TextTable, read_table, read_text
from fer_lib.errors import DataError

AFFECT = ("valence", "arousal")
PREFIXES = {"state_": "multi_label", "share_": "distribution"}
_NEAR = 0.01  # by how much shares may miss a sum of 1, having been rounded


def read_index(file: Path, wanted: tuple[str, ...] | None) -> Found:
    """Read the csv file.

    Args:
        file: with a header; see `fer_lib.datasets.folder`.
        wanted: names of the classes, or None for those of the file.

    Raises:
        DataError: a column or cell that breaks a rule; names file, line, rule and value.
    """
    names = _header(file)
    text = read_table(file, ["path"], optional=[name for name in names if name != "path"], own=True)
    repeated = text.repeated(["path"], "a photo")
    splits = _splits(text)
    dropped = Counter((split, REPEATED) for split in splits[repeated])
    text, splits = text.keep(~repeated), splits[~repeated]
    table = pd.DataFrame({"path": _paths(text), "split": splits})
    classes = _classes(text, names, wanted)
    table = pd.concat([table, _targets(text, names, classes), _others(text, names)], axis=1)
    tasks = _tasks(table, classes)
    if tasks:
        return Found(table, classes, tasks, dropped)
    if wanted is None:
        rule = "at least one row must have a label"
        columns = "expression, valence and arousal, state_<name> or share_<name>"
        fix = f"Fill in {columns}; to predict only, give classes=."
        raise DataError(str(file), rule, f"{len(table)} rows without", fix)
    table["expression"] = -1
    return Found(table, classes, ("categorical",), dropped, labelled=False)


def _header(file: Path) -> list[str]:
    """Names of the columns in lower case, each once; `read_table` says what else is wrong with them."""
    first = next(csv.reader(io.StringIO(read_text(file), newline=""), skipinitialspace=True), [])
    names = [name.strip().lower() for name in first]
    for name in names:
        if name and names.count(name) > 1:
            fix = "Rename one of the two."
            raise DataError(f"{file}, line 1", "the header must name a column once", name, fix)
    if ("valence" in names) != ("arousal" in names):
        got = "only one of them"
        fix = "Add the other; leave its cells empty where it is not known."
        raise DataError(f"{file}, line 1", "valence and arousal must come together", got, fix)
    return [name for name in names if name]


def _paths(text: TextTable) -> list[str]:
    return [inside(name, text.where(row)) for row, name in enumerate(text.filled("path"))]


def _splits(text: TextTable) -> np.ndarray:
    """Splits (N,); a photo is for training where none is told."""
    told = text.frame["split"] if "split" in text.frame else pd.Series("", index=text.frame.index)
    filled = replace(text, frame=pd.DataFrame({"split": told.replace("", "train")}))
    codes = {name: SPLITS.index(split) for name, split in SPLIT_NAMES.items()}
    splits: np.ndarray = np.array(SPLITS, dtype=object)[filled.one_of("split", codes)]
    return splits


def _named(names: list[str], prefix: str) -> dict[str, str]:
    """Class -> column of the columns with a prefix."""
    return {class_name(name[len(prefix) :]): name for name in names if name.startswith(prefix)}


def _classes(text: TextTable, names: list[str], wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of the classes: those wanted, of the columns, or of the cells; all must agree."""
    where = f"{text.path}, line 1"
    told = {prefix: set(_named(names, prefix)) for prefix in PREFIXES if _named(names, prefix)}
    if len(told) == 2 and told["state_"] != told["share_"]:
        odd = sorted(told["state_"] ^ told["share_"])[0]
        fix = "Give the two the same names, or keep them in two files."
        raise DataError(where, "state_ and share_ columns must be of the same classes", odd, fix)
    columns: set[str] = set().union(*told.values())
    if wanted and columns and columns != set(wanted):
        odd = sorted(columns ^ set(wanted))[0]
        rule = f"state_ and share_ columns must be of the classes {', '.join(wanted)}"
        raise DataError(where, rule, odd, "Correct classes, or the header.")
    if wanted or columns or "expression" not in names:
        return wanted or in_order(columns)
    cells = text.frame["expression"]
    digits = cells.str.fullmatch(r"[+-]?\d+(\.0*)?").to_numpy()
    fix = "Write names, or give classes= in the order of the numbers."
    text.refuse(digits, "expression must be a class name where classes is not given", cells.tolist(), fix)
    return in_order({class_name(cell) for cell in cells if cell})


def _targets(text: TextTable, names: list[str], classes: tuple[str, ...]) -> pd.DataFrame:
    """The columns of the targets, checked."""
    found: dict[str, object] = {}
    if "expression" in names:
        given = " and ".join(prefix for prefix in PREFIXES if _named(names, prefix))
        found["expression"] = _expressions(
            text, classes, f", the classes of the {given} columns" * bool(given)
        )
    for name in AFFECT:
        if name in names:
            found[name] = text.numbers(name, low=-1, high=1, empty=True)
    for prefix in PREFIXES:
        columns = _named(names, prefix)
        if columns:
            values = np.stack([text.numbers(columns[name], low=0, high=1, empty=True) for name in classes], 1)
            rows = [", ".join(row) for row in text.frame[list(columns.values())].itertuples(index=False)]
            _check_row(text, prefix, values, rows)
            if prefix == "share_":
                values = values / values.sum(axis=1, keepdims=True)
            found |= {f"{prefix}{name}": values[:, k] for k, name in enumerate(classes)}
    return pd.DataFrame(found, index=range(len(text)))


def _check_row(text: TextTable, prefix: str, values: np.ndarray, rows: list[str]) -> None:
    """States are 0 or 1 and shares sum to 1; a row has all of them or none."""
    empty = np.isnan(values)
    some = empty.any(axis=1) & ~empty.all(axis=1)
    text.refuse(some, f"the {prefix} columns of a row must be all filled or all empty", rows)
    if prefix == "state_":
        odd = ~empty.all(axis=1) & ~np.isin(values, (0, 1)).all(axis=1)
        text.refuse(odd, "states must be 0 or 1", rows)
    else:
        odd = np.abs(values.sum(axis=1) - 1) > _NEAR
        text.refuse(odd, "shares of a row must sum to 1", rows)


def _expressions(text: TextTable, classes: tuple[str, ...], origin: str) -> np.ndarray:
    """Numbers of the classes (N,), -1 where the cell is empty; `origin` says where the classes come from."""
    cells = text.frame["expression"].str.strip()
    numbers = pd.to_numeric(cells, errors="coerce")
    codes = {name: k for k, name in enumerate(classes)}
    if numbers.notna().any() and not any(name.isdecimal() for name in classes):
        whole = numbers.isna() | ((numbers % 1 == 0) & (numbers >= -1) & (numbers < len(classes)))
        rule = f"a number of expression must be a whole one from 0 to {len(classes) - 1}, or -1 for none"
        text.refuse(~whole.to_numpy(), rule, cells.tolist())
        mixed = (numbers.isna() & (cells != "")).to_numpy()
        text.refuse(mixed, "expression must be numbers or names, not both", cells.tolist())
        return numbers.fillna(-1).to_numpy().astype(np.int64)
    spelled = replace(text, frame=pd.DataFrame({"expression": cells.map(class_name)}))
    return spelled.one_of("expression", codes | {"": -1}, origin=origin)


def _others(text: TextTable, names: list[str]) -> pd.DataFrame:
    """All other columns: numbers where every filled cell is one, else texts; empty cells are unknown."""
    taken = {"path", "split", "expression", *AFFECT}
    free = [name for name in names if name not in taken and not name.startswith(tuple(PREFIXES))]
    found = {}
    for name in free:
        cells = text.frame[name].replace("", None)
        numbers = pd.to_numeric(cells, errors="coerce")
        as_numbers = name != "subject" and numbers.notna().equals(cells.notna())
        found[name] = numbers if as_numbers else cells
    return pd.DataFrame({name: column for name, column in found.items() if column.notna().any()})


def _tasks(table: pd.DataFrame, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Tasks that at least one row has a label for."""
    there = {
        "categorical": "expression" in table and bool((table["expression"] >= 0).any()),
        "valence_arousal": "valence" in table and bool(table[list(AFFECT)].notna().all(axis=1).any()),
    }
    for prefix, task in PREFIXES.items():
        column = f"{prefix}{classes[0]}" if classes else ""
        there[task] = column in table and bool(table[column].notna().any())
    return tuple(task for task in TASKS if there[task])
