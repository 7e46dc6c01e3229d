"""Worlds as corpora: reproducible, prefix-stable, nobody in two splits, labels as the corpus has them."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fer_lib.affect import VOCABULARIES
from fer_lib.worlds import EMOTIONS, WORLDS
from fer_lib.worlds.annotators import vote

NAMES = list(WORLDS)


def pixels(built):
    return np.concatenate(list(built[0]))


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


@pytest.mark.parametrize("name", NAMES)
def test_splits_share_no_person(name):
    world = WORLDS[name]
    seen = {split: set(world.build(split, n=256, seed=0)[2].identity) for split in world.counts}
    assert len(set().union(*seen.values())) == sum(map(len, seen.values()))
    crowds = [world.population(split, 0) for split in world.counts]
    faces = [list(zip(*(c[t].tolist() for t in ("width", "nose_y", "mouth_w")), strict=True)) for c in crowds]
    assert len(set().union(*faces)) == sum(map(len, faces))  # nor a face under two names


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_shaped_like_the_corpus(name):
    world = WORLDS[name]
    _, table, truth = world.build("train", n=300, seed=0)
    assert world.classes == VOCABULARIES[name]
    assert isinstance(table.index, pd.RangeIndex)
    assert table.path.is_unique
    assert set(table.split) == {"train"}
    if world.label == "votes":
        columns = [f"votes_{c}" for c in world.classes] + ["votes_unknown", "votes_not_a_face"]
        assert list(table.columns[2:]) == columns
        assert (table[columns].sum(axis=1) == 10).all()
    else:
        assert table.expression.between(0, len(world.classes) - 1).all()
    if "valence_arousal" in world.tasks:
        assert table[["valence", "arousal"]].abs().max().max() <= 1
        for axis, least in (("valence", 0.9), ("arousal", 0.75)):
            r = np.corrcoef(table[axis], truth[axis])[0, 1]
            assert least < r < 0.995  # annotators are good and not perfect
    units = truth[[c for c in truth if c.startswith("au_")]]
    assert units.shape[1] == 20
    assert units.min().min() >= 0
    assert units.max().max() <= 1
    assert np.allclose(truth[[f"looks_{e}" for e in EMOTIONS]].sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_emotions_come_as_often_as_the_world_says(name):
    world = WORLDS[name]
    truth = world.build("train", n=6000, seed=1)[2]
    odds = pd.Series(world.frequency["train"])
    odds = odds / odds.sum()
    counted = truth.prototype.value_counts() / len(truth)
    for emotion, p in odds.items():
        error = (p * (1 - p) / len(truth)) ** 0.5
        assert abs(counted.get(emotion, 0.0) - p) < 4.5 * error


def test_two_annotators_agree_about_as_often_as_published():
    # AffectNet: two annotators agreed on 60.7 % of 36,000 images; FER+: 61.0 % of pairs among its ten votes
    world = WORLDS["affectnet"]
    truth = world.build("train", n=4096, seed=2)[2]
    looks = torch.tensor(truth[[f"looks_{e}" for e in EMOTIONS]].to_numpy())
    votes = vote(looks, world.panel, 2, torch.Generator().manual_seed(0), people_seed=9)
    assert 0.55 < float((votes[:, 0] == votes[:, 1]).float().mean()) < 0.67
    table = WORLDS["ferplus"].build("train", n=4096, seed=2)[1]
    counts = table.filter(like="votes_").to_numpy()
    assert 0.55 < (counts * (counts - 1)).sum(1).mean() / 90 < 0.67


def test_expression_is_independent_of_who_and_where():
    truth = WORLDS["affectnet"].build("train", n=6000, seed=0)[2]
    for nuisance in ("skin_tone", "age", "male", "yaw_deg", "light_azimuth_deg", "exposure"):
        for feeling in ("valence", "arousal", "au_12"):
            assert abs(np.corrcoef(truth[nuisance], truth[feeling])[0, 1]) < 0.05


def test_pictures_without_a_face_are_voted_so():
    world = WORLDS["ferplus"]
    images, table, truth = world.build("train", n=1024, size=32, seed=0)
    blank = truth.blank.to_numpy()
    assert 0 < blank.sum() < 20
    stack = np.concatenate(list(images))
    assert (stack[blank].std(axis=(1, 2, 3)) == 0).all()
    assert (stack[~blank].std(axis=(1, 2, 3)) > 5).all()
    assert table.votes_not_a_face[blank].min() >= 7
    assert table.votes_not_a_face[~blank].max() == 0


def test_faces_can_be_read_but_not_perfectly():
    """A linear reader on 48x48 pixels tells happy from neutral on unseen people; labels leave a ceiling."""
    world, sets = WORLDS["fer2013"], {}
    happy, neutral = (world.classes.index(name) for name in ("happiness", "neutral"))
    for split, n in (("train", 1280), ("test", 640)):
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
