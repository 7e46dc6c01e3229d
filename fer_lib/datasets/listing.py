"""What a reader of a corpus hands over: which files to decode, and what the label files say of each.

A reader is thin. It has ``find(root)``, which names the form of the corpus a folder holds, and
``release(root, **options)``, which returns a `Release`. Decoding, face finding, cropping, storing and
counting are shared by all corpora: see `fer_lib.datasets.decoding`.

What is wrong with data ends in one of three ways, for all corpora alike:

- A label file that breaks a rule is an error (`DataError`) that names file, line, rule, value and what to do.
- A picture or clip that cannot be read is skipped, counted by its reason (the constants below) in
  `FaceSet.dropped`, and listed in ``skipped.csv`` of the store. If the files of more than a fifth of the rows
  cannot be read, or hold no frame of the row's stretch (``allow_missing=``), that is an error too, and
  nothing is stored.
- What is documented of a corpus, such as rows without a label, repeated rows, or numbers clamped into their
  range, is counted in `Listing.dropped` or `Listing.mended`. The same thing with two different labels is an
  error unless the corpus is known for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fer_lib.datasets.store import Chunk

# reasons for which a file or frame is left out, counted in FaceSet.dropped
MISSING = "file missing"
UNREADABLE = "file does not decode"
FORBIDDEN = "no permission to read"
TOO_LARGE = "picture larger than 64 megapixels"
MISNAMED = "file name is not UTF-8"
MISFIT = "face box does not fit the picture"
NO_FACE = "no face found"
FACELESS_FRAME = "frame without a face"  # frames of a clip are counted one by one ...
FACELESS_CLIP = "clip without a face"  # ... and a row none of whose frames has one counts once more
NO_FRAME = "stretch without frames"  # it begins after the clip's end, or lies between two frames
REPEATED = "row repeated"
UNLABELLED = "picture without a label"  # or a clip: no label file names it
LOST = (MISSING, UNREADABLE, FORBIDDEN, TOO_LARGE, MISNAMED, NO_FRAME)
"""Reasons of which only a share is borne, see `fer_lib.datasets.load`: the corpus on disk is not whole."""

FRAMINGS = ("given", "whole", "found", "aligned")


@dataclass(frozen=True)
class Listing:
    """The label files of a release, read and checked; no picture is decoded yet.

    Args:
        table: N rows, one for each picture, or for each stretch of a clip with labels of its own. Columns:
            ``path`` (from the root, with "/"), ``split`` ("train", "validation", "test"), then as the corpus
            has them: ``subject``, ``video``, ``utterance``, ..., ``expression`` (index, -1: none),
            ``valence``, ``arousal`` (nan: none), ``state_*``. Rows of one clip follow each other.
        boxes: float (N, 4), the corpus's own face boxes: left, top, width, height in pixels; rows of nan are
            unknown. None where the corpus has none.
        landmarks: float32 (N, 68, 2), the corpus's own points in pixels, x then y; rows of nan are unknown.
        spans: float (N, 2), clips only: first and last second of each row's stretch; nan: from the start, to
            the end. None takes whole clips.
        dropped: (split, reason) -> rows that the corpus's rules leave out before anything is decoded.
        mended: what was mended -> how often, such as cells clamped into their range.
    """

    table: pd.DataFrame
    boxes: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    spans: np.ndarray | None = None
    dropped: Counter = field(default_factory=Counter)
    mended: Counter = field(default_factory=Counter)


@dataclass(frozen=True)
class Release:
    """A corpus found in one of its official layouts.

    Args:
        name: of the corpus, as in `CORPORA`.
        version: of the reader; raise it when the same files would be read differently.
        root: its folder.
        form: which of its forms, as ``find`` says.
        files: identity of everything that is read, as plain JSON values; see
            `fer_lib.datasets.store.identity` and `fer_lib.datasets.paths.tree_identity`.
        listing: reads the label files; called only where the store is absent, and by ``fer data check``.
        task: what `FaceSet.targets` gives at first.
        tasks: every task the columns allow.
        classes: class names in the order of the targets.
        source: which files and rules the labels come from, in words.
        media: "pictures" or "clips".
        side: of the stored pictures where `size` is not given.
        channels: 1 grey, 3 colour.
        framing: how a face is cut out. "given": by the corpus's own box, else the whole picture. "whole": the
            picture as it is. "found": by the face detector, with a margin; tracked over the frames of a
            clip. "aligned": turned and scaled by the eyes, of the landmarks if there are, else found.
        every_s: clips: seconds between frames that are kept; None keeps every frame.
        rule: table of the store -> table with the target's columns, and (N,) why a row is dropped or "".
            Costs no decoding, so what an option changes here shares one store. None keeps all rows.
        finish: changes pictures after they are cut out: (uint8 (B, C, S, S), landmarks (B, 68, 2) in their
            pixels, table of B rows) -> uint8 (B, C, S, S). MaskedAffectNet draws its masks here.
        finish_mark: what `finish` depends on.
        mark: what `rule` depends on (a mode), as JSON values.
        mended: table that `rule` gave -> what it mended and how often, counted beside `Listing.mended`.
        chunks: makes the pictures of a corpus that holds them in a table, such as FER2013's csv, as uint8
            chunks in its own size with all columns that are stored; `listing` is then empty.
        complete: whether rows without the chosen task's label are left out.
        upright: whether pictures are turned as their EXIF notes say. Corpora's labels and boxes are of the
            pictures as they lie in the file; photographs of one's own are meant to be turned.
    """

    name: str
    version: int
    root: Path
    form: str
    files: tuple[object, ...]
    listing: Callable[[], Listing]
    task: str
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    source: str
    media: str = "pictures"
    side: int = 96
    channels: int = 3
    framing: str = "given"
    every_s: float | None = None
    rule: Callable[[pd.DataFrame], tuple[pd.DataFrame, np.ndarray]] | None = None
    finish: Callable[[np.ndarray, np.ndarray, pd.DataFrame], np.ndarray] | None = None
    finish_mark: Mapping[str, object] = field(default_factory=dict)
    mark: tuple[object, ...] = ()
    mended: Callable[[pd.DataFrame], Counter] | None = None
    chunks: Callable[[], Iterator[Chunk]] | None = None
    complete: bool = True
    upright: bool = False


def check_framing(framing: str, *, allowed: tuple[str, ...] = FRAMINGS) -> str:
    """Return `framing`, or say which there are.

    Example:
        >>> check_framing("found")
        'found'
    """
    if framing not in allowed:
        raise ValueError(
            f"framing must be one of {', '.join(allowed)}; got {framing!r}. Choose one of these."
        )
    return framing


def check_every(every_s: float | None) -> float | None:
    """Return the seconds between kept frames, checked: above 0, or None for every frame."""
    if every_s is not None and not (isinstance(every_s, int | float) and 0 < float(every_s) < float("inf")):
        raise ValueError(
            f"every_s must be above 0 seconds, or None; got {every_s!r}. None keeps every frame."
        )
    return None if every_s is None else float(every_s)
