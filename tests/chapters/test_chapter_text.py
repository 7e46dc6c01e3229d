"""Parsing a chapter without jupytext gives what jupytext gives."""

import jupytext
import pytest
from tiny_book import CHAPTER

from fer_lib.chapters import catalogue, reader, text

TRICKY = """\
---
fer: {tasks: []}
---
# Title

````{note}
```{code-cell} ipython3
not_a_cell = 1
```
````

```{code-cell} ipython3
---
tags: [a, b]
mystnb:
  figure:
    caption: "A: b"
---
x = 1

y = \"\"\"
`` ticks ``
\"\"\"
```

````{code-cell} ipython3
:tags: [c]
s = "```"
````

+++

```{code-cell} ipython3
```
"""


@pytest.mark.parametrize("written", [CHAPTER.replace("NUMBER", "00"), TRICKY])
def test_code_cells_tags_and_metadata_agree_with_jupytext(written):
    theirs = [cell for cell in jupytext.reads(written, fmt="md:myst").cells if cell.cell_type == "code"]
    ours = text.parse(written).cells
    assert len(ours) == 3 or written is not TRICKY
    assert [cell.source for cell in ours] == [cell.source for cell in theirs]
    assert [list(cell.tags) for cell in ours] == [cell.metadata.get("tags", []) for cell in theirs]
    assert [cell.metadata.get("mystnb") for cell in ours] == [cell.metadata.get("mystnb") for cell in theirs]


def test_every_chapter_of_the_book_parses_as_jupytext_parses_it():
    known = catalogue.chapters()
    assert known
    for chapter in known:
        theirs = [c.source for c in reader.notebook_of(chapter).cells if c.cell_type == "code"]
        assert [c.source for c in text.parse(chapter.path.read_text(encoding="utf-8")).cells] == theirs


def test_header_and_title_of_a_file_without_either():
    assert text.header_and_title("words\n") == ({}, "")
    assert text.header_and_title("# Only a title\n") == ({}, "Only a title")


def test_an_unclosed_cell_is_refused():
    with pytest.raises(ValueError, match=r"a block must be closed; got no end of line 3\. End it with"):
        text.parse("# T\n\n```{code-cell} python\nx = 1\n")
