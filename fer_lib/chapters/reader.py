"""Reads a chapter's text as a notebook, and lets papermill open one by name.

With the library installed, `papermill chapter://04_facechannel out.ipynb -p seeds 2` works as it is.

papermill finds `ChapterHandler` through the entry-point group `papermill.io` whenever it is imported, so
this module imports nothing heavy at its top.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib.chapters import catalogue

if TYPE_CHECKING:
    from nbformat import NotebookNode

PREFIX = "chapter://"

# papermill warns about every input without a file ending; a chapter's name needs none.
warnings.filterwarnings("ignore", message="the file is not specified with any extension", module="papermill")


def notebook_of(chapter: catalogue.Chapter) -> NotebookNode:
    """Converts a chapter's text to a notebook without outputs.

    Returns:
        A notebook (format 4) with a kernelspec and language info, as papermill needs them, and cell ids
        that depend on the cells' content alone.
    """
    import jupytext

    from fer_lib.chapters.notebooks import stable_ids

    notebook = jupytext.reads(chapter.path.read_text(encoding="utf-8"), fmt="md:myst")
    spec = notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3"})
    spec.setdefault("language", "python")
    notebook.metadata.setdefault("language_info", {"name": "python", "file_extension": ".py"})
    notebook.metadata.pop("jupytext", None)
    return stable_ids(notebook)


class ChapterHandler:
    """papermill's way to a chapter: `chapter://04_facechannel`, `chapter://04` or `chapter://4`.

    The names are those of the book in which the command runs (see `catalogue.book_root`). Chapters are
    only read; outputs go to ordinary files.
    """

    @classmethod
    def read(cls, path: str) -> str:
        """Returns the chapter as notebook JSON.

        Raises:
            ValueError: for a name that no chapter has.
        """
        import nbformat

        return nbformat.writes(notebook_of(catalogue.find(_name(path))))

    @classmethod
    def listdir(cls, path: str) -> list[str]:
        """Lists the chapters, each with the prefix."""
        return [PREFIX + chapter.name for chapter in catalogue.chapters()]

    @classmethod
    def write(cls, buf: str, path: str) -> None:
        """Refuses: a chapter is text under version control, not an output.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"the output must be a file; got {path!r}. Give a path such as out.ipynb.")

    @classmethod
    def pretty_path(cls, path: str) -> str:
        """Returns the path as given."""
        return path


def _name(path: str) -> str:
    return Path(path.removeprefix(PREFIX)).name.removesuffix(".ipynb").removesuffix(".md")
