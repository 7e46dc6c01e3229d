"""A chapter's parameters: what they are, and whether the values given on the command line fit them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lib.chapters import catalogue, text
from fer_lib.chapters.helpers import PROFILES
from fer_lib.remote import is_remote

PATHS = ("_root", "_dir", "_folder", "_path", "_file")
"""How names of parameters end that are files and folders."""
_CHOICES = re.compile(r"^one of:?\s+([^;]+)")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Parameter:
    """A parameter as the chapter declares it: `name: type = default  # help`.

    A help text that begins with "one of:" lists the only values allowed, the default beside them:
    `# one of: happy, neutral; empty: the profile's own`.
    """

    name: str
    type: str
    default: Any
    help: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The values allowed; empty when any value of the type is."""
        if self.name == "profile":
            return PROFILES
        listed = _CHOICES.match(self.help)
        return tuple(part.strip(" `\"'") for part in re.split(r",| or ", listed[1])) if listed else ()


def inspect(chapter: catalogue.Chapter) -> dict[str, Parameter]:
    """Reads a chapter's parameters as papermill sees them.

    Raises:
        ValueError: when a line of the parameters cell cannot be read (papermill would skip it silently).
    """
    import papermill

    from fer_lib.chapters.reader import notebook_of

    cell = next((c for c in text.parse(_read(chapter)).cells if "parameters" in c.tags), None)
    if cell is None:
        return {}
    found = papermill.inspect_notebook(notebook_of(chapter))
    lines = [node for node in ast.parse(cell.source).body if isinstance(node, ast.AnnAssign)]
    declared = [ast.unparse(line.target) for line in lines]
    for name in declared:
        if name not in found:
            raise ValueError(
                f"{chapter.name}: a parameter must be one line `name: type = default  # help`; "
                f"got another form for {name!r}. Write it on one line without a second `=`."
            )
    return {
        name: Parameter(name, entry["inferred_type_name"], ast.literal_eval(entry["default"]), entry["help"])
        for name, entry in found.items()
    }


def validate(
    given: Mapping[str, str], known: Mapping[str, Parameter], *, chapter: str, folder: Path | None = None
) -> dict[str, Any]:
    """Turns texts from a command line into values of the parameters' types.

    Args:
        given: texts by parameter name.
        known: the chapter's parameters, see `inspect`.
        chapter: the chapter's name, for the messages.
        folder: relative paths (parameters named `..._root`, `..._dir` and the like) are meant from here;
            addresses such as "s3://lab/ferplus" stay as they are.

    Returns:
        Values by name; only for the names given.

    Raises:
        ValueError: for a name that the chapter does not have, a text that does not fit the type, or a
        value that is not
            among those allowed.

    >>> seeds = Parameter("seeds", "int", 0, "number of seeds")
    >>> validate({"seeds": "3"}, {"seeds": seeds}, chapter="04_facechannel")
    {'seeds': 3}
    """
    values = {}
    for name, written in given.items():
        if name not in known:
            hint = catalogue.suggest(name, known, f"fer params {chapter}")
            raise ValueError(f"parameter must be one that {chapter} has; got {name!r}. {hint}")
        values[name] = cast(written, known[name])
        if folder is not None and name.endswith(PATHS) and values[name] and not is_remote(values[name]):
            values[name] = str((folder / Path(values[name]).expanduser()).resolve())
    return values


def cast(written: str, parameter: Parameter) -> Any:
    """Turns a text into a value of the parameter's type.

    Raises:
        ValueError: when it does not fit.

    >>> cast("false", Parameter("inhibition", "bool", True, ""))
    False
    >>> cast("1e-4", Parameter("rate", "float", 0.1, ""))
    0.0001
    """
    kind = parameter.type.replace(" ", "") if parameter.type != "None" else type(parameter.default).__name__
    try:
        value = _converter(kind)(written)
    except (ValueError, SyntaxError, TypeError):
        raise ValueError(
            f"{parameter.name} must be {_RULES.get(kind, f'a {kind}')}; got {written!r}. "
            f"Write for example -p {parameter.name}={_example(parameter.default)}."
        ) from None
    if parameter.choices and str(value) not in parameter.choices and value != parameter.default:
        allowed = ", ".join(parameter.choices)
        raise ValueError(f"{parameter.name} must be one of {allowed}; got {written!r}. Choose one of them.")
    return value


_RULES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list[int]": "whole numbers with commas between them",
    "list[float]": "numbers with commas between them",
    "list[str]": "texts with commas between them",
}


def _bool(written: str) -> bool:
    lowered = written.strip().lower()
    if lowered not in _TRUE + _FALSE:
        raise ValueError(written)
    return lowered in _TRUE


def _float(written: str) -> float:
    value = float(written)
    if math.isnan(value):
        raise ValueError(written)
    return value


def _list(item: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def convert(written: str) -> list[Any]:
        inner = written.strip()
        if inner[:1] + inner[-1:] in ("[]", "()"):
            inner = inner[1:-1]
        return [item(part.strip().strip("\"'")) for part in inner.split(",") if part.strip()]

    return convert


def _converter(kind: str) -> Callable[[str], Any]:
    simple: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": _float, "bool": _bool}
    if kind in simple:
        return simple[kind]
    inner = re.fullmatch(r"list\[(str|int|float|bool)\]", kind)
    return _list(simple[inner[1]]) if inner else ast.literal_eval


def _example(default: Any) -> str:
    if isinstance(default, list):
        return ",".join(str(item) for item in default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def _read(chapter: catalogue.Chapter) -> str:
    return chapter.path.read_text(encoding="utf-8")
