"""A book of one chapter that saves a row a seed, for grids of runs."""

from pathlib import Path

import pytest

CHAPTER = """\
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
  minutes: {smoke: 0.5, quick: 2, full: 60}
  memory_gb: {smoke: 0.5, quick: 1, full: 8}
---
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


def write_chapter(root: Path, name: str, text: str = CHAPTER) -> None:
    """Writes a chapter into the book; NAME becomes its own."""
    (root / "notebooks" / f"{name}.md").write_text(text.replace("NAME", name), encoding="utf-8")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The book; the working folder and the environment point at it."""
    root = tmp_path / "small"
    (root / "notebooks").mkdir(parents=True)
    (root / "_config.yml").write_text("title: Small\n", encoding="utf-8")
    write_chapter(root, "00_rows")
    monkeypatch.chdir(root)
    monkeypatch.setenv("FER_BOOK", str(root))
    monkeypatch.setenv("FER_HOME", str(root / "_build"))
    for name in ("FER_RUN_DIR", "FER_PROFILE", "FER_TRACEBACK", "FER_FIRST_SEED"):
        monkeypatch.delenv(name, raising=False)
    return root
