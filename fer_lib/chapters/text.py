"""Takes a MyST text notebook apart with the standard library and PyYAML alone, in a millisecond.

jupytext does the conversion to a real notebook (`reader.notebook_of`); importing it takes seconds, which
`fer list` and a build with nothing to do should not pay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<cell>\{code-cell\})?[^`]*$")
_TITLE = re.compile(r"^# +(.+?)\s*$")


@dataclass(frozen=True)
class CodeCell:
    """One code cell: its lines, its tags, and the rest of its metadata."""

    source: str
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChapterText:
    """A chapter's text in parts: the YAML header, the title, the code cells."""

    header: dict[str, Any]
    title: str
    cells: tuple[CodeCell, ...]


def parse(text: str) -> ChapterText:
    """Parses the text of a MyST notebook.

    Args:
        text: the file's content.

    Returns:
        Its header (empty when there is none), title (empty when there is none) and code cells.

    Raises:
        ValueError: when a cell or another block is never closed.

    >>> cell = "```{code-cell} python\\n:tags: [parameters]\\nseeds = 0\\n```"
    >>> parse("---\\nfer: {tasks: []}\\n---\\n# Faces\\n" + cell).cells[0].tags
    ('parameters',)
    """
    lines = text.splitlines()
    header, start = _header(lines)
    title, cells, at = "", [], start
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        if opened:
            end = _closing(lines, at, opened["fence"])
            if opened["cell"]:
                cells.append(_cell(lines[at + 1 : end]))
            at = end  # a cell inside another block is an example, not a cell
        elif not title and (found := _TITLE.match(lines[at])):
            title = found[1]
        at += 1
    return ChapterText(header, title, tuple(cells))


def header_and_title(text: str) -> tuple[dict[str, Any], str]:
    """Returns only the header and the title: what `fer list` shows."""
    lines = text.splitlines()
    header, start = _header(lines)
    title = next((found[1] for line in lines[start:] if (found := _TITLE.match(line))), "")
    return header, title


def _header(lines: list[str]) -> tuple[dict[str, Any], int]:
    if not lines or lines[0].strip() != "---":
        return {}, 0
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        return {}, 0
    return _yaml("\n".join(lines[1:end])), end + 1


def _yaml(text: str) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader) or {}


def _closing(lines: list[str], start: int, fence: str) -> int:
    for at in range(start + 1, len(lines)):
        if lines[at].startswith(fence) and not lines[at].strip(fence[0]).strip():
            return at
    raise ValueError(f"a block must be closed; got no end of line {start + 1}. End it with a line {fence}.")


def _cell(lines: list[str]) -> CodeCell:
    """Metadata comes first: a block between `---` lines, or lines `:name: value`."""
    metadata: dict[str, Any] = {}
    if lines and lines[0].strip() == "---":
        end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
        metadata, lines = _yaml("\n".join(lines[1:end])), lines[end + 1 :]
    else:
        options = [line for line in lines[: _options(lines)]]
        metadata = _yaml("\n".join(line[1:].replace(":", ": ", 1) for line in options)) if options else {}
        lines = lines[len(options) :]
    source = "\n".join(lines).strip("\n")
    tags = metadata.get("tags") or []
    return CodeCell(source, tuple(tags if isinstance(tags, list) else [tags]), metadata)


def _options(lines: list[str]) -> int:
    return next((i for i, line in enumerate(lines) if not re.match(r"^:[\w-]+:", line)), len(lines))
