"""One mask for several corpora: any plug-in, new weights by the seed, and no number that is not finite."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt import adapt, sharing
from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.face_stn import face_stn
from fer_lib.adapt.sharing import share_mask
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision
from fer_lib.train import Parts, Settings, seeded

FAST = Settings(batch_size=16, learning_rate=5e-3)
HEAD = Decision(hidden=(6,))


def corpus(task="categorical", seed=0):
    return Parts(*(small_faces(task, count=n, seed=seed + k) for k, n in enumerate((32, 16, 16))))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=16, inhibition=False)


def test_a_plug_in_that_reads_the_map_is_trained_as_adapt_trains_it(encoder):
    parts = corpus()
    options = {"epochs": 2, "settings": FAST, "head": HEAD}
    alone = share_mask(encoder, {"a": parts}, [0, 3], make=face_stn, **options)
    usual = adapt(
        encoder, parts.train, parts.validation, test=parts.test, plug_in="stn", seeds=[0, 3], **options
    ).rows
    assert alone["value"].tolist() == pytest.approx(usual["value"].tolist(), abs=1e-6)


def test_the_seed_draws_the_plug_in(encoder):
    corpora = {"a": corpus(), "b": corpus("valence_arousal", 7)}
    built = [sharing._build(encoder, corpora, HEAD, face_stn, seed) for seed in (0, 0, 1)]
    once, again, other = (
        {name: {n: v.clone() for n, v in tail.state_dict().items()} for name, tail in tails.items()}
        for tails in built
    )
    assert all(torch.equal(value, again[name][n]) for name in once for n, value in once[name].items())
    for part in ("plug_in.localisation.0.weight", "head.layers.1.weight"):
        assert not torch.equal(once["a"][part], other["a"][part])
        assert torch.equal(once["a"][part], once["b"][part])  # the same first weights in all
    lone = sharing._build(encoder, {"b": corpora["b"]}, HEAD, face_stn, 0)["b"].state_dict()
    assert all(torch.equal(value, lone[n]) for n, value in once["b"].items())


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (1e36, r"loss must be finite; got (nan|-?inf) for [ab] in epoch 1, batch 2 of 2\. Lower.*\(1e\+36\)"),
        (1e30, r"must be finite; got nan"),
    ],
)
def test_a_training_that_diverges_says_so_and_leaves_the_last_good_weights(encoder, rate, message):
    made = []

    def make(given):
        made.append(ciao(given))
        return made[-1]

    corpora = {"a": corpus(), "b": corpus("valence_arousal", 7)}
    settings = Settings(batch_size=16, learning_rate=rate, warmup=0.0)
    with pytest.raises(FloatingPointError, match=message):
        share_mask(encoder, corpora, [0], epochs=2, head=HEAD, settings=settings, make=make)
    fresh = ciao(encoder).state_dict()
    assert all(torch.equal(fresh[name], value) for name, value in made[0].state_dict().items())


def test_weights_that_break_with_the_last_step_are_found_in_the_validation_part(encoder):
    settings = Settings(
        batch_size=32, learning_rate=1e30, warmup=0.0
    )  # one step an epoch, its loss is finite
    with pytest.raises(FloatingPointError, match=r"must be finite; got nan or inf for b after epoch 1"):
        share_mask(encoder, {"b": corpus()}, [0], epochs=1, head=HEAD, settings=settings)


def test_the_best_epoch_is_kept(encoder, monkeypatch):
    scores, seen = iter([0.2, 0.7, 0.1]), []

    def score(name, tail, *_):
        seen.append({n: v.clone() for n, v in tail.state_dict().items()})
        return next(scores)

    tails = sharing._build(deepcopy(encoder).freeze(), {"a": corpus()}, HEAD, face_stn, 0)
    sets = {"a": [sharing.features_of(encoder, one, tails["a"].start) for one in sharing._three(corpus())]}
    monkeypatch.setattr(sharing, "_score", score)
    sharing._train(tails, sets, 3, 0, FAST)
    assert all(torch.equal(seen[1][n], v) for n, v in tails["a"].state_dict().items())
    assert any(not torch.equal(seen[2][n], v) for n, v in tails["a"].state_dict().items())


def other_classes():
    faces = small_faces(count=16, seed=1)
    return replace(faces, classes=("neutral", "happiness", "fear"))


@pytest.mark.parametrize(
    ("parts", "options", "message"),
    [
        ({}, {"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"validation": other_classes()}, {}, "validation of a must have the task and classes of train"),
        ({"test": small_faces("valence_arousal")}, {}, "test of a must have the task and classes of train"),
        ({"train": small_faces().subset(np.arange(1))}, {}, "a must hold 2 images to learn from.*got 1, 16"),
        ({}, {"settings": replace(FAST, patience=2)}, "patience must be None for a shared mask; got 2"),
        ({}, {"settings": replace(FAST, balance=0.5)}, r"balance must be 0\.0 for a shared mask; got 0\.5"),
        (
            {},
            {"settings": replace(FAST, select="loss")},
            "select must be 'score' for a shared mask; got 'loss'",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_encoded(encoder, monkeypatch, parts, options, message):
    monkeypatch.setattr(sharing, "features_of", lambda *_: pytest.fail("a face was encoded"))
    given = {"epochs": 1, "head": HEAD, "settings": FAST} | options
    whole = corpus()
    kept = {name: parts.get(name, getattr(whole, name)) for name in ("train", "validation", "test")}
    with pytest.raises(ValueError, match=message):
        share_mask(encoder, {"a": Parts(**kept)}, [0], **given)
