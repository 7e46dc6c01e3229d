"""Write a world out as the release it stands in for: the same folders, file names, columns and quirks.

A writer is a module of this folder with ``FORMS`` (the forms it can write, the usual one first) and
``write(faces, folder, *, seed, fps, form)``; it shares nothing with the corpus's reader, so that reading a
written release back tests that reader. ``LOST`` may name columns that the release has no place for,
such as "subject" or "votes_*".
"""

from __future__ import annotations

import difflib
import fnmatch
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

WRITERS: tuple[str, ...] = (
    "affectnet", "masked_affectnet", "fer2013", "ferplus", "jaffe", "omg_emotion", "elderreact", "emoreact",
    "fabo", "amigos", "affwild2",
)  # fmt: skip
"""Corpora whose release can be written; each is a module of this folder, imported when it is asked for."""

OWN_FORMS = {"folder": "folders", "folder-csv": "csv"}
"""Layouts of your own faces, in which every world can be written: name here -> form of `releases.folder`."""

NOTICE = "SYNTHETIC.txt"
RATE = 25  # frames a second of every world's clips

_NOTICE_TEXT = """\
These faces are synthetic. No person is pictured.

They were rendered by the book "Reading Faces" as the world "{name}", seed {seed}, and written out
in this layout: {layout}.
They are NOT {title}, and scores on them say nothing of scores on it.

Licence: CC BY 4.0. Keep this file with the faces: whoever loads them is told by it that they are synthetic.
"""


@dataclass(frozen=True)
class Written:
    """What `write_release` wrote.

    Args:
        name: of the world, such as "world:jaffe".
        corpus: as what `load` and `check` read it: "jaffe", or "folder".
        folder: where the release lies.
        form: which of its forms.
        counts: rows (pictures, or labelled frames of clips) by split.
        files: number of files, without the notice.
        lost: columns of the world that the release has no place for.
    """

    name: str
    corpus: str
    folder: Path
    form: str
    counts: Mapping[str, int]
    files: int
    lost: tuple[str, ...]


def writer(name: str) -> ModuleType:
    """Import the writer of a world's corpus.

    Args:
        name: such as "world:jaffe".

    Raises:
        DataError: no release of that name can be written; the nearest name is suggested.
    """
    names = [f"world:{known}" for known in WRITERS]
    if name not in names:
        wanted = name if name.startswith("world:") else f"world:{name}"
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Choose one of these."
        raise DataError("name", f"must be one of {', '.join(names)}", repr(name), hint)
    return import_module(f"{__name__}.{name.removeprefix('world:')}")


def write_release(
    name: str,
    folder: str | Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    size: int | None = None,
    form: str | None = None,
    fps: int = 5,
    progress: bool | None = None,
) -> Written:
    """Render a world and write it out in the official layout of the corpus it stands in for.

    The folder appears whole or not at all. Rows that the corpus's rules leave out when it is loaded, such as
    FER+'s pictures without a majority, are written too.

    Args:
        name: such as "world:jaffe".
        folder: where to; it must not exist, or be empty.
        limit: number of pictures (of frames with labels, for clips) over all splits; None writes the world.
        seed: draws the world's people and scenes.
        size: side of the pictures in pixels; None takes the world's own.
        form: one of the corpus's forms, such as "folders"; None takes the usual one. "folder" and
            "folder-csv" write the pictures as your own faces, for `load("folder", ...)`.
        fps: frames a second of films; it must divide 25.
        progress: show a bar while the world is rendered; None shows it on a terminal only.

    Returns:
        Counts by split, the form, and what the release could not carry.

    Raises:
        DataError: no such world or form.
        ValueError: an argument out of its range, or a folder that holds something.
    """
    module, form, corpus = _writer_of(name, form)
    if isinstance(fps, bool) or not isinstance(fps, int) or fps < 1 or RATE % fps:
        raise ValueError(f"fps must divide {RATE}; got {fps!r}. Choose 1, 5 or 25.")
    target = _target(folder)
    faces = _faces(name, limit, seed, size, progress)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        module.write(faces, draft, seed=seed, fps=fps, form=form)
        files = sum(len(names) for _, _, names in os.walk(draft))
        (draft / NOTICE).write_text(_notice(name, seed, form, corpus), encoding="utf-8")
        draft.chmod(0o755)  # mkdtemp's 0700 would hide it from others
        if target.exists():
            target.rmdir()  # still empty, or this fails
        os.replace(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    counts = faces.table["split"].value_counts(sort=False).to_dict()
    lost = tuple(column for column in getattr(module, "LOST", ()) if fnmatch.filter(faces.table, column))
    return Written(name, corpus, target, form, counts, files, lost)


def _faces(name: str, limit: int | None, seed: int, size: int | None, progress: bool | None) -> FaceSet:
    """Load the world with every row, also those that the corpus's rules leave out."""
    from dataclasses import replace

    from fer_lib.datasets import worldset
    from fer_lib.datasets.corpora import describe
    from fer_lib.datasets.faceset import SPLITS
    from fer_lib.datasets.pictures import check_size

    info = describe(name)
    check_size(size)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ValueError(
            f"limit must be a whole number above 0, or None; got {limit!r}. None writes the world."
        )
    reading = worldset.read(info.name, splits=SPLITS, size=size, limit=limit, seed=seed, progress=progress)
    everything = replace(reading, reason=np.full(len(reading.table), "", dtype=object))
    described = {"name": info.name, "unit": info.unit, "protocol": info.protocol, "licence": info.licence}
    return everything.choose(SPLITS, **described, metric="accuracy")


def _writer_of(name: str, form: str | None) -> tuple[ModuleType, str, str]:
    """The writer for a form, the form's name in it, and the corpus; OWN_FORMS suit every world."""
    module = writer(name)
    if form in OWN_FORMS:
        return import_module(f"{__name__}.folder"), OWN_FORMS[form], "folder"
    forms: tuple[str, ...] = module.FORMS
    if form is not None and form not in forms:
        rule = f"form must be one of {', '.join((*forms, *OWN_FORMS))}"
        raise DataError(name, rule, repr(form), "Choose one of these.")
    return module, form or forms[0], name.removeprefix("world:")


def _target(folder: str | Path) -> Path:
    """Check the folder to write to, and make those above it."""
    target = Path(folder).expanduser().resolve()
    fix = "Name a folder that does not exist, or an empty one."
    if target.exists() and not target.is_dir():
        raise ValueError(f"folder must not be a file; got {target}. {fix}")
    if target.is_dir() and any(target.iterdir()):
        raise ValueError(f"folder must be empty; got {target}, which holds something. {fix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _notice(name: str, seed: int, form: str, corpus: str) -> str:
    from fer_lib.datasets.corpora import CORPORA, describe

    layout = f"{describe(corpus).title} ({form} form)"
    title = CORPORA[name.removeprefix("world:")].title
    return _NOTICE_TEXT.format(name=name, title=title, seed=seed, layout=layout)
