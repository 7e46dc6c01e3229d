"""Each question of `check` by itself, on evidence made by hand: clips, labels, published numbers."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import corpora, findings, tally
from fer_lib.datasets.listing import Listing, Release


def evidence(**parts):
    """Ten frames of clips a, a, a, b, b, b, c, c, d, d; the first six of train, two each of the others."""
    table = pd.DataFrame({
        "path": [f"{name}.mp4" for name in "aaabbbccdd"],
        "split": ["train"] * 6 + ["validation"] * 2 + ["test"] * 2,
        "frame": [0, 1, 2, 0, 1, 2, 0, 1, 0, 1],
        "state_joy": [1, 1, 1, 0, 0, 0, 1, 1, 0, 0],
        "state_fear": [0, 0, 0, 1, 1, 1, 0, 0, 1, 1],
    })  # fmt: skip
    release = Release(
        name="elderreact", version=1, root=Path("corpus"), form="clips", files=(), task="multi_label",
        listing=lambda: Listing(table), tasks=("multi_label",), classes=("joy", "fear"), source="",
        media="clips",
    )  # fmt: skip
    info = dataclasses.replace(corpora.CORPORA["elderreact"], classes=("joy", "fear"), counts={})
    fields = {
        "info": info, "release": release, "table": table, "reason": np.full(10, "", dtype=object),
        "digests": np.arange(10, dtype=np.uint64), "ranges": np.full(10, 200), "faceless": None,
        "skipped": [], "dropped": Counter(), "mended": Counter(), "allow_missing": 0.2, "synthetic": False,
    }  # fmt: skip
    return tally.Evidence(**fields | parts)


def by_words(found):
    return {finding.what.split(":")[0]: finding for finding in found}


def test_still_frames_of_one_clip_are_no_copies():
    digests = np.array([7, 7, 7, 1, 2, 3, 4, 7, 5, 6], np.uint64)  # c's second frame is a's
    found = by_words(findings.copies(evidence(digests=digests)))
    assert {what: finding.count for what, finding in found.items()} == {
        "frames leaked": 1,
        "frames repeated": 1,
    }
    assert found["frames leaked"].examples == ("c.mp4, frame 1 = a.mp4, frame 0",)
    labels = evidence().table.assign(state_joy=[1, 0, 1, 0, 0, 0, 1, 1, 0, 0])
    changing = evidence(digests=np.array([7, 7, 7, *range(7)], np.uint64) + 7, table=labels)
    assert list(findings.copies(changing)) == []  # a label may change while the face holds still
    black = evidence(digests=digests, ranges=np.array([0, 0, 0, 9, 9, 9, 9, 0, 9, 9]))
    assert list(findings.copies(black)) == []  # black frames say nothing


def test_films_whose_clips_are_in_several_splits_are_named():
    table = evidence().table.assign(film=[*"ppppppq", None, "p", "q"])
    (finding,) = findings.people(evidence(table=table))
    assert (finding.what, finding.examples) == ("films in several splits", ("p", "q"))
    known = table.assign(subject=table["split"])  # people are named: a film is what all of them watched
    assert list(findings.people(evidence(table=known))) == []


def test_clips_are_counted_as_clips():
    counts = evidence().counts()
    assert counts["clips"].to_dict() == {"train": 2, "validation": 1, "test": 1, "all": 4}
    assert counts.loc["train", ["joy", "fear", "all"]].tolist() == [3, 3, 6]
    found = by_words(findings.classes(evidence()))
    assert found["classes without a face in test"].examples == ("joy",)


def test_a_class_is_not_needed_where_the_first_task_has_none():
    absent = evidence().table.assign(state_fear=0, valence=0.5, arousal=0.0)
    (train, *_) = findings.classes(evidence(table=absent))
    assert train.severity == "stop"
    rated = dataclasses.replace(
        evidence().release, task="valence_arousal", tasks=("valence_arousal", "multi_label")
    )
    (train, *_) = findings.classes(evidence(table=absent, release=rated))
    assert (train.severity, train.examples) == ("warning", ("fear",))


def test_rows_of_one_unreadable_clip_are_one_file():
    skipped = [("e.mp4", "train", "file does not decode", "")] * 5 + [
        ("f.mp4", "test", "clip without a face", "")
    ]
    (finding,) = findings.files(evidence(skipped=skipped, allow_missing=0.2))
    assert (finding.what, finding.count, finding.severity) == ("file does not decode", 1, "warning")
    told_of = by_words(findings.without_face(evidence(skipped=skipped)))
    assert told_of["left out"].examples == ("f.mp4",)


def test_labels_out_of_range_stop_and_mended_cells_are_a_note():
    table = evidence().table.assign(state_joy=[2.0, np.nan, *[1] * 8])
    found = by_words(findings.labels(evidence(table=table)))
    assert found["multi_label labels out of range"].severity == "stop"
    assert found["rows without a multi_label label"].examples == ("a.mp4, frame 1",)
    mended = Counter({"cells clamped into [-1, 1]": 3})
    dropped = Counter({("train", "row repeated"): 2, ("test", "row repeated"): 1})
    notes = list(findings.left_out(evidence(mended=mended, dropped=dropped)))
    assert [(n.severity, n.what, n.count) for n in notes] == [
        ("note", "left out: row repeated", 3), ("note", "mended: cells clamped into [-1, 1]", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["affectnet", "jaffe", "fer2013", "ferplus"])
def test_published_class_counts_agree_with_the_published_totals(name):
    info = corpora.CORPORA[name]
    assert set(info.class_counts) >= set(info.counts)
    for split, row in info.class_counts.items():
        assert len(row) == len(info.classes)
        if " " not in split:  # one form has numbers of its own
            assert sum(row) == info.counts[split]


def test_a_form_may_have_numbers_of_its_own_and_fewer_classes_count_less():
    info = corpora.CORPORA["affectnet"]
    base = evidence().release
    release = dataclasses.replace(base, name="affectnet", form="csv", classes=info.classes)
    told_8 = tally.published(evidence(info=info, release=release))
    assert (told_8["train"][0], told_8["validation"][0]) == (287_651, 4_000)
    seven = dataclasses.replace(release, form="npy", classes=info.classes[:7])
    told_7 = tally.published(evidence(info=info, release=seven))
    assert (told_7["train"][0], told_7["validation"][0]) == (283_901, 3_500)
    assert "contempt" not in told_7["train"][1]


def test_forms_of_fer2013_have_splits_of_their_own():
    info = corpora.CORPORA["fer2013"]
    table = evidence().table.assign(split=["train"] * 6 + ["test"] * 4)
    base = dataclasses.replace(
        evidence().release, name="fer2013", task="categorical", classes=info.classes, form="challenge"
    )
    told_of = tally.published(evidence(info=info, release=base, table=table))
    assert {split: total for split, (total, _) in told_of.items()} == {"train": 28_709, "test": 7_178}
    assert told_of["train"][1]["disgust"] == 436
    assert told_of["test"][1] == {}  # nobody outside has those labels
    folders = dataclasses.replace(base, form="folders")
    joined = tally.published(evidence(info=info, release=folders, table=table))
    usual = tally.published(evidence(info=info, release=dataclasses.replace(base, form="csv"), table=table))
    assert list(usual) == ["train", "validation", "test"]
    assert joined["test"][0] == 7_178
    parts = usual["validation"][1], usual["test"][1]
    assert joined["test"][1] == {name: sum(part[name] for part in parts) for name in info.classes}
    named = evidence(info=info, release=folders)  # PublicTest_ in the names: three splits
    assert tally.published(named) == usual


def test_numbers_of_ferplus_depend_on_the_mode():
    info = corpora.CORPORA["ferplus"]
    base = dataclasses.replace(evidence().release, name="ferplus", classes=info.classes)
    totals = {}
    for task in ("categorical", "distribution", "multi_label"):
        told_of = tally.published(evidence(info=info, release=dataclasses.replace(base, task=task)))
        totals[task] = [told_of[split][0] for split in ("train", "validation", "test")]
    assert totals == {
        "categorical": [25_060, 3_199, 3_153],
        "distribution": [27_956, 3_505, 3_505],
        "multi_label": [27_671, 3_472, 3_472],
    }
