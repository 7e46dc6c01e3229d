"""A book of two tiny chapters, for what the runner does with any book."""

import textwrap
from pathlib import Path

import pytest

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
fer:
  tasks: [categorical]
  minutes: {smoke: 0.1, quick: 0.2, full: 1}
  memory_gb: {smoke: 0.5, quick: 1, full: 1}
---
"""

CHAPTER = (
    HEADER
    + """\
(ch-NUMBER)=
# Chapter NUMBER

```{admonition} At a glance
:class: at-a-glance
Two cells and a sentence.
```

```{code-cell} ipython3
:tags: [parameters]

profile: str = "quick"  # smoke, quick or full
data_root: str = ""  # folder of a real corpus
seeds: int = 0  # number of seeds; 0: the profile's own
rate: float = 1e-3  # step size
fancy: bool = True  # whether to be fancy
sizes: list[int] = [1, 2]  # some sizes
colour: str = "red"  # one of: red, green
```

```{code-cell} ipython3
:tags: [setup]

import os
from fer_lib.chapters import glue, seeds_of

kind = type(fancy).__name__
print(kind, fancy, rate, sizes, seeds_of(seeds, profile), data_root)
glue("seeds-NUMBER", len(seeds_of(seeds, profile)))
```

The run used {glue:text}`seeds-NUMBER:d` seeds.

```{code-cell} ipython3
if colour == "green":
    raise RuntimeError("no green today")
rate * 2
```
"""
)


def write_chapter(book: Path, name: str, text: str = CHAPTER) -> Path:
    """Writes a chapter into a book; NUMBER becomes the chapter's own."""
    path = book / "notebooks" / f"{name}.md"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text.replace("NUMBER", name[:2]), encoding="utf-8")
    return path


def make_book(book: Path) -> Path:
    """Writes the whole tiny book."""
    for name in ("00_one", "01_two"):
        write_chapter(book, name)
    (book / "book").mkdir()
    (book / "book" / "intro.md").write_text("# A tiny book\n", encoding="utf-8")
    (book / "_config.yml").write_text(
        "title: Tiny\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n", encoding="utf-8"
    )
    toc = """\
    format: jb-book
    root: book/intro
    chapters:
      - file: notebooks/00_one
      - file: notebooks/01_two
    """
    (book / "_toc.yml").write_text(textwrap.dedent(toc), encoding="utf-8")
    return book


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A fresh tiny book; the working folder and the environment point at it."""
    root = make_book(tmp_path / "tiny")
    monkeypatch.chdir(root)
    monkeypatch.setenv("FER_BOOK", str(root))
    monkeypatch.setenv("FER_HOME", str(root / "_build"))
    for name in ("FER_RUN_DIR", "FER_PROFILE", "FER_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return root
