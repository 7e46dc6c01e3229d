"""What `check` looks for in a corpus, one function a question; each gives findings, worst first or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import SPLITS, target_columns
from fer_lib.datasets.inspect import broken_labels, conflicting_rows, leaked_rows
from fer_lib.datasets.listing import FACELESS_CLIP, LOST, MISFIT, NO_FACE, NO_FRAME
from fer_lib.datasets.tally import Evidence, class_task, classes_shown, labelled, published, without_label

NOTE, WARNING, STOP = "note", "warning", "stop"
SEVERITIES = (STOP, WARNING, NOTE)
BLANK_RANGE = 8  # grey levels between the darkest and the brightest value, as `inspect` has it
MANY_FACELESS = 0.5
OF_FRAMES = ("frame", "seconds", "clip_frames", "clip_faces")  # columns that rows of one stretch differ in
_SHOWN = 5  # examples of each finding


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        severity: "stop", "warning" or "note".
        what: in words.
        count: how many; 0 where what was found is that there is nothing.
        examples: some of them, named.
    """

    severity: str
    what: str
    count: int
    examples: tuple[str, ...] = ()


def all_findings(evidence: Evidence) -> list[Finding]:
    """Ask every question; the worst answers come first."""
    questions = (
        files,
        stretches,
        splits,
        classes,
        labels,
        people,
        copies,
        blank,
        without_face,
        numbers,
        left_out,
    )
    found = [finding for question in questions for finding in question(evidence)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def files(evidence: Evidence) -> Iterator[Finding]:
    """Files that are missing or do not decode: a warning, or a stop above the share that may be missing."""
    lost = {entry[0]: entry for entry in evidence.skipped if entry[2] in LOST and entry[2] != NO_FRAME}
    whole = len(lost.keys() | set(evidence.table["path"]))
    too_many = len(lost) > evidence.allow_missing * whole
    if too_many:
        what = f"{len(lost) / whole:.0%} of the files are missing or unreadable"
        yield Finding(STOP, f"{what}; at most {evidence.allow_missing:.0%} may be", len(lost))
    for reason, number in Counter(entry[2] for entry in lost.values()).items():
        named = [f"{path} ({detail})" if detail else path for path, _, why, detail in lost.values()
                 if why == reason]  # fmt: skip
        yield Finding(STOP if too_many else WARNING, reason, number, tuple(named[:_SHOWN]))


def stretches(evidence: Evidence) -> Iterator[Finding]:
    """Stretches of clips without a frame: a note, or a stop where `load` would refuse so many lost rows."""
    named = [f"{path} ({detail})" if detail else path for path, _, why, detail in evidence.skipped
             if why == NO_FRAME]  # fmt: skip
    if not named:
        return
    kept = evidence.table.drop(columns=list(OF_FRAMES), errors="ignore").drop_duplicates()
    lost = sum(entry[2] in LOST for entry in evidence.skipped)
    whole = len(kept) + len(evidence.skipped)
    examples = tuple(named[:_SHOWN])
    if lost > evidence.allow_missing * whole:
        what = f"{lost / whole:.0%} of the rows have no frame in their file, or no file"
        bound = f"at most {evidence.allow_missing:.0%} may, and times must be in seconds"
        yield Finding(STOP, f"{what}; {bound}", lost, examples)
    yield Finding(NOTE, f"left out: {NO_FRAME}", len(named), examples)


def splits(evidence: Evidence) -> Iterator[Finding]:
    """Splits of the protocol without a labelled row."""
    usable = labelled(evidence, evidence.release.task)
    there = Counter(evidence.table["split"].to_numpy()[usable])
    wanted = [split for split in published(evidence) if split in SPLITS]
    if not there:
        yield Finding(STOP, "no row has a picture and a label", 0)
        return
    empty = [split for split in wanted if not there[split]]
    judged = [split for split in wanted if split != "train"]
    for split in empty:
        # pictures whose labels are kept back (a challenge's test) are no fault: they can still be predicted
        listed = bool((evidence.table["split"] == split).any())
        needed = split == "train" or not (listed or any(there[other] for other in judged))
        yield Finding(STOP if needed else WARNING, f"{split} has no labelled row", 0)


def classes(evidence: Evidence) -> Iterator[Finding]:
    """Classes that no row shows: a stop in train (or in the only split) of the corpus's first task."""
    task = class_task(evidence.release.tasks)
    if task is None:
        return
    usable = labelled(evidence, task)
    split = evidence.table["split"].to_numpy()[usable]
    shown = classes_shown(evidence, task)[usable]
    for part in (name for name in SPLITS if (split == name).any()):
        absent = np.flatnonzero(~shown[split == part].any(axis=0))
        names = tuple(evidence.release.classes[index] for index in absent)
        if names:
            needed = task == evidence.release.task and (part == "train" or len(set(split)) == 1)
            severity = STOP if needed else WARNING
            yield Finding(severity, f"classes without a face in {part}", len(names), names)


def labels(evidence: Evidence) -> Iterator[Finding]:
    """Labels out of their range (a stop) and rows without one (a note)."""
    for task in evidence.release.tasks:
        columns = target_columns(task, evidence.release.classes)
        if not set(columns) <= set(evidence.table):
            continue
        values = evidence.table[columns].to_numpy(float)
        kept = evidence.reason == ""
        none = without_label(values, task)
        broken = broken_labels(values, task, len(evidence.release.classes)) & ~none & kept
        if broken.any():
            rows = np.flatnonzero(broken)
            yield Finding(STOP, f"{task} labels out of range", len(rows), evidence.names(rows))
        if (none & kept).any():
            rows = np.flatnonzero(none & kept)
            yield Finding(NOTE, f"rows without a {task} label", len(rows), evidence.names(rows))


def people(evidence: Evidence) -> Iterator[Finding]:
    """Subjects and videos that are in several splits; where nobody is named, films of which clips were cut.

    Where people are named, as in AMIGOS, a film is what they watched.
    """
    for column in ("subject", "video", "film"):
        if column not in evidence.table or (column == "film" and "subject" in evidence.table):
            continue
        known = evidence.table.iloc[evidence.kept][[column, "split"]].dropna()
        several = known.groupby(column, observed=True)["split"].nunique()
        shared = [str(name) for name in several.index[several > 1]]
        if shared:
            what = f"{column}s in several splits"
            yield Finding(WARNING, what, len(shared), tuple(shared[:_SHOWN]))


def copies(evidence: Evidence) -> Iterator[Finding]:
    """Pictures that come twice, across splits, or with different labels; of clips, in different clips."""
    rows = evidence.kept
    if evidence.films:
        rows = rows[evidence.ranges[rows] >= BLANK_RANGE]
    group, clip = pd.factorize(evidence.digests[rows])[0], pd.factorize(evidence.things()[rows])[0]
    first = np.unique(group, return_index=True)[1][group] if len(rows) else group
    split = evidence.table["split"].to_numpy(dtype=str)[rows]
    columns = target_columns(evidence.release.task, evidence.release.classes)
    values = evidence.table[columns].to_numpy(float)[rows]
    twice = clip != clip[first]
    shared = np.isin(group, group[twice])
    conflicts = conflicting_rows(group, values, without_label(values, evidence.release.task)) & shared
    thing = "frames" if evidence.films else "pictures"
    for what, mask in (
        (f"{thing} leaked: the same pixels as in an earlier split", leaked_rows(group, split)),
        (f"{thing} repeated: the same pixels as an earlier one", twice),
        (f"{thing} with conflicting labels: the same pixels, other labels", conflicts),
    ):
        found = np.flatnonzero(mask)
        pairs = zip(evidence.names(rows[found]), evidence.names(rows[first[found]]), strict=True)
        named = tuple(one if one == other else f"{one} = {other}" for one, other in pairs)
        if found.size:
            yield Finding(WARNING, what, len(found), named)


def blank(evidence: Evidence) -> Iterator[Finding]:
    """Pictures with hardly any contrast."""
    rows = evidence.kept[evidence.ranges[evidence.kept] < BLANK_RANGE]
    if rows.size:
        yield Finding(WARNING, "blank pictures: hardly any contrast", len(rows), evidence.names(rows))


def without_face(evidence: Evidence) -> Iterator[Finding]:
    """Pictures and clips without a face: the cascade misses turned heads, so that few are no alarm."""
    whole = len(evidence.kept) + len(evidence.skipped)
    for reason in (MISFIT, NO_FACE, FACELESS_CLIP):
        named = [path for path, _, why, _ in evidence.skipped if why == reason]
        severity = WARNING if len(named) > MANY_FACELESS * whole else NOTE
        if named:
            yield Finding(severity, f"left out: {reason}", len(named), tuple(named[:_SHOWN]))
    if evidence.faceless is not None and evidence.kept.size:
        rows = evidence.kept[evidence.faceless[evidence.kept]]
        share = len(rows) / len(evidence.kept)
        severity = WARNING if share > MANY_FACELESS else NOTE
        if rows.size:
            what = f"the cascade finds no face ({share:.1%})"
            yield Finding(severity, what, len(rows), evidence.names(rows))


def numbers(evidence: Evidence) -> Iterator[Finding]:
    """Counts that differ from the published ones; only a note where a world was written out."""
    severity = NOTE if evidence.synthetic else WARNING
    for split, (total, by_class) in published(evidence).items():
        have, have_by_class = evidence.number(split), evidence.by_class(split)
        differing = {name: n for name, n in by_class.items() if have_by_class.get(name, 0) != n}
        if have != total or differing:
            off = max(abs(have - total), sum(abs(have_by_class.get(k, 0) - n) for k, n in differing.items()))
            named = [f"{name} {have_by_class.get(name, 0):,} of {n:,}" for name, n in differing.items()]
            what = f"{split} differs from what is published: {have:,} of {total:,}"
            yield Finding(severity, what, off, tuple(named))


def left_out(evidence: Evidence) -> Iterator[Finding]:
    """That faces are synthetic; what the corpus's rules leave out or mend, as they document it."""
    if evidence.synthetic:
        yield Finding(NOTE, "synthetic faces: a world written out as this corpus", len(evidence.table))
    dropped = Counter(str(reason) for reason in evidence.reason[evidence.reason != ""])
    for (_, reason), count in evidence.dropped.items():
        dropped[reason] += count
    for reason, count in sorted(dropped.items()):
        rows = np.flatnonzero(evidence.reason == reason)
        yield Finding(NOTE, f"left out: {reason}", count, evidence.names(rows))
    for what, count in sorted(evidence.mended.items()):
        yield Finding(NOTE, f"mended: {what}", count)
