"""EmoReact: clips of children who react to things, eight affective states and valence for each clip.

The release is ``EmoReact_V_1.0`` with ``Data/Train``, ``Data/Validation`` and ``Data/Test`` (mp4 files), and
``Labels/train_labels.text``, ``val_labels.text`` (or ``validation_labels.text``) and ``test_labels.text``: a
clip a line, apart by commas, without a header::

    0,0,1,1,0,0,0,0,5.6667

that is curiosity, uncertainty, excitement, happiness, surprise, disgust, fear and frustration (0 or 1), and
valence from 1 (negative) to 7 (positive). The names stand in the same order in files of their own, each
perhaps in quotes, in which a quote is doubled: ``'KIMCHI65_2.mp4'``. Its layout is public only through the
programs of others, which call these files ``Train_names.txt``, ``Val_names.txt`` and ``Test_names.txt``, in
``Labels`` or beside it. Read are, whatever their capitals, ``train``, ``val``, ``validation`` or ``test``,
then ``_names``, ``_name`` or ``_list``, then ``.txt`` or ``.text``, in ``Labels``, its parent or ``Data``.
The order of a folder is not that of the labels, so without the names nothing is read. The release does not
tell who is seen.

Reference:
    Nojavanasghari, Baltrusaitis, Hughes and Morency (2016).
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from pathlib import Path

import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.clipfolders import clip_folders, clips_below, count_unlabelled, find_clips
from fer_lib.datasets.listing import REPEATED, Listing, Release, check_every, check_framing
from fer_lib.datasets.paths import contents, tree_identity
from fer_lib.datasets.store import identity
from fer_lib.datasets.textfiles import TextTable, read_table, read_text
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["emoreact"]
COLUMNS = (*CLASSES, "valence")
ROOTS = (".", "EmoReact_V_1.0", "EmoReact")
SPLITS = {"train": ("train",), "validation": ("val", "validation"), "test": ("test",)}
LABELS = ("labels.text", "labels.txt")
NAMES = tuple(f"{stem}.{ending}" for stem in ("names", "name", "list") for ending in ("txt", "text"))
PLACES = ("Labels", ".", "Data")
FOLDERS = {"train": ("Train", "train"), "validation": ("Validation", "Val"), "test": ("Test", "test")}


def find(root: Path) -> str | None:
    """Say "labels" where a folder, or ``EmoReact_V_1.0`` in it, holds EmoReact's label files, else None."""
    return "labels" if _place(root) else None


def release(root: Path, *, framing: str = "found", every_s: float | None = 0.5) -> Release:
    """Find EmoReact.

    Args:
        root: ``EmoReact_V_1.0``, or the folder above it.
        framing: see `fer_lib.datasets.listing.Release`.
        every_s: seconds between frames that are kept; None keeps every frame.

    Returns:
        Release whose table has path, split, video (the file without its ending), ``state_*`` (0 or 1) and
        valence_rating (1-7).

    Raises:
        DataError: no label files, or no names for one of them.
        ValueError: an option out of its range.
    """
    check_framing(framing)
    place = _place(root)
    if place is None:
        got = contents(root)
        rule = "the folder must hold Labels/train_labels.text, val_labels.text or test_labels.text"
        raise DataError(str(root), rule, got, "Point root at the folder that holds the release.")
    labels = {split: path for split in SPLITS if (path := _file(place, split, LABELS, PLACES[:1]))}
    names = {split: _names(place, split, path) for split, path in labels.items()}
    data = "Data/" if (place / "Data").is_dir() else ""
    folders = clip_folders(place, {split: [f"{data}{name}" for name in FOLDERS[split]] for split in labels})
    clips = clips_below(place, [folder for some in folders.values() for folder in some])
    texts = [*labels.values(), *names.values()]
    return Release(
        name="emoreact",
        version=VERSION,
        root=place,
        form="labels",
        files=(*(identity(path) for path in texts), *tree_identity(place, clips)),
        listing=partial(_read, place, labels, names, folders),
        task="multi_label",
        tasks=("multi_label",),
        classes=CLASSES,
        source=" and ".join(path.name for path in labels.values()) + ", names in the same order",
        media="clips",
        framing=framing,
        every_s=check_every(every_s),
    )


def _place(root: Path) -> Path | None:
    """The folder that holds ``Labels``."""
    places = [root / name for name in ROOTS]
    return next((p for p in places if any(_file(p, split, LABELS, PLACES[:1]) for split in SPLITS)), None)


def _file(place: Path, split: str, endings: tuple[str, ...], folders: tuple[str, ...]) -> Path | None:
    """The file of a split whose name ends as one of `endings`, whatever its capitals."""
    wanted = [f"{stem}_{ending}" for ending in endings for stem in SPLITS[split]]
    for folder in folders:
        if (place / folder).is_dir():
            there = {name.lower(): name for name in sorted(os.listdir(place / folder))}
            found = next((there[name] for name in wanted if name in there), None)
            if found:
                return place / folder / found
    return None


def _names(place: Path, split: str, labels: Path) -> Path:
    path = _file(place, split, NAMES, PLACES)
    if path is None:
        stems = " or ".join(f"{stem.capitalize()}_names.txt" for stem in SPLITS[split])
        rule = f"the clips of {labels.name} must be named in the same order by {stems}"
        fix = "Put it beside the labels: the order of a folder is not that of the labels."
        raise DataError(str(labels.parent), rule, "no such file", fix)
    return path


def _read(
    place: Path, labels: dict[str, Path], names: dict[str, Path], folders: dict[str, list[str]]
) -> Listing:
    """Read the label files with their names."""
    tables, dropped = [], Counter[tuple[str, str]]()
    for split, path in labels.items():
        text = _joined(read_table(path, COLUMNS, header=COLUMNS), names[split])
        twice = text.repeated(["file"], "a clip")
        dropped[split, REPEATED] += int(twice.sum())
        tables.append(_table(place, text.keep(~twice), names[split], split, folders[split]))
    table = pd.concat(tables, ignore_index=True)
    return Listing(table, dropped=+dropped + count_unlabelled(place, folders, table["path"]))


def _joined(text: TextTable, path: Path) -> TextTable:
    """Add the names, which must be as many as the labels."""
    names = [_unquoted(line) for line in read_text(path).splitlines()]
    names = [name for name in names if name]
    if len(names) != len(text):
        rule = f"the file must name the {len(text)} clips of {text.path.name}"
        raise DataError(str(path), rule, f"{len(names)} names", "Fetch both files again.")
    return TextTable(text.path, text.frame.assign(file=names), text.lines)


def _unquoted(line: str) -> str:
    """A name without the quotes around it, and with single quotes for doubled ones.

    Example:
        >>> _unquoted("'GRANDMA''S_3.mp4' ")
        "GRANDMA'S_3.mp4"
    """
    line = line.strip().rstrip(",")
    for quote in ("'", '"'):
        if len(line) > 1 and line[0] == line[-1] == quote:
            return line[1:-1].replace(2 * quote, quote).strip()
    return line


def _table(place: Path, text: TextTable, names: Path, split: str, folders: list[str]) -> pd.DataFrame:
    """Check the rows of a label file and find their clips."""
    files = text.frame["file"].tolist()
    paths = find_clips(place, folders, files, [f"{names}, name {row + 1}" for row in range(len(files))])
    columns: dict[str, object] = {"path": paths, "split": split}
    columns["video"] = [path.rsplit("/", 1)[1].rsplit(".", 1)[0] for path in paths]
    columns |= {f"state_{name}": text.whole(name, 0, 1) for name in CLASSES}
    columns["valence_rating"] = text.numbers("valence", low=1, high=7)
    return pd.DataFrame(columns)
