"""What is known of each corpus and world, by name. No data are read here."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

from fer_lib.datasets.faceset import METRICS
from fer_lib.datasets.facts import CORPORA, OWN, CorpusInfo
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.worlds import World

__all__ = [
    "CORPORA", "OWN", "SYNTHETIC_LICENCE", "WORLD", "CorpusInfo", "describe", "metric_of", "names",
    "world_of",
]  # fmt: skip

WORLD = "world:"
SYNTHETIC_LICENCE = "synthetic faces rendered by this book, free of rights of people pictured: CC BY 4.0"


def names() -> list[str]:
    """Name every corpus, then every world."""
    from fer_lib.worlds import WORLDS

    return [*CORPORA, *(f"{WORLD}{name}" for name in WORLDS)]


def describe(name: str) -> CorpusInfo:
    """Tell about a corpus or a world.

    Args:
        name: such as "ferplus" or "world:ferplus"; "folder" for your own faces.

    Raises:
        DataError: there is no such corpus; the nearest name is suggested.

    Example:
        >>> describe("elderreact").counts["train"]
        615
    """
    if name in CORPORA or name == OWN.name:
        return OWN if name == OWN.name else CORPORA[name]
    known = names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
        raise DataError("name", "must be a corpus or a world", repr(name), hint)
    info, world = CORPORA[name.removeprefix(WORLD)], world_of(name)
    return dataclasses.replace(
        info,
        name=name,
        title=f"the stand-in world for {info.title}",
        licence=SYNTHETIC_LICENCE,
        homepage="none",
        obtain="Nothing to obtain: it is rendered when it is loaded.",
        layout="none",
        protocol=world.protocol,
        counts=dict(world.counts),
        class_counts={},
        task_counts={},
        form_counts={},
        reference="this book",
    )


def metric_of(name: str, task: str) -> str:
    """Name the metric a corpus (or its world) is judged by in a task."""
    info = OWN if name == OWN.name else CORPORA.get(name.removeprefix(WORLD))
    return (info.metrics.get(task) if info else None) or METRICS[task]


def world_of(name: str) -> World:
    """Return the world of a name such as "world:ferplus"."""
    from fer_lib.worlds import WORLDS

    return WORLDS[name.removeprefix(WORLD)]
