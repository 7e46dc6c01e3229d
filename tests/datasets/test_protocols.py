"""Protocols as data: every fold by its rules, by hand and for any table."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets import describe, load
from fer_lib.datasets.corpora import CORPORA, metric_of
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.folding import deal
from fer_lib.datasets.protocols import PROTOCOLS, folds, leak, protocol_of
from fer_lib.datasets.splitting import clips_of, people_of, stretches_of
from fer_lib.errors import DataError

CLASSES = ("neutral", "happiness", "anger")


def made(name, table, *, unit="sequence", task="categorical"):
    """A set of blank faces with a table."""
    table = pd.DataFrame({"split": "train", "expression": 0, "valence": 0.0, "arousal": 0.0} | table)
    return FaceSet(
        name=name,
        pixels=np.zeros((len(table), 1, 2, 2), np.uint8),
        rows=np.arange(len(table)),
        table=table,
        task=task,
        unit=unit,
        classes=CLASSES,
        tasks=("categorical", "valence_arousal"),
        protocol="none",
        metric="accuracy",
        source="made up",
        licence="none",
        fingerprint="f",
    )


def test_every_corpus_has_protocols_in_its_metric():
    assert list(PROTOCOLS) == list(CORPORA)
    for name, known in PROTOCOLS.items():
        assert len({one.name for one in known}) == len(known)
        for one in known:
            assert one.metric == metric_of(name, CORPORA[name].tasks[0])
            assert one.description.endswith(".")
            assert one.reference
    assert protocol_of("world:amigos", "clips") is protocol_of("amigos", "clips")
    assert protocol_of("jaffe").unit == "person"


def test_unknown_protocols_are_refused():
    match = (
        r"protocol must be one of subjects, repetitions, expressions for jaffe; got 'subject'\. Did you mean"
    )
    with pytest.raises(ValueError, match=match + " 'subjects'"):
        protocol_of("jaffe", "subject")
    with pytest.raises(
        ValueError, match=r"protocol must be one of official for fer2013; got 'x'\. Choose one"
    ):
        folds(made("fer2013", {"path": ["a", "b"]}, unit="image"), "x")
    with pytest.raises(
        DataError, match=r"name: must be one of affectnet, .*; got 'folder'\. Part other sets"
    ):
        protocol_of("folder")


class TestOfficial:
    SPLITS = ("test", "train", "validation", "train", "test")

    def test_test_is_reported_and_validation_chooses(self):
        (fold,) = folds(made("ferplus", {"split": self.SPLITS}, unit="image"))
        assert (fold.name, fold.train.tolist(), fold.test.tolist()) == ("official", [1, 3], [0, 4])
        assert fold.validation.tolist() == [2]

    def test_validation_is_reported_where_no_test_rows_are(self):
        faces = made("affectnet", {"split": self.SPLITS}, unit="image").subset([1, 2, 3])
        (fold,) = folds(faces)
        assert (fold.train.tolist(), fold.test.tolist(), fold.validation.tolist()) == ([0, 2], [1], [])

    def test_one_split_is_not_enough(self):
        match = r"fer2013: must hold rows to learn from and to test on; got train\. Load it with split='all'"
        with pytest.raises(DataError, match=match):
            folds(made("fer2013", {"split": ["train"] * 3}, unit="image"))


JAFFE = {  # two people, two expressions; gaps in the shots, and a fourth shot
    "subject": ["KA"] * 5 + ["YM"] * 6,
    "expression": [2, 2, 2, 1, 1, 2, 2, 2, 2, 1, 1],
    "shot": [1, 3, 2, 2, 3, 1, 2, 3, 4, 1, 3],
}


class TestJaffeByHand:
    def test_subjects(self):
        found = folds(made("jaffe", JAFFE, unit="image"))
        assert [(fold.name, fold.test.tolist()) for fold in found] == [
            ("KA", [0, 1, 2, 3, 4]),
            ("YM", [5, 6, 7, 8, 9, 10]),
        ]
        assert found[0].train.tolist() == [5, 6, 7, 8, 9, 10]

    def test_repetitions_close_gaps(self):
        found = folds(made("jaffe", JAFFE, unit="image"), "repetitions")
        assert [(fold.name, fold.test.tolist()) for fold in found] == [
            ("shot 1", [0, 3, 5, 8, 9]),
            ("shot 2", [2, 4, 6, 10]),
            ("shot 3", [1, 7]),
        ]

    def test_taken_literally_the_tested_class_is_never_learned(self):
        faces = made("world:jaffe", JAFFE, unit="image")
        found = folds(faces, "expressions")
        assert [fold.name for fold in found] == ["happiness", "anger"]
        for fold in found:
            assert not set(faces.table["expression"][fold.train]) & set(faces.table["expression"][fold.test])
            likeliest = faces.table["expression"][fold.train].mode()[0]
            assert (faces.table["expression"][fold.test] == likeliest).mean() == 0

    @pytest.mark.parametrize(
        ("change", "protocol", "match"),
        [
            ({"subject": None}, None, r"jaffe: every row must name its subject; got 11 rows without"),
            ({"shot": ...}, "repetitions", r"jaffe: must have a column shot; got none"),
            ({"subject": ...}, "repetitions", r"every row must name its subject; got no column subject"),
            ({"expression": -1}, "expressions", r"every row must have an expression; got 11 without"),
            ({"subject": "KA"}, None, r"enough for the protocol 'subjects'; got nothing on one side of 'KA'"),
        ],
    )
    def test_missing_columns(self, change, protocol, match):
        table = {name: value for name, value in (JAFFE | change).items() if value is not ...}
        with pytest.raises(DataError, match=match):
            folds(made("jaffe", table, unit="image"), protocol)


def test_the_world_of_jaffe_has_ten_folds():
    faces = load("world:jaffe", split="all", size=32, limit=210)
    found = folds(faces)
    assert [fold.name for fold in found] == sorted(set(faces.table["subject"]))
    assert len(found) == 10
    assert np.array_equal(np.sort(np.concatenate([fold.test for fold in found])), np.arange(len(faces)))


# AMIGOS: two people watch the same five films; two segments of a film, two frames of a segment
FRAMES = pd.MultiIndex.from_product([["P1", "P2"], range(5), [1, 2], [0, 1]]).to_frame(index=False)
AMIGOS = dict(zip(("subject", "video", "segment", "frame"), FRAMES.to_numpy().T, strict=True))


class TestAmigosByHand:
    def test_frames_as_printed_lie_on_both_sides(self):
        faces = made("amigos", AMIGOS, task="valence_arousal")
        found = folds(faces)
        assert [fold.name for fold in found[:2]] == ["P1, part 1 of 5", "P1, part 2 of 5"]
        assert [len(fold.test) for fold in found] == [4] * 10
        for fold in found:  # of one person only
            assert set(faces.table["subject"].iloc[np.r_[fold.train, fold.test]]) == {fold.name[:2]}
        clips, halves = leak(faces, found), leak(faces, found, by="stretch")
        assert (clips.of_rows, halves.of_rows) == (40, 40)
        expected = [0, 0]  # counted the slow way
        for fold in found:
            learned = faces.table.iloc[fold.train]
            for row in faces.table.iloc[fold.test].itertuples():
                same = learned[(learned["subject"] == row.subject) & (learned["video"] == row.video)]
                expected[0] += len(same) > 0
                expected[1] += (same["segment"] == row.segment).any()
        assert [clips.rows, halves.rows] == expected
        assert clips.rows >= halves.rows > 0
        assert clips.share == clips.rows / 40

    def test_whole_clips_leak_nothing(self):
        faces = made("amigos", AMIGOS, task="valence_arousal")
        found = folds(faces, "clips")
        assert leak(faces, found) == leak(faces, found, by="clip")
        assert (leak(faces, found).rows, leak(faces, found).groups, leak(faces, found).of_groups) == (
            0,
            0,
            10,
        )
        assert leak(faces, found, by="person").rows == 40  # personal models, by design
        assert [len(fold.test) for fold in found] == [4] * 10

    def test_too_few_clips(self):
        faces = made("amigos", AMIGOS).subset(slice(0, 16))
        with pytest.raises(DataError, match=r"clips of P1: 5 folds need at least 5; got 4\. Load more"):
            folds(faces, "clips")
        pictures = made("amigos", {"subject": ["a"] * 6}, unit="image")
        with pytest.raises(DataError, match=r"amigos: must hold frames of clips; got single pictures"):
            folds(pictures, "clips")

    def test_leak_refuses(self):
        faces = made("amigos", AMIGOS)
        with pytest.raises(ValueError, match=r"by must be one of clip, stretch, person; got 'film'"):
            leak(faces, [], by="film")
        pictures = made("jaffe", JAFFE, unit="image")
        with pytest.raises(ValueError, match=r"faces must come from clips; got the pictures of jaffe"):
            leak(pictures, folds(pictures))


@st.composite
def frames(draw):
    """A table of frames of clips of people, in any order, with clips of any length."""
    clips = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=25
        )
    )
    rows = [(who, film) for who, film, count in clips for _ in range(count)]
    order = draw(st.permutations(range(len(rows))))
    rows = [rows[k] for k in order]
    return {"subject": [who for who, _ in rows], "video": [film for _, film in rows]}


@settings(max_examples=80, deadline=None)
@given(table=frames(), seed=st.integers(0, 3), protocol=st.sampled_from(["frames", "clips"]))
def test_folds_of_amigos_for_any_table(table, seed, protocol):
    faces = made("amigos", table)
    pairs = list(zip(table["subject"], table["video"], strict=True))
    units = pairs if protocol == "frames" else set(pairs)
    of_person = Counter(who for who, _ in units)
    if min(of_person.values()) < 5:
        with pytest.raises(DataError, match="5 folds need at least 5"):
            folds(faces, protocol, seed=seed)
        return
    found = folds(faces, protocol, seed=seed)
    tested = np.concatenate([fold.test for fold in found])
    assert sorted(tested) == list(range(len(pairs)))  # every row is tested once
    for fold in found:
        assert not set(fold.train) & set(fold.test)
        assert {pairs[k][0] for k in fold.train} == {pairs[k][0] for k in fold.test}
        if protocol == "clips":
            assert not {pairs[k] for k in fold.train} & {pairs[k] for k in fold.test}
    again = folds(faces, protocol, seed=seed)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(found, again, strict=True))


@settings(max_examples=80, deadline=None)
@given(people=st.lists(st.integers(0, 12), min_size=5, max_size=60), seed=st.integers(0, 3))
def test_folds_of_fabo_never_share_a_person(people, seed):
    faces = made("fabo", {"subject": [f"S{who}" for who in people], "video": 0})
    if len(set(people)) < 5:
        with pytest.raises(DataError, match=r"persons of fabo: 5 folds need at least 5"):
            folds(faces, seed=seed)
        return
    found = folds(faces, seed=seed)
    assert len(found) == 5
    assert sorted(np.concatenate([fold.test for fold in found])) == list(range(len(people)))
    for fold in found:
        assert not {people[k] for k in fold.train} & {people[k] for k in fold.test}
        assert len(fold.train) + len(fold.test) == len(people)


@settings(max_examples=60, deadline=None)
@given(groups=st.lists(st.integers(0, 30), min_size=1, max_size=80), parts=st.integers(1, 5))
def test_dealt_parts_are_even(groups, parts):
    if len(set(groups)) < parts:
        return
    part = deal(np.array(groups), parts, np.random.default_rng(0), what="groups")
    sizes = np.bincount(part, minlength=parts)
    assert sizes.sum() == len(groups)
    assert sizes.max() - sizes.min() <= max(Counter(groups).values())
    for one in set(groups):
        assert len({part[k] for k in range(len(groups)) if groups[k] == one}) == 1


def test_who_and_what_a_row_belongs_to():
    faces = made("omg_emotion", {
        "subject": pd.array(["a", "a", None, None, "b", None], dtype="string"),
        "video": ["x", "y", "x", "x", "x", "z"],
        "utterance": ["1", "1", "1", "2", "1", "1"],
    })  # fmt: skip
    assert people_of(faces).tolist() == [0, 0, 1, 1, 2, 3]
    assert clips_of(faces).tolist() == [0, 1, 2, 2, 3, 4]
    assert stretches_of(faces).tolist() == [0, 1, 2, 3, 4, 5]
    files = made("elderreact", {"path": ["q.mp4", "r.mp4", "q.mp4"]})
    assert people_of(files).tolist() == clips_of(files).tolist() == stretches_of(files).tolist() == [0, 1, 0]
    films = made("elderreact", {"path": ["1.mp4", "2.mp4", "3.mp4"], "film": ["x", "y", "x"]})
    assert (people_of(films).tolist(), clips_of(films).tolist()) == ([0, 1, 0], [0, 1, 2])
    watched = made(
        "amigos", {"subject": ["a", "a", "b"], "video": ["a1", "a2", "b1"], "film": ["1", "2", "1"]}
    )
    assert people_of(watched).tolist() == [0, 0, 1]
    pictures = made("jaffe", {"path": ["q", "r", "q"]}, unit="image")
    assert clips_of(pictures) is stretches_of(pictures) is None
    assert people_of(pictures).tolist() == [0, 1, 2]


@settings(max_examples=80, deadline=None)
@given(table=frames(), missing=st.sets(st.sampled_from("abc")), fraction=st.floats(0.05, 0.95))
def test_split_never_parts_a_clip(table, missing, fraction):
    table = table | {"subject": [None if who in missing else who for who in table["subject"]]}
    clips = list(zip(table["subject"], table["video"], strict=True))
    faces = made("amigos", table)
    if len(set(clips)) < 2:
        if len(clips) > 1:
            with pytest.raises(ValueError, match=r"video must name at least 2 clips for a split; got 1"):
                faces.split(fraction, seed=0)
        return
    rest, part = faces.split(fraction, seed=0)
    known = set(table["subject"]) - {None}
    sides = [set(zip(side.table["subject"], side.table["video"], strict=True)) for side in (rest, part)]
    assert not sides[0] & sides[1]
    assert len(rest) + len(part) == len(clips)
    if len(known) > 1 or len({who or film for who, film in clips}) > 1:
        shared = set(rest.table["subject"].dropna()) & set(part.table["subject"].dropna())
        assert not shared


def test_descriptions_agree_with_what_is_known_of_the_corpora():
    assert "leave one of the ten subjects out" in describe("jaffe").protocol
    assert re.search(r"5 folds in each person; also folds of whole clips", describe("amigos").protocol)
    assert "folds over the people" in describe("fabo").protocol
