"""What the five works claim, as data: a sentence, and which of our result rows it compares."""

import functools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

DIRECTIONS = ("higher", "lower", "not lower", "not higher", "same")
TURNED = ("lower", "not higher")
"""Directions in which a smaller number of the first speaks for the claim."""
PICKABLE = ("table", "row", "column", "dataset", "encoder", "regime", "metric")
"""Columns of result rows that a side of a claim may ask for; what is not asked for may be anything."""


@dataclass(frozen=True)
class Claim:
    """One claim of one paper.

    Args:
        id: short and stable, such as "ciao-decision".
        paper: id of the work, as in result rows.
        theme: what it is about, such as "adapting"; claims of a theme can be compared between papers.
        sentence: the claim in our words.
        source: where the paper makes it.
        chapter: the chapter that tests it.
        target: label of the figure or table there that shows it.
        first, second: column to pattern (``*`` and ``?``, ``a|b`` for either): the rows that are compared,
            first against second.
        direction: "higher" or "lower" says that the first's numbers are; "not lower" or "not higher" that
            they are not so by ``smallest`` ("keeps up with", "is as good as"); "same" that they differ by
            less than ``smallest`` either way.
        smallest: smallest difference that matters, > 0, in the unit of the rows' values.
        by: columns in which the two rows of a pair agree, beside data set and seed.

    Raises:
        ValueError: an unknown direction or column, or a number out of range.
    """

    id: str
    paper: str
    theme: str
    sentence: str
    source: str
    chapter: str
    target: str
    first: Mapping[str, str]
    second: Mapping[str, str]
    direction: str
    smallest: float
    by: tuple[str, ...] = ("encoder", "metric")

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(
                f"direction must be one of {', '.join(DIRECTIONS)}; got {self.direction!r} in {self.id}. "
                "Say which side the claim holds to be larger."
            )
        if not self.smallest > 0:
            raise ValueError(
                f"smallest must be above 0; got {self.smallest} in {self.id}. Which difference would matter?"
            )
        unknown = sorted({*self.first, *self.second, *self.by} - set(PICKABLE))
        if unknown:
            raise ValueError(
                f"first, second and by must name {', '.join(PICKABLE)}; got {unknown} in {self.id}. "
                "Name columns of result rows."
            )


@functools.cache
def claims() -> tuple[Claim, ...]:
    """All claims of the book, in the order of the chapters that test them."""
    file = resources.files("fer_lib.scoreboard") / "claims.toml"
    return read_claims(Path(str(file)))


def read_claims(path: str | Path) -> tuple[Claim, ...]:
    """Read claims from TOML: tables ``[[claim]]`` with the fields of `Claim`.

    Args:
        path: the book's own file, or one of yours.

    Raises:
        ValueError: a field is missing, unknown or wrong, or an id comes twice; names the claim.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path.name, "must be a file of claims", "no file", "Check the path.")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("claim", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(path.name, "must be TOML", str(error), "Correct the file.") from error
    read = [_claim(path.name, one) for one in found]
    twice = sorted({one.id for one in read if [other.id for other in read].count(one.id) > 1})
    if twice or not read:
        rule = "must hold one claim or more, each id once"
        raise DataError(path.name, rule, ", ".join(twice) or "none", "Rename or remove.")
    return tuple(read)


def toml(claim: Claim) -> str:
    """A claim as it stands in a file of claims; `read_claims` reads it back.

    Example:
        >>> one = Claim("a", "ciao", "t", "S.", "V", "09", "f", {"row": "x"}, {"row": "y"}, "higher", 0.5)
        >>> print(toml(one).splitlines()[-3])
        second = { row = "y" }
    """
    lines = ["[[claim]]"]
    for field in fields(claim):
        value = getattr(claim, field.name)
        if field.name == "by" and value == field.default:
            continue
        if isinstance(value, Mapping):
            told = "{ " + ", ".join(f"{name} = {json.dumps(v)}" for name, v in value.items()) + " }"
        else:
            told = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
        lines.append(f"{field.name} = {told}")
    return "\n".join(lines) + "\n"


def _claim(file: str, told: dict[str, Any]) -> Claim:
    names = {field.name for field in fields(Claim)}
    needed = names - {"by"}
    place = f"{file}, claim {told.get('id', '?')}"
    if not needed <= set(told) <= names:
        wrong = sorted(needed - set(told)) + sorted(set(told) - names)
        raise DataError(
            place, f"must have the fields {', '.join(sorted(names))}", f"{wrong}", "Add or remove."
        )
    try:
        return Claim(**(told | {"by": tuple(told.get("by", ("encoder", "metric")))}))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place}: {error}") from error


def chosen(rows: "pd.DataFrame", paper: str, patterns: Mapping[str, str]) -> "pd.DataFrame":
    """Rows of a paper that fit all patterns of one side of a claim.

    Args:
        rows: result rows, or printed ones.
        paper: its id.
        patterns: column to pattern.
    """
    import pandas as pd

    fits = rows["paper"] == paper
    for column, pattern in patterns.items():
        options = pattern.split("|")
        known = {v: any(fnmatchcase(str(v), one) for one in options) for v in rows[column].unique()}
        fits &= rows[column].map(known).astype(bool)
    found: pd.DataFrame = rows[fits]
    return found
