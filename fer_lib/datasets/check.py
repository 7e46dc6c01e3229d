"""`check`: read a whole corpus and say what is wrong with it, before anything is stored or learned.

Severity of what is found:

stop
    The corpus may not be used as it is: a label file breaks a rule; more files are missing or unreadable
    than may be (`allow_missing`); labels out of their range; no labelled row in train, or no row at all in
    the protocol's other splits; a class of the first task that no row of train shows.
warning
    It may be used, and results need a word on it: some files missing or unreadable; the same pixels twice,
    across splits, or with different labels; blank pictures; subjects, videos or films in several splits; a
    further split without labels, or without one of the classes; numbers that differ from the published ones
    (a note where a world was written out); no face found in more than half of the pictures.
note
    To be known: that the faces are synthetic; rows that the corpus's rules leave out, cells mended as it
    documents, rows without a label for one of its tasks, pictures in which the cascade finds no face.

Readers end at the first rule that a label file breaks, so a corpus may have further faults behind it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from fer_lib.datasets.corpora import WORLD, describe
from fer_lib.datasets.findings import NOTE, STOP, WARNING, Finding, all_findings
from fer_lib.datasets.inspect import look
from fer_lib.datasets.listing import Release
from fer_lib.datasets.store import Chunk
from fer_lib.datasets.tally import Evidence
from fer_lib.errors import DataError

SEARCH = {"pad": 0.25, "smallest": 0.3}  # of the cascade, for faces that fill their pictures
_PART = 32  # pictures that a thread looks through at a time


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What `check` found.

    Args:
        name: of the corpus.
        root: its folder.
        form: which of its forms; "" where it was not recognised.
        source: which files and rules the labels come from.
        rows: pictures, or frames of clips, that were decoded.
        counts: a row a split: rows by class, in all, and as published.
        findings: the worst first.
        skipped: path, split, reason and detail of every row that could not be kept.
        seconds: what it took.
    """

    name: str
    root: Path
    form: str
    source: str
    rows: int
    counts: pd.DataFrame
    findings: tuple[Finding, ...]
    skipped: tuple[tuple[str, str, str, str], ...]
    seconds: float

    def __repr__(self) -> str:
        number = Counter(finding.severity for finding in self.findings)
        told = ", ".join(f"{number[severity]} {severity}" for severity in (STOP, WARNING, NOTE))
        return f"Report({self.name}, {self.rows} rows: {'' if self.usable else 'not '}usable; {told})"

    @property
    def usable(self) -> bool:
        """Whether nothing was found that stops its use."""
        return all(finding.severity != STOP for finding in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """A row a finding: severity, count, what, examples."""
        rows = [(f.severity, f.count, f.what, "; ".join(f.examples)) for f in self.findings]
        return pd.DataFrame(rows, columns=["severity", "count", "what", "examples"])

    def json(self) -> str:
        """Everything as JSON."""
        counts = json.loads(self.counts.to_json(orient="index")) if len(self.counts) else {}
        parts = {
            "name": self.name,
            "root": str(self.root),
            "form": self.form,
            "source": self.source,
            "usable": self.usable,
            "rows": self.rows,
            "seconds": round(self.seconds, 1),
            "counts": counts,
            "findings": [asdict(finding) for finding in self.findings],
            "skipped": [list(entry) for entry in self.skipped],
        }
        text = json.dumps(parts, indent=1, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode() + "\n"  # names that are not UTF-8


def check(
    name: str,
    root: str | Path | None = None,
    *,
    faces: bool = True,
    workers: int | None = None,
    progress: bool | None = None,
    allow_missing: float = 0.2,
    **options: Any,
) -> Report:
    """Read a whole corpus, store nothing, and say what is wrong with it.

    Args:
        name: of a corpus, such as "affectnet".
        root: its folder; None looks in ``$FER_DATA`` as `load` does.
        faces: whether to look for a face in every picture: about 4 ms each on one core, 15 ms where there is
            none.
        workers: threads that decode; None takes all cores. The report does not depend on it.
        progress: show a bar; None shows it on a terminal only.
        allow_missing: largest share of files that may be missing or unreadable.
        **options: of the corpus, as for `load`.

    Returns:
        The report; `Report.usable` says whether the corpus may be used.

    Raises:
        DataError: no such corpus, or no folder.
        TypeError: an option that the corpus does not have.
        ValueError: an option out of its range.
    """
    from fer_lib.datasets.load import check_options, check_share, find_root, is_written_world

    start = time.perf_counter()
    reader = _reader(name)
    place = find_root(name, root)
    check_options(name, options)
    check_share(allow_missing)
    try:
        release = reader.release(place, **options)
        how = {"workers": workers, "progress": progress}
        evidence = _read(release, faces, allow_missing, is_written_world(place), how)
    except (DataError, OSError) as error:
        fault = (Finding(STOP, _told(error), 1),)
        return Report(name, place, "", "", 0, pd.DataFrame(), fault, (), time.perf_counter() - start)
    return Report(
        name=name,
        root=place,
        form=release.form,
        source=release.source,
        rows=len(evidence.table),
        counts=evidence.counts(),
        findings=tuple(all_findings(evidence)),
        skipped=tuple(evidence.skipped),
        seconds=time.perf_counter() - start,
    )


def _reader(name: str) -> ModuleType:
    from fer_lib.datasets.load import READERS

    if name.startswith(WORLD):
        fix = "A world has no files; write it out with `fer data write` and check that folder as its corpus."
        raise DataError("name", "must be a corpus", repr(name), fix)
    describe(name)  # says which there are
    if name not in READERS:
        fix = f"Readable are {', '.join(READERS)}."
        raise DataError("name", "must be a corpus that this version of the library reads", repr(name), fix)
    return READERS[name]


def _told(error: DataError | OSError) -> str:
    """An error as a finding: the whole message, or which file the system refuses."""
    return str(error) if isinstance(error, DataError) else f"{error.filename or 'a file'}: {error.strerror}"


def _read(
    release: Release, faces: bool, allow_missing: float, synthetic: bool, how: dict[str, Any]
) -> Evidence:
    """Read label files and pictures; of the pictures only digests are kept."""
    from fer_lib.datasets import decoding
    from fer_lib.worlds.workers import number_of_workers

    listing = release.listing()
    search = faces and release.framing not in ("found", "aligned")  # those count what has no face themselves
    with ThreadPoolExecutor(number_of_workers(how["workers"])) as pool:
        seen = _Seen(pool if search else None)
        seen.take(decoding.chunks(release, listing, size=release.side, **how))
    table = pd.concat(seen.tables, ignore_index=True) if seen.tables else _empty(release)
    everything = np.full(len(table), "", dtype=object)
    table, reason = release.rule(table) if release.rule else (table, everything)
    return Evidence(
        info=describe(release.name),
        release=release,
        table=table,
        reason=reason,
        digests=np.concatenate([np.zeros(0, np.uint64), *seen.digests]),
        ranges=np.concatenate([np.zeros(0, np.int64), *seen.ranges]),
        faceless=np.concatenate([np.zeros(0, bool), *seen.faceless]) if search else None,
        skipped=seen.skipped,
        dropped=seen.dropped + listing.dropped,
        mended=seen.mended + listing.mended + (release.mended(table) if release.mended else Counter()),
        allow_missing=allow_missing,
        synthetic=synthetic,
    )


class _Seen:
    """Everything of the chunks that is kept: about a hundred bytes a picture."""

    def __init__(self, pool: ThreadPoolExecutor | None) -> None:
        self.pool = pool  # looks for faces, if given
        self.tables: list[pd.DataFrame] = []
        self.digests: list[np.ndarray] = []
        self.ranges: list[np.ndarray] = []
        self.faceless: list[np.ndarray] = []
        self.skipped: list[tuple[str, str, str, str]] = []
        self.dropped: Counter = Counter()
        self.mended: Counter = Counter()

    def take(self, chunks: Iterable[Chunk]) -> None:
        """Look at chunks, one at a time."""
        for chunk in chunks:
            if len(chunk.images):
                digests, ranges = look(chunk.images)
                self.digests.append(digests)
                self.ranges.append(ranges)
                columns = [name for name in chunk.table if not name.startswith("lm_")]
                self.tables.append(chunk.table[columns])
                if self.pool:
                    parts = [chunk.images[i : i + _PART] for i in range(0, len(chunk.images), _PART)]
                    self.faceless += self.pool.map(_without_face, parts)
            self.skipped += chunk.skipped
            self.dropped += chunk.dropped
            self.mended += chunk.mended


def _without_face(images: np.ndarray) -> np.ndarray:
    """Look for faces in coarse steps, and in fine ones where none was found: bool (B,), none at all."""
    from fer_lib.preprocess.detect import detect

    missed: np.ndarray = ~detect(images, step=1.2, **SEARCH).found
    missed[missed] = ~detect(images[missed], step=1.1, **SEARCH).found
    return missed


def _empty(release: Release) -> pd.DataFrame:
    """A table without rows, with the columns of the targets."""
    from fer_lib.datasets.faceset import target_columns

    columns = [column for task in release.tasks for column in target_columns(task, release.classes)]
    return pd.DataFrame(columns=["path", "split", *columns])
