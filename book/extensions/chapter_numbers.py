"""Sphinx extension: a chapter's number is the one in its file name.

Sphinx numbers the pages in the order of the table of contents, so a new chapter would renumber all that
follow, and "Figure 5" would belong to `04_facechannel`. Here the page notebooks/04_facechannel is chapter 4,
its sections are 4.1, 4.2, ..., its figures, tables, equations and exercises too, whatever comes before it.
Pages that are not chapters carry no number.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.environment.collectors.toctree import TocTreeCollector

_assign_figure_numbers = TocTreeCollector.assign_figure_numbers


def chapter_number(page: str) -> int | None:
    """Number of the chapter that a page is, or None.

    >>> chapter_number("notebooks/04_facechannel"), chapter_number("book/preface")
    (4, None)
    """
    match = re.fullmatch(r"notebooks/(\d\d)_\w+", page)
    return int(match[1]) if match else None


def renumber(secnumber: tuple[int, ...] | None, chapter: int | None) -> tuple[int, ...] | None:
    """A section's number with the chapter's in front; None where the page is not a chapter.

    >>> renumber((2, 3), 4), renumber((2,), None)
    ((4, 3), None)
    """
    return (chapter, *secnumber[1:]) if secnumber and chapter is not None else None


def _renumber_node(node: nodes.Element, chapter: int | None) -> None:
    number = renumber(node.get("secnumber"), chapter)
    node.attributes.pop("secnumber", None)
    if number is not None:
        node["secnumber"] = number


def renumber_pages(env: Any) -> None:
    """Replaces the first place of every section number that Sphinx and sphinx-external-toc have assigned."""
    for page, numbers in env.toc_secnumbers.items():
        chapter = chapter_number(page)
        # Entries without a number stay: a heading that has none of its own would show its chapter's.
        env.toc_secnumbers[page] = {anchor: renumber(number, chapter) for anchor, number in numbers.items()}
        _renumber_node(env.titles[page], chapter)
        for node in env.tocs[page].findall(nodes.reference):
            _renumber_node(node, chapter)


def _assign(collector: Any, env: Any) -> list[str]:
    """Figures are numbered after sections and by them, so this is the moment to renumber sections."""
    renumber_pages(env)
    return _assign_figure_numbers(collector, env)


def setup(app: Any) -> dict[str, Any]:
    """Registers the extension with Sphinx, just before figures are numbered."""
    TocTreeCollector.assign_figure_numbers = _assign
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
