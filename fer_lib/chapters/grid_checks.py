"""What would stop a run of a grid, found out before any starts: other labels, corpora that are nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fer_lib import remote
from fer_lib.chapters import catalogue, parameters
from fer_lib.errors import DataError

_WORLD = "world:"


def tasks(chapter: catalogue.Chapter, dataset: str) -> None:
    """Refuses a dataset without any label that the chapter learns from, before a cluster finds out.

    Raises:
        ValueError: as said; or there is no such dataset.
    """
    if not chapter.tasks:
        return
    from fer_lib.datasets.corpora import OWN, describe

    there = describe(dataset).tasks
    if dataset.removeprefix(_WORLD) != OWN.name and not set(there) & set(chapter.tasks):
        raise ValueError(
            f"datasets must have labels that {chapter.name} learns from ({', '.join(chapter.tasks)}); got "
            f"{dataset}, which has {', '.join(there)}. `fer data` lists the corpora."
        )


def axes(
    chapter: catalogue.Chapter, known: Mapping[str, parameters.Parameter], named: Mapping[str, Sequence[str]]
) -> None:
    """Refuses a list for a chapter that has no such parameter.

    Args:
        chapter: the chapter.
        known: its parameters.
        named: by the name of the parameter, what the list holds.

    Raises:
        ValueError: as said.
    """
    for name, values in named.items():
        if values and name not in known:
            raise ValueError(
                f"{name}s must be given only for chapters that have the parameter {name!r}; got "
                f"{chapter.name}, which has {', '.join(known) or 'none'}. Give it an entry of its own."
            )


def roots(given: Iterable[str], datasets: Iterable[str]) -> None:
    """Refuses a folder for a corpus that no entry lists: most likely a slip of the pen.

    Args:
        given: names in `data_roots`.
        datasets: all that the entries list.

    Raises:
        ValueError: as said.
    """
    listed = list(dict.fromkeys(datasets))
    for name in given:
        if name not in listed:
            raise ValueError(
                f"data_roots must name datasets of the grid ({', '.join(listed) or 'there are none'}); got "
                f"{name!r}. Check the spelling, or list it in datasets."
            )


def corpora(given: Mapping[str, str], known: Mapping[str, parameters.Parameter]) -> Iterable[tuple[str, str]]:
    """Real corpora that a run reads, each with its folder ("" for the environment's).

    Args:
        given: parameters of the run, as texts.
        known: the chapter's; one such as `wild` names a corpus where there is `wild_root`.
    """
    for name in known:
        root = "data_root" if name == "dataset" else f"{name}_root"
        corpus = given.get(name, "")
        if root in known and corpus and not corpus.startswith(_WORLD):
            yield corpus, given.get(root, "")


def found(corpus: str, root: str) -> None:
    """Refuses a corpus that does not lie where a run will look for it; nothing is read or copied.

    Remote storage is not asked: listing a corpus there takes minutes.

    Args:
        corpus: its name.
        root: its folder, or "" for what `FER_DATA` says.

    Raises:
        ValueError: there is no such corpus, or it is nowhere.
    """
    from fer_lib.datasets.corpora import describe
    from fer_lib.datasets.load import find_root

    describe(corpus)
    if remote.is_remote(root or os.environ.get("FER_DATA", "")):
        return
    try:
        find_root(corpus, root or None)
    except DataError as error:
        raise ValueError(f"{error} In a grid, write data_roots: {{{corpus}: FOLDER}}.") from None


def absolute(name: str, value: str, root: Path) -> str:
    """A parameter of a run as a job in another folder understands it.

    Args:
        name: of the parameter; those of `parameters.PATHS` are files and folders.
        value: as it was given.
        root: where relative paths start.
    """
    if not value or not name.endswith(parameters.PATHS) or remote.is_remote(value):
        return value
    return str((root / Path(value).expanduser()).resolve())
