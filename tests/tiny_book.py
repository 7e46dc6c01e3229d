"""Books of one or two tiny chapters, for what the runner and the grid do with any book."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FER = str(Path(sys.executable).with_name("fer"))
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

ROWS = (
    HEADER.replace("smoke: 0.1, quick: 0.2, full: 1", "smoke: 0.5, quick: 2, full: 60").replace(
        "smoke: 0.5, quick: 1, full: 1", "smoke: 0.5, quick: 1, full: 8"
    )
    + """\
# NAME

```{code-cell} ipython3
:tags: [parameters]

profile: str = "quick"  # smoke, quick or full
dataset: str = "world:fer2013"  # faces
data_root: str = ""  # folder of a real corpus
encoder: str = "facechannel"  # an encoder
seeds: int = 0  # number of seeds, at least 2; 0: the profile's own
rate: float = 1.0  # a factor
```

```{code-cell} ipython3
import os
import time
from pathlib import Path
from fer_lib import results
from fer_lib.chapters import seeds_of

seed_list = seeds_of(seeds, profile)
if len(seed_list) < 2:
    raise ValueError(f"seeds must be 0 or at least 2; got {seeds}.")
time.sleep(float(os.environ.get("NAP", 0)))
about = {"paper": "book", "table": "T", "dataset": dataset, "encoder": encoder, "metric": "m", "commit": ""}
rows = [results.row(**about, seed=seed, value=rate * (seed + len(dataset))) for seed in seed_list]
mean = results.row(**about, row="mean", value=sum(one["value"] for one in rows) / len(rows))
same = results.row(**about, row="faces", value=len(encoder))
_ = results.save([*rows, mean, same], "NAME")
```
"""
)
"""A chapter that saves a row a seed, for grids of runs."""

TOC = """\
format: jb-book
root: book/intro
chapters:
  - file: notebooks/00_one
  - file: notebooks/01_two
"""


def write_chapter(root: Path, name: str, text: str = CHAPTER) -> Path:
    """Writes a chapter into a book; NUMBER and NAME become the chapter's own."""
    path = root / "notebooks" / f"{name}.md"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text.replace("NUMBER", name[:2]).replace("NAME", name), encoding="utf-8")
    return path


def make_book(root: Path, text: str = CHAPTER) -> Path:
    """Writes a whole book of two chapters."""
    for name in ("00_one", "01_two"):
        write_chapter(root, name, text)
    (root / "book").mkdir()
    (root / "book" / "intro.md").write_text("# A tiny book\n", encoding="utf-8")
    (root / "_config.yml").write_text(
        "title: Tiny\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n", encoding="utf-8"
    )
    (root / "_toc.yml").write_text(TOC, encoding="utf-8")
    return root


def enter(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets the working folder and the environment point at a book."""
    monkeypatch.chdir(root)
    monkeypatch.setenv("FER_BOOK", str(root))
    monkeypatch.setenv("FER_HOME", str(root / "_build"))
    for name in ("FER_RUN_DIR", "FER_PROFILE", "FER_TRACEBACK", "FER_FIRST_SEED"):
        monkeypatch.delenv(name, raising=False)
    return root


def start_build(root: Path) -> subprocess.Popen[str]:
    """Starts `fer build` of a book, in a group of processes of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    environment |= {"FER_BOOK": str(root), "FER_HOME": str(root / "_build")}
    return subprocess.Popen(
        [FER, "build", "--profile", "smoke", "--cores", "2"], cwd=root, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def finish(build: subprocess.Popen[str]) -> tuple[str, str, int]:
    """What a build said on stdout and on stderr, and its status."""
    return *build.communicate(timeout=300), build.returncode
