"""A chapter that follows the template, for the tests to break one rule at a time."""

GOOD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
fer:
  tasks: [valence_arousal]
  minutes: {smoke: 0.5, quick: 2, full: 60}
  memory_gb: {smoke: 1, quick: 2, full: 8}
---
(ch-04)=
# Reading with a small network

:::{admonition} At a glance
:class: at-a-glance
**You will learn**
- what inhibition changes;
- how to compare two networks.

**Before you start** Chapter 02. **Time and memory** Two minutes. **Data and licence** A face world.
**Reproduces** Figure 8 of {footcite:t}`barros2022facestn`.
:::

```{code-cell} python
:tags: [parameters]
profile: str = "quick"  # smoke, quick or full
dataset: str = "world:affectnet"  # a corpus or a face world
data_root: str = ""  # folder of a real corpus
seeds: int = 0  # number of seeds; 0: the profile's own
```

```{code-cell} python
:tags: [setup]
from fer_lib import views
views.use_style()
```

PROSE

```{math}
:label: eq-04-shunting
S = u / (a + I)
```

```{code-cell} python
:tags: [idea]
views.source(shunt)
```

FIGURES

In our run inhibition gains {glue:text}`gain:.2f`, from {glue:text}`low:.2f` to {glue:text}`high:.2f`.

```{code-cell} python
glue("gain", 0.1), glue("low", 0.0), glue("high", 0.2)
```

```{code-cell} python
---
mystnb:
  markdown_format: myst
tags: [paper-table]
---
results.show_table(frame, caption="Ours beside the paper's.", name="tbl-04-bars")
```

## Where it fails

On people it has not seen. It must not be used to decide about a person.

## Summary

Inhibition divides.

## Exercises

EXERCISES

## References

```{footbibliography}
```
"""

FIGURE = """```{{code-cell}} python
---
mystnb:
  figure:
    caption: "Faces of a synthetic world, number {n} of them."
    name: fig-04-{n}
  image:
    alt: "Rows of rendered faces, number {n}"
---
views.faces(images, synthetic=True)
```
"""

EXERCISE = """```{{exercise}}
:label: ex-04-{n}
Run it again: `fer run 04_facechannel -p seeds=3 -p dataset=world:ferplus --profile smoke`.
```

```{{solution}} ex-04-{n}
:class: dropdown
The interval is narrower.
```
"""

KEYS = {"barros2022facestn", "lin1989"}
NAME = "04_facechannel"
PROSE = " ".join(["Faces are looked at long before they are read."] * 300)


def good() -> str:
    """The text of a chapter without findings."""
    figures = "\n".join(FIGURE.format(n=n) for n in range(1, 5))
    exercises = "\n".join(EXERCISE.format(n=n) for n in range(1, 6))
    return GOOD.replace("PROSE", PROSE).replace("FIGURES", figures).replace("EXERCISES", exercises)
