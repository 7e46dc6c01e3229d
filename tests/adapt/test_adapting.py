"""One call adapts: what learns, what stays, what is refused; and grids that are never run twice."""

import copy
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from small_faces import small_faces

from fer_lib import adapt as room
from fer_lib import artifacts
from fer_lib.adapt import REGIMES, Cell, Plan, adapt, adapting, grid, run_cell, run_grid
from fer_lib.adapt.adapting import build_adaptable
from fer_lib.augment import Augmentation
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import Decision
from fer_lib.train import Parts, Settings, evaluate, predict, seeded
from fer_lib.train.device import device

FAST = Settings(batch_size=8, learning_rate=5e-3)


@pytest.fixture
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=16, dropout=0.0)


def sets(task="categorical"):
    return [small_faces(task, count=96, seed=seed) for seed in (0, 1, 2)]


@pytest.mark.parametrize("regime", REGIMES)
def test_given_encoder_is_not_touched_and_frozen_parts_keep_their_bits(encoder, regime):
    train, validation, test = sets()
    before = copy.deepcopy(encoder.state_dict())
    done = adapt(encoder, train, validation, test=test, regime=regime, epochs=1, settings=FAST)
    for name, value in encoder.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    after = done.models[0].encoder.state_dict()
    moved = {name for name in before if not torch.equal(after[name], before[name])}
    if regime == "decision":
        assert not moved
    elif regime == "last_conv":
        assert moved
        assert all(name.startswith("last_conv") for name in moved)
    else:
        assert any(name.startswith("trunk") for name in moved)
        assert any(name.startswith("last_conv") for name in moved)


@pytest.mark.parametrize("task", ["categorical", "distribution", "valence_arousal", "multi_label"])
def test_rows_tell_what_was_done(encoder, task):
    train, validation, test = sets(task)
    done = adapt(encoder, train, validation, test=test, seeds=[3, 4], epochs=2, settings=FAST)
    scores = {seed: evaluate(predict(done.models[seed], test), test) for seed in (3, 4)}
    for row in done.rows.itertuples():
        assert row.value == pytest.approx(scores[row.seed][row.metric], abs=1e-6)
        assert (row.regime, row.plug_in) == ("decision", "none")
        assert row.trained == 64 * (32 + 1) + (64 + 1) * done.models[3].head.outputs
    assert len(done.rows) == 2 * len(scores[3])
    assert (done.rows.groupby("metric")["value"].nunique() >= 1).all()


def test_it_learns_and_the_same_call_gives_the_same_numbers(encoder):
    train, validation, test = sets()
    first, again = (
        adapt(encoder, train, validation, test=test, regime="all", epochs=6, settings=FAST) for _ in range(2)
    )
    accuracy = first.rows.set_index("metric")["value"]["accuracy"]
    assert accuracy > 0.8
    pd.testing.assert_frame_equal(
        first.rows.drop(columns="seconds"), again.rows.drop(columns="seconds"), check_exact=True
    )


def test_without_a_test_set_the_validation_score_is_reported(encoder):
    train, validation, _ = sets()
    done = adapt(encoder, train, validation, epochs=1, settings=FAST)
    assert done.rows["metric"].tolist() == ["validation"]
    assert done.rows["value"].item() == done.fits[0].best_score


def test_rate_of_the_decision_layer_comes_first(encoder):
    train, validation, _ = sets()
    head = Decision(hidden=(), optimizer="sgd", learning_rate=0.25)
    done = adapt(
        encoder, train, validation, head=head, epochs=1, settings=Settings(warmup=0, schedule="constant")
    )
    assert done.fits[0].history["learning_rate"].tolist() == [0.25]


def test_the_decision_layers_optimiser_counts_without_a_rate(encoder):
    from fer_lib.adapt.adapting import _settings

    assert _settings(Settings(), Decision(optimizer="plain_sgd"), "decision").optimizer == "plain_sgd"
    assert _settings(Settings(), Decision(learning_rate=0.3), "decision").optimizer == "adamw"


def test_the_decision_layers_temperature_is_the_plug_ins_unless_it_names_its_own(encoder):
    train, _, _ = sets()
    build = partial(build_adaptable, encoder, train, regime="decision", plug_in="ciao", seed=0)
    head = Decision(temperature=0.02)
    plug = build(head=head, options={"denominator": "negatives"}).plug_in
    assert (plug.temperature, plug.denominator) == (0.02, "negatives")
    assert build(head=head, options={"temperature": 0.3}).plug_in.temperature == 0.3


def test_seeds_draw_the_first_weights_of_scratch(encoder):
    build = partial(build_adaptable, encoder, sets()[0], head=Decision(), regime="scratch", plug_in=None)
    first, second = (build(seed=seed).encoder.state_dict()["trunk.0.weight"] for seed in (0, 1))
    assert not torch.equal(first, second)


def test_the_seed_reaches_the_training(encoder, monkeypatch):
    train, validation, _ = sets()
    heard = []
    own = adapting.fit
    monkeypatch.setattr(adapting, "fit", lambda *a, **k: heard.append(k["seed"]) or own(*a, **k))
    adapt(encoder, train, validation, seeds=[3, 8], epochs=1, settings=FAST)
    assert heard == [3, 8]


def test_views_are_trained_on(encoder):
    train, validation, _ = sets()
    one, three = (
        adapt(encoder, train, validation, epochs=2, settings=FAST, views=views).fits[0].history["train_loss"]
        for views in (1, 3)
    )
    assert one.tolist() != three.tolist()


def test_every_regime_learns_at_its_own_rate(encoder, monkeypatch):
    train, validation, _ = sets()
    heard, own = [], adapting.fit
    monkeypatch.setattr(adapting, "fit", lambda *a, **k: heard.append(k["settings"]) or own(*a, **k))
    for regime in REGIMES:
        adapt(encoder, train, validation, regime=regime, epochs=1)
    rates = {regime: one.learning_rate for regime, one in zip(REGIMES, heard, strict=True)}
    assert rates == {"scratch": 2e-3, "all": 1e-3, "last_conv": 1e-3, "decision": 2e-3}


def test_a_model_of_kept_features_lies_on_one_device(encoder, monkeypatch):
    moved = []
    train, validation, _ = sets()
    adapt(encoder, train, validation, epochs=1, settings=FAST)
    own = FaceChannel.to
    monkeypatch.setattr(FaceChannel, "to", lambda self, *a, **k: moved.append((a, k)) or own(self, *a, **k))
    adapt(encoder, train, validation, epochs=1, settings=FAST)  # nothing is encoded now
    assert ((device(),), {}) in moved


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"options": {"temperature": 1.0}}, "options must be empty without a plug-in"),
        ({"regime": "most"}, "regime must be one of scratch, all, last_conv, decision; got 'most'"),
        ({"plug_in": "magic"}, "plug_in must be one of .*; got 'magic'"),
        (
            {"settings": Settings(augmentation=Augmentation())},
            "augmentation must be None for cached features",
        ),
        ({"regime": "all", "views": 2}, "views must be 1 where images are encoded anew; got 2"),
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
    ],
)
def test_bad_wishes_are_refused(encoder, options, message):
    train, validation, _ = sets()
    with pytest.raises(ValueError, match=message):
        adapt(encoder, train, validation, **options)


def test_a_test_set_of_other_classes_is_refused(encoder):
    train, validation, test = sets()
    with pytest.raises(ValueError, match="test must have the task and classes of train"):
        adapt(encoder, train, validation, test=test.as_task("multi_label"), epochs=1)


def test_classes_that_differ_between_the_sets_are_refused(encoder):
    import dataclasses

    train, validation, _ = sets()
    other = dataclasses.replace(validation, classes=("neutral", "anger", "surprise"))
    with pytest.raises(ValueError, match=r"validation must have the task and classes of train .*got .*anger"):
        adapt(encoder, train, other)


@pytest.fixture
def small_grid(encoder, monkeypatch):
    """A grid over two data sets that need no world and no pre-training."""
    opened = []

    def parts_of(cell, plan):
        opened.append(cell.dataset)
        seed = len(cell.dataset)
        return Parts(*(small_faces(count=24, seed=seed + k) for k in range(3)))

    monkeypatch.setattr(grid, "parts_of", parts_of)
    monkeypatch.setattr(grid, "decision_of", lambda cell, plan: plan.decision)
    monkeypatch.setattr(grid._Opened, "encoder", lambda self, cell: encoder)
    return opened


CELLS = [Cell("a"), Cell("bb", regime="last_conv"), Cell("a", regime="all")]
PLAN = Plan("smoke", epochs={"decision": 2, "last_conv": 1, "all": 1}, settings=FAST)


def test_grid_rows_are_those_of_the_single_runs(small_grid, encoder):
    rows = run_grid(CELLS, [0, 1], PLAN)
    assert list(dict.fromkeys(zip(rows["dataset"], rows["regime"], strict=True))) == [
        ("a", "decision"), ("bb", "last_conv"), ("a", "all"),
    ]  # fmt: skip
    done, parts = run_cell(CELLS[0], [1], PLAN)
    mine = rows[(rows["dataset"] == "a") & (rows["regime"] == "decision") & (rows["seed"] == 1)]
    assert mine["value"].tolist() == pytest.approx(done.rows["value"].tolist(), abs=1e-12)
    assert done.models[1].head.outputs == 3
    assert len(parts.train) == 24
    assert set(rows.columns) >= {"encoder", "plug_in", "task", "options", "trained", "seconds", "device"}


def test_finished_runs_are_read_and_each_stands_alone(small_grid, monkeypatch):
    first = run_grid(CELLS, [0, 1], PLAN)
    paths = sorted((artifacts.home() / grid.SHELF).glob("*.json"))
    assert len(paths) == 6
    monkeypatch.setattr(grid, "adapt", lambda *_, **__: pytest.fail("a finished run was run again"))
    pd.testing.assert_frame_equal(run_grid(CELLS, [0, 1], PLAN), first)
    monkeypatch.undo()


def test_stopped_grid_goes_on_where_it_was(small_grid, monkeypatch):
    whole = run_grid(CELLS, [0], PLAN)
    paths = sorted((artifacts.home() / grid.SHELF).glob("*.json"))
    paths[0].unlink()
    real, calls = grid.adapt, []
    monkeypatch.setattr(grid, "adapt", lambda *args, **given: (calls.append(1), real(*args, **given))[1])
    again = run_grid(CELLS, [0], PLAN)
    assert len(calls) == 1
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), whole.drop(columns="seconds"))


@pytest.mark.parametrize(
    "plan",
    [
        Plan("smoke", epochs=1, settings=FAST),
        Plan("smoke", epochs=PLAN.epochs, settings=Settings(batch_size=12)),
        Plan("smoke", epochs=PLAN.epochs, settings=FAST, decision=Decision(hidden=())),
    ],
)
def test_another_plan_is_another_run(small_grid, plan):
    run_grid(CELLS[:1], [0], PLAN)
    run_grid(CELLS[:1], [0], plan)
    assert len(list((artifacts.home() / grid.SHELF).glob("*.json"))) == 2


def test_another_encoder_is_another_run(small_grid, monkeypatch):
    run_grid(CELLS[:1], [0], PLAN)
    with seeded(7):
        other = FaceChannel(width=0.125, size=16, dropout=0.0)
    monkeypatch.setattr(grid._Opened, "encoder", lambda self, cell: other)
    run_grid(CELLS[:1], [0], PLAN)
    assert len(list((artifacts.home() / grid.SHELF).glob("*.json"))) == 2


def test_a_plan_must_know_every_regime(small_grid):
    with pytest.raises(ValueError, match="epochs of the plan must name decision; got all"):
        run_grid([Cell("a")], [0], Plan("smoke", epochs={"all": 1}))


def test_damaged_run_is_named(small_grid):
    run_grid(CELLS[:1], [0], PLAN)
    path = next((artifacts.home() / grid.SHELF).glob("*.json"))
    path.write_text(path.read_text()[:40])
    with pytest.raises(
        DataError, match=f"{path.name}: must hold the rows of a finished run.*Delete the file"
    ):
        run_grid(CELLS[:1], [0], PLAN)
    path.write_text(json.dumps([]))
    assert run_grid(CELLS[:1], [0], PLAN).empty


def test_everything_is_exported():
    assert {"adapt", "features_of", "run_grid", "Cell", "Plan", "PLUG_INS"} <= set(room.__all__)
    assert np.all([hasattr(room, name) for name in room.__all__])
