"""The worlds and what is known of their corpora: sizes, people, looks, figures with sources."""

import numpy as np
import pytest

from fer_lib.datasets import describe
from fer_lib.worlds import FEELINGS, WORLDS
from fer_lib.worlds.catalogue.published import FIGURES, published_of
from fer_lib.worlds.feelings import lexicon

ELEVEN = (
    "affectnet", "masked_affectnet", "fer2013", "ferplus", "jaffe", "omg_emotion", "elderreact", "emoreact",
    "fabo", "amigos", "affwild2",
)  # fmt: skip


def test_there_are_eleven_and_each_says_why():
    assert tuple(WORLDS) == ELEVEN
    for world in WORLDS.values():
        assert len(world.why) > 60
        assert set(world.counts) == set(world.people) == set(world.frequency)
        for shown in world.frequency.values():
            assert set(shown) <= set(FEELINGS)


def test_dialects_differ_pairwise():
    apart = [w.dialect for n, w in WORLDS.items() if n != "masked_affectnet"]
    assert all(a != b for i, a in enumerate(apart) for b in apart[:i])
    assert WORLDS["masked_affectnet"].dialect == WORLDS["affectnet"].dialect


@pytest.mark.parametrize("name", [name for name in ELEVEN if WORLDS[name].unit == "sequence"])
def test_clips_are_as_many_as_the_corpus_has(name):
    world, counts = WORLDS[name], describe(name).counts
    per_clip = world.clips.frames
    clips = {split: number / per_clip for split, number in world.counts.items()}
    if name in ("elderreact", "emoreact"):
        assert clips == dict(counts)
    if name == "affwild2":
        assert {s: c / world.clips.per_video for s, c in clips.items()} == dict(counts)
    if name == "omg_emotion":
        assert all(0.9 < clips[split] / counts[split] < 1.1 for split in counts)
    if name == "fabo":
        assert 0.95 < clips["train"] / world.clips.per_video / counts["all"] < 1.05
    if name == "amigos":  # about a thousand frames each, one in 4 s
        assert 900 < world.counts["test"] / world.people["test"] < 1100
        frames = world.build("test", n=10, size=32)[1].frame.to_numpy()[:5]
        assert (np.diff(frames) == 100).all()


def test_people_are_those_of_the_corpus():
    ages = {name: WORLDS[name].population("train", 0)["age"] for name in ("elderreact", "emoreact", "amigos")}
    assert ages["elderreact"].min() >= 60
    assert ages["emoreact"].min() >= 4
    assert ages["emoreact"].max() <= 14
    women = WORLDS["jaffe"].population("train", 3)
    assert len(women) == 10
    assert women["male"].sum() == 0
    assert sum(WORLDS["elderreact"].people.values()) == 46
    assert sum(WORLDS["emoreact"].people.values()) == 63
    assert WORLDS["fabo"].people == {"train": 23}


def test_pictures_look_as_the_corpus_does():
    grey = {name for name, world in WORLDS.items() if world.channels == 1}
    assert grey == {"fer2013", "ferplus", "jaffe"}
    assert {name: WORLDS[name].size for name in ("fer2013", "jaffe", "affwild2")} == {
        "fer2013": 48, "jaffe": 256, "affwild2": 112,
    }  # fmt: skip
    unmasked, masked = (
        np.concatenate(list(WORLDS[name].build("train", n=24, size=48, seed=0)[0])).astype(float)
        for name in ("affectnet", "masked_affectnet")
    )
    assert WORLDS["masked_affectnet"].build("train", n=3, size=32)[2].masked.all()
    assert not WORLDS["affectnet"].build("train", n=3, size=32)[2].masked.any()
    # cloth has little structure: the lower half loses edges, the upper half keeps them
    edges = [np.abs(np.diff(x, axis=2))[:, :, 30:40, 16:32].mean() for x in (unmasked, masked)]
    assert edges[1] < 0.8 * edges[0]


def test_figures_have_sources():
    assert {figure.corpus for figure in FIGURES} <= set(ELEVEN)
    for figure in FIGURES:
        assert 0 < figure.value < 1
        assert len(figure.source) > 15
        assert len(figure.of) > 10
    for name, world in WORLDS.items():
        assert world.published == (published_of(name) if name != "masked_affectnet" else {})


def test_lexicons_hold_the_usual_variants_and_the_own():
    units, shares = lexicon({"fear": (2.0, 1.0, 1.0)}, {"fear": ((4.0, {27: 1.0}),)})
    k = FEELINGS.index("fear")
    assert shares[k, :4].tolist() == [0.25, 0.125, 0.125, 0.5]
    assert units[k, 3].sum() == 1
    assert np.allclose(shares.sum(1), 1)
    with pytest.raises(ValueError, match=r"dialect must name known feelings; got 'joy'. Choose from"):
        lexicon({"joy": (1.0,)}, {})
    with pytest.raises(ValueError, match=r"variants of fear must have 3 weights; got 1. Give one for each"):
        lexicon({"fear": (1.0,)}, {})
