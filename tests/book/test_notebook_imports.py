"""Every name that a chapter takes from this library is there, whether or not a build has run the chapter."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

CHAPTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.md"))
CELL = re.compile(r"^```\{code-cell\}.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def taken(text: str) -> set[tuple[str, str]]:
    """Module and name of each ``from fer_lib... import ...`` in the cells of a chapter."""
    lines = [line for cell in CELL.findall(text) for line in cell.splitlines()]
    starts = [k for k, line in enumerate(lines) if re.match(r"\s*from fer_lib\S* import ", line)]
    found = set()
    for k in starts:
        end = k + 1
        while "(" in lines[k] and ")" not in "".join(lines[k:end]):
            end += 1
        (node,) = ast.parse("\n".join(lines[k:end]).strip()).body
        found |= {(node.module, alias.name) for alias in node.names}
    return found


def is_there(module: str, name: str) -> bool:
    """Whether a module has a name, or a module below it."""
    inside = hasattr(importlib.import_module(module), name)
    return inside or importlib.util.find_spec(f"{module}.{name}") is not None


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_chapter_imports_is_there(chapter: Path) -> None:
    names = taken(chapter.read_text(encoding="utf-8"))
    assert names, "every chapter takes something from the library"
    assert [f"{module}.{name}" for module, name in sorted(names) if not is_there(module, name)] == []


def test_a_name_that_is_not_there_is_found() -> None:
    assert is_there("fer_lib.scoreboard", "verdicts")
    assert is_there("fer_lib.views", "forest")
    assert not is_there("fer_lib.results", "verdicts")


def test_imports_are_found_over_several_lines() -> None:
    cell = "```{code-cell} ipython3\nfrom fer_lib.a import (\n    b,\n    c,\n)\nx = 1\n```\n"
    text = cell + "from fer_lib.z import y\n"
    assert taken(text) == {("fer_lib.a", "b"), ("fer_lib.a", "c")}
