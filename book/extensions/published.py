"""Sphinx extension: what only the published book has.

A launch button that leads nowhere is worse than none. So the buttons appear only where the environment's
variable BOOK_REPOSITORY ("owner/name") says which repository the pages are deployed from; the deploy workflow
sets it. They point at the branch gh-pages, folder _sources, where the deployed book keeps its EXECUTED
notebooks: the text chapters of the main branch are not notebooks that Binder or Colab can open.
"""

from __future__ import annotations

import os
import re
from typing import Any

VARIABLE = "BOOK_REPOSITORY"


def published_options(repository: str) -> dict[str, Any]:
    """Theme options of the book deployed from the GitHub repository `repository` ("owner/name").

    Raises:
        ValueError: when `repository` is not of the form owner/name.

    >>> published_options("ada/faces")["repository_url"]
    'https://github.com/ada/faces'
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ValueError(
            f"{VARIABLE} must be owner/name; got {repository!r}. Set it to the repository on GitHub."
        )
    return {
        "repository_url": f"https://github.com/{repository}",
        "repository_branch": "gh-pages",
        "path_to_docs": "_sources",
        "use_repository_button": True,
        "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    }


def site_url(repository: str) -> str:
    """Address of the pages that GitHub serves for `repository`.

    >>> site_url("ada/faces")
    'https://ada.github.io/faces/'
    """
    owner, name = repository.split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def _configure(app: Any, config: Any) -> None:
    repository = os.environ.get(VARIABLE, "")
    if repository:
        config.html_theme_options.update(published_options(repository))
        config.ogp_site_url = config.html_baseurl = site_url(repository)


def setup(app: Any) -> dict[str, Any]:
    """Registers the extension with Sphinx; before the theme reads its options."""
    app.connect("config-inited", _configure, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
