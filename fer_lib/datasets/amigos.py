"""AMIGOS: people alone before short films; three outside annotators rate every 20 seconds of their faces.

``External_Annotations.xlsx`` has a row for each stretch of 20 s (the last of a film may be shorter)::

    UserID  VideoID  Segment_Index  Valence_Annotator_1 ... 3  Arousal_Annotator_1 ... 3

with ratings in [-1, 1]. The films of the faces unpack to ``Exp1_P17_face/P17_10_face.mov`` and so on: person,
film watched, anything. One frame every 4 s is kept; its label is the mean of the annotators.

What is mended, and counted: cells outside [-1, 1] (the release has a few) are clamped; an empty cell leaves
the mean to the others. A cell beyond 2, or more than five such cells that are above 1 % of all, mean another
scale and are an error. Rows without any rating of valence, or of arousal, and rows of the long films of the
second experiment (their VideoID is no number) are left out. Some copies count segments from 0: then all do;
where some films begin at 0 and others at 1, that is an error.

The study of personal models took "individual frontal videos from 10 participants", without saying which.
Ours are 31 to 40, the split "test"; the others are "train". The option `people` takes others.

Reference:
    Miranda-Correa, Abadi, Sebe and Patras (2021); a frame every 4 s: Rescigno and others (2020).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.clips import FILM_SUFFIXES
from fer_lib.datasets.listing import REPEATED, UNLABELLED, Listing, Release, check_every, check_framing
from fer_lib.datasets.paths import column, contents, names_in, tree_identity, walk
from fer_lib.datasets.sheets import Sheet, read_sheet
from fer_lib.datasets.store import identity
from fer_lib.errors import DataError

VERSION = 2  # raise when the same files would be read differently: their stores are then made again
WORKBOOK = "external_annotations.xlsx"
FOLDERS = (".", "Annotations", "annotations", "External_Annotations")
KEYS = ("UserID", "VideoID", "Segment_Index")
RATINGS = tuple(f"{kind}_Annotator_{k}" for kind in ("Valence", "Arousal") for k in (1, 2, 3))
SEGMENT_S = 20.0
FARTHEST = 2.0  # a rating beyond it is no slip of the scale [-1, 1]
FEW, FEW_SHARE = 5, 0.01  # cells outside [-1, 1] that are borne: the larger of a number and a share
PEOPLE = tuple(range(31, 41))
"""The ten people of the personal protocol, as we choose them."""
CLAMPED = "rating outside [-1, 1]: clamped"
EMPTY = "rating empty: mean of the other annotators"
UNRATED = "segment without a rating"
LONG = "segment of a long film (second experiment)"
FROM_ZERO = "segment counted from 0"


def find(root: Path) -> str | None:
    """Say whether a folder holds the annotations: "workbook", or None."""
    try:
        return None if _workbook(root) is None else "workbook"
    except DataError:  # a folder that may not be read
        return None


def release(
    root: Path,
    *,
    people: Sequence[int | str] = PEOPLE,
    framing: str = "found",
    every_s: float | None = 4.0,
) -> Release:
    """Find AMIGOS.

    Args:
        root: folder with External_Annotations.xlsx, and below it the films of the faces.
        people: who makes up the split "test", as numbers or "P31"; choosing others decodes nothing again.
            Each must be there; only of the ten of the default some may be absent. The rows follow `people`;
            the counts of what was left out before or while decoding (segments without a rating, frames
            without a face: `FaceSet.dropped`) stay with the splits of whoever decoded first.
        framing: see `fer_lib.datasets.listing.Release`.
        every_s: seconds between frames that are kept; None keeps every frame.

    Returns:
        Release whose table has path, split, subject ("P17"), video ("P17_10"), film ("10"), segment (from
        1), valence and arousal (means), and each annotator's ratings as ``valence_annotator_1`` and so on
        (clamped; nan where empty).

    Raises:
        DataError: no workbook.
        ValueError: an option out of its range; when it is read, somebody in `people` who is not there.
    """
    check_framing(framing)
    every_s = check_every(every_s)
    chosen = _people(people)
    workbook = _workbook(root)
    if workbook is None:
        got = contents(root)
        fix = "Point root at the folder that holds the annotations and the films of the faces."
        raise DataError(str(root), "the folder must hold External_Annotations.xlsx", got, fix)
    return Release(
        name="amigos",
        version=VERSION,
        root=root,
        form="workbook",
        files=(*identity(workbook), *tree_identity(root, walk(root, FILM_SUFFIXES))),
        listing=partial(_read, root, workbook, chosen),
        task="valence_arousal",
        tasks=("valence_arousal",),
        classes=(),
        source=f"{workbook.name}, mean of the annotators",
        media="clips",
        framing=framing,
        every_s=every_s,
        rule=partial(_rule, chosen),
        mark=(sorted(chosen),),
    )


def _workbook(root: Path) -> Path | None:
    """The workbook, whatever its capitals."""
    for folder in FOLDERS:
        for name in sorted(names_in(root / folder)):
            if name.lower() == WORKBOOK:
                return root / folder / name
    return None


def _people(people: Sequence[int | str]) -> set[str]:
    """Names of people, such as "P17", from their numbers or names."""
    given = [people] if isinstance(people, int | str) else list(people)
    names = {_person(str(one)) for one in given}
    if not names or None in names:
        raise ValueError(f"people must be numbers or names such as 'P31'; got {people!r}. Name at least one.")
    return {name for name in names if name}


def _person(text: str) -> str | None:
    """ "17", "P17", "p017" and "17.0" are all P17."""
    match = re.fullmatch(r"[Pp]?0*(\d{1,3})(\.0+)?", text.strip())
    return f"P{int(match[1]):02d}" if match else None


def _check_there(people: set[str], subjects: Iterable[str]) -> None:
    """Refuse people who are not there; copies of a part of the corpus may lack some of the default."""
    there = set(subjects)
    absent = sorted(people - there)
    if absent and people != _people(PEOPLE):
        known = ", ".join(sorted(there)) or "nobody"
        raise ValueError(f"people must have ratings and films here; got {absent[0]!r}. There are {known}.")


def _rule(people: set[str], table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Give every row the split of its person."""
    _check_there(people, table["subject"])
    split = np.where(table["subject"].isin(list(people)), "test", "train").astype(object)
    return table.assign(split=split), np.full(len(table), "", dtype=object)


def _read(root: Path, workbook: Path, people: set[str]) -> Listing:
    """Read the workbook and find the films."""
    sheet = read_sheet(workbook, (*KEYS, *RATINGS))
    subjects = _people_of(sheet)
    _check_there(people, subjects)
    films = [text.lstrip("0") or "0" if text.isdigit() else text for text in sheet.texts("VideoID")]
    split = np.where(np.isin(subjects, list(people)), "test", "train").astype(object)
    segments = sheet.whole("Segment_Index", low=0)
    ratings, mended = _ratings(sheet)
    table = pd.DataFrame({"split": split, "subject": subjects, "film": films, "segment": segments})
    table = pd.concat([table, ratings], axis=1)
    reason = np.where([film.isdigit() for film in films], "", LONG).astype(object)
    twice = _repeated(sheet, table)
    reason[(reason == "") & twice] = REPEATED
    reason[(reason == "") & ratings[["valence", "arousal"]].isna().any(axis=1).to_numpy()] = UNRATED
    if _from_zero(sheet, table[reason != LONG]):
        table["segment"] += 1
        mended[FROM_ZERO] = len(table)
    dropped = Counter(zip(split[reason != ""], reason[reason != ""], strict=True))
    table, alone = _with_films(root, table[reason == ""])
    dropped.update(("test" if who in people else "train", UNLABELLED) for who in alone)
    first = (table["segment"].to_numpy(float) - 1) * SEGMENT_S
    return Listing(table, spans=np.stack([first, first + SEGMENT_S], 1), dropped=dropped, mended=mended)


def _people_of(sheet: Sheet) -> np.ndarray:
    texts = sheet.texts("UserID")
    names = [_person(text) for text in texts]
    wrong = np.array([name is None for name in names], dtype=bool)
    sheet.refuse(wrong, "UserID must be a number, or P and a number", texts)
    return np.array(names, dtype=object)


def _ratings(sheet: Sheet) -> tuple[pd.DataFrame, Counter]:
    """Every annotator's ratings, clamped, and their means as valence and arousal (nan: nobody rated)."""
    values = np.stack([sheet.numbers(name) for name in RATINGS], axis=1)
    clamped = np.clip(values, -1, 1)
    outside, empty = np.abs(values) > 1, np.isnan(values)
    _check_scale(sheet, values)
    columns = {}
    for kind, part in (("valence", slice(0, 3)), ("arousal", slice(3, 6))):
        number = (~empty[:, part]).sum(1)
        total = np.where(empty[:, part], 0.0, clamped[:, part]).sum(1)
        columns[kind] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    rated = ~np.isnan(columns["valence"] + columns["arousal"])
    mended = Counter({CLAMPED: int(outside.sum()), EMPTY: int(empty[rated].sum())})
    columns |= {name.lower(): clamped[:, k] for k, name in enumerate(RATINGS)}
    return pd.DataFrame(columns), +mended


def _check_scale(sheet: Sheet, values: np.ndarray) -> None:
    """Refuse ratings that are not slips beyond [-1, 1], but another scale."""
    outside, filled = np.abs(values) > 1, int((~np.isnan(values)).sum())
    fix = "Give the ratings on the release's scale, or correct the cell."
    for bad, rule in (
        (np.abs(values) > FARTHEST, f"must lie in [-1, 1], or at most {FARTHEST:g} from 0 by a slip"),
        (outside & (outside.sum() > max(FEW, FEW_SHARE * filled)), "must lie in [-1, 1] but for a few cells"),
    ):
        row, column = np.unravel_index(int(bad.argmax()), bad.shape)
        got = f"{values[row, column]:g}; outside are {int(outside.sum())} of {filled} cells"
        named = f"{RATINGS[column]} {rule}"
        sheet.refuse(bad.any(axis=1), named, [got] * len(values), fix)


def _from_zero(sheet: Sheet, table: pd.DataFrame) -> bool:
    """Whether segments are counted from 0; some films counted so and others from 1 are an error.

    Args:
        table: rows of the short films, their index the rows of the sheet.
    """
    first = table.groupby(["subject", "film"])["segment"].transform("min").to_numpy()
    names = (table["subject"] + "_" + table["film"]).to_numpy()
    of_zero, of_one = (pd.unique(names[first == number]) for number in (0, 1))
    if len(of_zero) and len(of_one):
        odd = int(len(of_zero) > len(of_one))  # what fewer films do
        bad = np.zeros(len(sheet.lines), dtype=bool)
        bad[table.index[(first == odd) & (table["segment"] == odd)]] = True
        rule = "Segment_Index must begin at 0 in every film, or at 1 in every film"
        others = len(of_one if odd == 0 else of_zero)
        got = f"{odd}, where {others} film{'s' * (others > 1)} begin{'s' * (others == 1)} at {1 - odd}"
        sheet.refuse(bad, rule, [got] * len(bad), "Correct the row, or add the one that is missing.")
    return bool(len(of_zero))


def _repeated(sheet: Sheet, table: pd.DataFrame) -> np.ndarray:
    """bool (N,): rows that repeat an earlier one; with other ratings they are an error."""
    again = table.duplicated(["subject", "film", "segment"]).to_numpy()
    got = [f"{row.subject}, {row.film}, {row.segment}" for row in table.itertuples()]
    rule = "a segment must have one row of ratings; an earlier row says something else"
    sheet.refuse(again & ~table.duplicated().to_numpy(), rule, got, "Keep the row that is right.")
    return again


def _with_films(root: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Add path and video, rows of a film together; and whose films there are that nobody rated."""
    films = _films(root)
    keys = list(zip(table["subject"], table["film"], strict=True))
    usual = [f"Exp1_{who}_face/{who}_{film}_face.mov" for who, film in keys]
    path = [films.get(key, name) for key, name in zip(keys, usual, strict=True)]
    video = [f"{who}_{film}" for who, film in keys]
    table = table.assign(
        path=column(path).set_axis(table.index), video=video, order=table["film"].astype(int)
    )
    table = table.sort_values(["subject", "order", "segment"], kind="stable", ignore_index=True)
    first = ["path", "split", "subject", "video"]
    rest = [name for name in table.columns if name not in {*first, "order"}]
    return table[first + rest], [key[0] for key in films if key not in set(keys)]


def _films(root: Path) -> dict[tuple[str, str], str]:
    """(person, film watched) -> path of the face's film; of several one called so, the first by name."""
    films: dict[tuple[str, str], str] = {}
    paths = [path for path in walk(root, FILM_SUFFIXES) if "face" in path.lower()]
    for path in sorted(paths, key=lambda path: "face" not in path.rsplit("/", 1)[-1].lower()):
        match = re.match(r"[Pp](\d{1,3})_0*(\d+)(?=[_.])", path.rsplit("/", 1)[-1])
        if match:
            films.setdefault((f"P{int(match[1]):02d}", match[2]), path)
    return films
