"""Sphinx extension: lets {footcite:t} be used in MyST pages of a strict build.

MyST looks for the definition of every footnote while it parses. The definitions of sphinxcontrib-bibtex's
footcites are made later, by the {footbibliography} block, so MyST reports each citation as undefined. Only
these reports are dropped, by their prefix; a footcite whose key is missing from references.bib, or a page
without a {footbibliography}, is still reported, by sphinxcontrib-bibtex and docutils.
"""

from __future__ import annotations

import logging
import re
from typing import Any

FALSE_ALARM = re.compile(r"No footnote definitions found for label: '(cite-)?footcite-")


def is_wanted(record: logging.LogRecord) -> bool:
    """Whether a log record is to be kept.

    >>> text = "No footnote definitions found for label: '{}'"
    >>> [is_wanted(logging.makeLogRecord({"msg": text.format(n)})) for n in ("footcite-lin1989", "1")]
    [False, True]
    """
    return not FALSE_ALARM.search(record.getMessage())


def setup(app: Any) -> dict[str, Any]:
    """Registers the filter on the logger through which docutils, and so MyST, reports."""
    logging.getLogger("sphinx.sphinx.util.docutils").addFilter(is_wanted)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
