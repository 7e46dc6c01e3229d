"""What the template's rules ask about a chapter's text: directives, options, parameters, words of prose."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property

from fer_lib.chapters import text

PARAMETER = re.compile(r"^(\w+): (str|int|float|bool|list\[(?:str|int|float)\]) = (.+?)  # (\S.*)$")
_BLOCK = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<kind>[\w:-]+)\} *(?P<argument>.*)$")
_ROLE = re.compile(r"\{[\w:]+\}`([^`]*)`")
_NOT_PROSE = ("{code-cell}", "{math}", "{footbibliography}")


class Block:
    """A fenced directive of the page: kind, argument, options and the lines inside."""

    def __init__(self, lines: list[str], start: int, match: re.Match[str]) -> None:
        fence = match["fence"]
        closing = re.compile(rf"^{re.escape(fence[0])}{{{len(fence)},}}\s*$")
        after = range(start + 1, len(lines))
        self.start, self.kind, self.argument = start, match["kind"], match["argument"].strip()
        self.end = next((at for at in after if closing.match(lines[at])), len(lines))
        self.lines = lines[start + 1 : self.end]
        found = (re.match(r"^:([\w-]+): *(.*)$", line) for line in self.lines)
        self.options = {option[1]: option[2] for option in found if option}


class Page:
    """A chapter's text with what the rules ask about.

    Args:
        source: the text of `notebooks/NN_name.md`.
        name: "NN_name".
        keys: keys of book/references.bib.
    """

    def __init__(self, source: str, *, name: str, keys: Collection[str]) -> None:
        self.source, self.name, self.number, self.keys = source, name, name[:2], keys
        self.lines = source.splitlines()
        self.parsed = text.parse(source)
        self.is_first = self.number == "00"

    @cached_property
    def blocks(self) -> list[Block]:
        matches = ((at, _BLOCK.match(line)) for at, line in enumerate(self.lines))
        return [Block(self.lines, at, match) for at, match in matches if match]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Names of the parameters and their defaults, as written."""
        lines = "\n".join(self.tagged("parameters")[:1]).splitlines()
        matches = (PARAMETER.match(line) for line in lines)
        return {match[1]: match[3] for match in matches if match}

    @cached_property
    def words(self) -> int:
        """Words of prose: headings, paragraphs, lists, exercises; no code, equations, tables or options."""
        return len(re.findall(r"[^\W\d_][\w'’-]*", _prose(self.lines)))

    @cached_property
    def code_lines(self) -> int:
        lines = (line.strip() for cell in self.parsed.cells for line in cell.source.splitlines())
        return sum(bool(line) and not line.startswith("#") for line in lines)

    def of_kind(self, *kinds: str) -> list[Block]:
        return [block for block in self.blocks if block.kind in kinds]

    def tagged(self, tag: str) -> list[str]:
        return [cell.source for cell in self.parsed.cells if tag in cell.tags]

    def section(self, title: str) -> str:
        found = re.search(rf"^## {re.escape(title)}\s*$(.*?)(?=^## |\Z)", self.source, re.M | re.S)
        return found[1] if found else ""


def _prose(lines: list[str]) -> str:
    """The running text; whatever a machine reads is left out."""
    kept, closing, start = [], "", 0
    if lines[:1] == ["---"]:
        start = next((at for at, line in enumerate(lines[1:], 1) if line == "---"), 0) + 1
    for line in lines[start:]:
        opened = re.match(r"^(`{3,}|:{3,})(\{[\w:-]+\}|\w*)(.*)$", line)
        if closing:
            closing = "" if line.strip() == closing else closing
        elif opened and (opened[2] in _NOT_PROSE or opened[2][:1].isalpha()):
            closing = opened[1]
        elif not opened and not re.match(r"^(:[\w-]+:|\||\([\w-]+\)=|\$\$)", line):
            kept.append(_ROLE.sub(r"\1", line))
    return "\n".join(kept)
