"""Worlds as corpora: reproducible, prefix-stable, nobody in two splits, labels as the corpus has them."""

import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds import EMOTIONS, WORLDS, landmarks_of, render
from fer_lib.worlds.annotators import vote
from fer_lib.worlds.drawing import draw_chunk

NAMES = list(WORLDS)
CLIPS = [name for name in NAMES if WORLDS[name].clips]
ROWS = 1536


def pixels(built):
    return np.concatenate(list(built[0]))


@functools.cache
def tables(name):
    """Table and truth of a world's first training rows; no test changes them."""
    return WORLDS[name].build("train", n=ROWS, size=64, seed=1)[1:]


def one_row_a_clip(name):
    table, truth = tables(name)
    first = ~truth["clip"].duplicated() if "clip" in truth else np.ones(len(truth), dtype=bool)
    return table[first], truth[first]


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_world_begins_like_a_shorter_one(name):
    world = WORLDS[name]
    short, long = world.build("train", n=10, size=32, seed=5), world.build("train", n=130, size=32, seed=5)
    assert np.array_equal(pixels(short), pixels(long)[:10])
    pd.testing.assert_frame_equal(short[1], long[1].iloc[:10])
    pd.testing.assert_frame_equal(short[2], long[2].iloc[:10])
    assert len(long[1]) == len(long[2]) == 130


def test_seeds_splits_and_worlds_differ():
    poses = [WORLDS["fer2013"].build(split, n=8, seed=0)[2].yaw_deg for split in ("train", "test")]
    assert not np.isin(*poses).any()
    pictures = [pixels(WORLDS["fer2013"].build(split, n=4, size=32, seed=seed)) for split, seed in
                (("train", 0), ("train", 1), ("test", 0))]  # fmt: skip
    pictures.append(pixels(WORLDS["ferplus"].build("train", n=4, size=32, seed=0)))
    for i in range(4):
        for j in range(i):
            assert np.abs(pictures[i].astype(int) - pictures[j].astype(int)).mean() > 10


@pytest.mark.parametrize("name", [name for name in NAMES if len(WORLDS[name].counts) > 1])
def test_splits_share_no_person(name):
    world = WORLDS[name]
    crowds = [world.population(split, 0) for split in world.counts]
    faces = [list(zip(*(c[t].tolist() for t in ("width", "nose_y", "mouth_w")), strict=True)) for c in crowds]
    assert len(set().union(*faces)) == sum(map(len, faces))
    parts = {split: world.build(split, n=80, seed=0) for split in world.counts}
    seen = {split: set(truth.identity) for split, (_, _, truth) in parts.items()}
    assert len(set().union(*seen.values())) == sum(map(len, seen.values()))
    if world.clips:  # nor a name
        names = {split: set(table.subject) for split, (_, table, _) in parts.items()}
        assert len(set().union(*names.values())) == sum(map(len, names.values()))


COLUMNS = {
    "affectnet": "expression valence arousal",
    "masked_affectnet": "expression valence arousal",
    "fer2013": "expression",
    "ferplus": " ".join(f"votes_{c}" for c in (*VOCABULARIES["ferplus"], "unknown", "not_a_face")),
    "jaffe": "subject shot expression",
    "omg_emotion": "subject video utterance start end frame valence arousal expression",
    "elderreact": "subject video frame "
    + " ".join(f"state_{c}" for c in VOCABULARIES["elderreact"])
    + " valence_rating gender",
    "emoreact": "subject video frame "
    + " ".join(f"state_{c}" for c in VOCABULARIES["emoreact"])
    + " valence_rating",
    "fabo": "subject video execution start apex apex_end end frame expression",
    "amigos": "subject video segment frame valence arousal valence_annotator_1 arousal_annotator_1 "
    "valence_annotator_2 arousal_annotator_2 valence_annotator_3 arousal_annotator_3",
    "affwild2": "subject video frame valence arousal expression",
}


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_shaped_like_the_corpus(name):
    world = WORLDS[name]
    table, truth = tables(name)
    assert list(table.columns) == ["path", "split", *COLUMNS[name].split()]
    assert world.classes == VOCABULARIES.get(name, ())
    assert isinstance(table.index, pd.RangeIndex)
    assert table.path.is_unique
    assert set(table.split) == {"train"}
    if world.label == "votes":
        assert (table.filter(like="votes_").sum(axis=1) == 10).all()
    elif world.label == "states":
        assert set(np.unique(table.filter(like="state_"))) == {0, 1}
        assert table.valence_rating.between(1, 7).all()
    elif world.classes:
        assert table.expression.between(-1 if name == "affwild2" else 0, len(world.classes) - 1).all()
    units = truth[[c for c in truth if c.startswith("au_")]]
    assert units.shape[1] == 20
    assert units.min().min() >= 0
    assert units.max().max() <= 1
    assert np.allclose(truth[[f"looks_{e}" for e in world.seen]].sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if "valence_arousal" in WORLDS[name].tasks])
def test_annotators_are_good_and_not_perfect(name):
    table, truth = tables(name)
    valid = table.valence > -2
    table, truth = table[valid], truth[valid]
    assert table.valence.between(-1, 1).all()
    assert table.arousal.between(0 if name == "omg_emotion" else -1, 1).all()
    for axis, least in (("valence", 0.85), ("arousal", 0.7)):
        r = np.corrcoef(table[axis], truth[f"label_{axis}"])[0, 1]
        assert least < r < 0.997
        assert abs(table[axis].mean() - truth[f"label_{axis}"].mean()) < 0.06
    if name == "amigos":
        raters = table[[f"valence_annotator_{k}" for k in (1, 2, 3)]]
        assert np.allclose(table.valence, raters.mean(axis=1))


@pytest.mark.parametrize("name", [name for name in NAMES if not WORLDS[name].sittings])
def test_emotions_come_as_often_as_the_world_says(name):
    world = WORLDS[name]
    _, truth = one_row_a_clip(name)
    odds = pd.Series(world.frequency["train"])
    odds = odds / odds.sum()
    counted = truth.prototype.value_counts() / len(truth)
    # clips of one video may share a mood: then there are only as many draws as videos
    draws = min(len(truth), world.people["train"] * world.clips.videos) if world.clips else len(truth)
    for emotion, p in odds.items():
        p = (1 - world.posed_slips) * p
        error = (p * (1 - p) / draws) ** 0.5
        assert abs(counted.get(emotion, 0.0) - p) < 4.5 * error + 0.02 * (world.posed_slips > 0)


def test_jaffe_has_its_sittings():
    table = WORLDS["jaffe"].build("train", n=213, size=32, seed=0)[1]
    assert table.groupby("subject").size().between(20, 23).all()
    assert table.subject.nunique() == 10
    assert table.expression.value_counts().sort_index().tolist() == [30, 29, 32, 31, 30, 31, 30]
    assert not table.duplicated(["subject", "expression", "shot"]).any()


def test_two_annotators_agree_about_as_often_as_published():
    known = {name: WORLDS[name].published for name in ("affectnet", "ferplus")}
    world = WORLDS["affectnet"]
    truth = tables("affectnet")[1]
    looks = torch.tensor(truth[[f"looks_{e}" for e in EMOTIONS]].to_numpy())
    votes = vote(looks, world.panel, 2, torch.Generator().manual_seed(0), people_seed=9)
    agreed = float((votes[:, 0] == votes[:, 1]).float().mean())
    assert agreed == pytest.approx(known["affectnet"]["agreement"], abs=0.045)
    counts = tables("ferplus")[0].filter(like="votes_").to_numpy()
    assert (counts * (counts - 1)).sum(1).mean() / 90 == pytest.approx(
        known["ferplus"]["agreement"], abs=0.03
    )
    unanimous = (counts.max(1) == 10).mean()
    assert unanimous == pytest.approx(known["ferplus"]["unanimous"], abs=0.05)


def test_affectnet_fills_the_plane_where_the_corpus_does():
    """The published density: full at neutral and along pleasant and calm, empty corners."""
    table, truth = tables("affectnet")
    v, a = table.valence, table.arousal
    assert ((v.abs() < 0.25) & (a.abs() < 0.25)).mean() > 0.18
    assert (v.between(0.4, 0.95) & a.between(-0.05, 0.45)).mean() > 0.18
    assert ((v.abs() > 0.75) & (a.abs() > 0.75)).mean() < 0.01
    assert ((v > 0.4) & (a < -0.4)).mean() < 0.01
    for emotion, right, up in (("anger", -1, 1), ("fear", -1, 1), ("sadness", -1, -1), ("happiness", 1, 1)):
        shown = truth.prototype == emotion
        assert (v[shown].mean() * right) > 0.2
        assert (a[shown].mean() * up) > 0.1


def test_landmarks_of_the_truth_are_the_renderers():
    world = WORLDS["omg_emotion"]
    crowd = world.cast("train", 0)
    truth = world.tables(crowd, 0, 64)[1]
    drawn = draw_chunk(world, crowd, 0)
    done = render(drawn.people, drawn.shown.units, drawn.scene, size=64)
    assert np.allclose(landmarks_of(truth), done.landmarks.numpy(), atol=1e-3)
    with pytest.raises(ValueError, match=r"truth must have the columns lm_x_00 to lm_y_67; got 1 others"):
        landmarks_of(pd.DataFrame({"age": [1.0]}))


def test_pictures_without_a_face_are_voted_so():
    world = replace(WORLDS["ferplus"], blank=0.06)
    images, table, truth = world.build("train", n=192, size=32, seed=0)
    blank = truth.blank.to_numpy()
    assert 2 < blank.sum() < 30
    stack = np.concatenate(list(images))
    assert (stack[blank].std(axis=(1, 2, 3)) == 0).all()
    assert (stack[~blank].std(axis=(1, 2, 3)) > 5).all()
    assert table.votes_not_a_face[blank].min() >= 7
    assert table.votes_not_a_face[~blank].max() == 0


def test_faces_can_be_read_but_not_perfectly():
    """A linear reader on 48x48 pixels tells happy from neutral on unseen people; labels leave a ceiling."""
    world, sets = WORLDS["fer2013"], {}
    happy, neutral = (world.classes.index(name) for name in ("happiness", "neutral"))
    for split, n in (("train", 1024), ("test", 512)):
        images, table, truth = world.build(split, n=n, size=48, seed=0)
        flat = np.concatenate(list(images)).reshape(n, -1) / 255
        flat = (flat - flat.mean(1, keepdims=True)) / (flat.std(1, keepdims=True) + 0.05)
        chosen = table.expression.isin([happy, neutral]).to_numpy()
        sets[split] = flat[chosen], (table.expression[chosen] == happy).to_numpy(), truth
    reader = make_pipeline(PCA(80, random_state=0), LogisticRegression(C=0.1, max_iter=500))
    reader.fit(*sets["train"][:2])
    assert reader.score(*sets["test"][:2]) > 0.68
    ceiling = sets["test"][2][[f"looks_{e}" for e in EMOTIONS]].max(axis=1).mean()
    assert 0.6 < ceiling < 0.9


def test_an_empty_world_has_its_columns():
    images, table, truth = WORLDS["affectnet"].build("validation", n=0)
    assert list(images) == []
    assert len(table) == len(truth) == 0
    assert {"expression", "valence", "arousal"} <= set(table.columns)


def test_bad_requests_are_refused():
    world = WORLDS["affectnet"]
    with pytest.raises(ValueError, match=r"split must be one of \('train', 'validation'\); got 'test'"):
        world.build("test", n=4)
    with pytest.raises(ValueError, match="n must be 0 or more; got -1"):
        world.build("train", n=-1)
    with pytest.raises(ValueError, match="size must lie in 32-256; got 512"):
        world.build("train", n=1, size=512)
