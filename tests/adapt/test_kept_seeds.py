"""What is trained once a seed is kept: looks into cells, shared masks, coders; a stopped call goes on."""

import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from as_if_apart import as_if_apart
from small_faces import small_faces

from fer_lib import artifacts
from fer_lib.adapt import Cell, Plan, adapt, adapting, grid, run_cell, run_grid, sharing
from fer_lib.adapt.adapting import folder_for
from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.sharing import share_mask
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision
from fer_lib.train import Parts, Settings, seeded
from fer_lib.train.parallel import cores

SETTINGS = Settings(batch_size=16, learning_rate=3e-3)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def parts():
    faces = small_faces(count=60)
    return Parts(*(faces.subset(slice(*rows)) for rows in ((0, 36), (36, 48), (48, 60))))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=16, dropout=0.0).eval()


class Counted:
    """A function that notes the epochs it really ran, and may be told to stop the work."""

    def __init__(self, inner, stop_after=10**6):
        self.inner, self.calls, self.stop_after = inner, 0, stop_after

    def __call__(self, *given, **options):
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        return self.inner(*given, **options)


@pytest.fixture
def epochs_run(monkeypatch):
    """How many epochs were trained."""
    from fer_lib.train.loop import _Training

    seen = []
    whole = _Training.one_epoch
    monkeypatch.setattr(_Training, "one_epoch", lambda self, n: (seen.append(n), whole(self, n))[1])
    return seen


def test_an_adaptation_with_a_folder_opens_its_seeds(parts, encoder, epochs_run):
    options = {"test": parts.test, "epochs": 2, "settings": SETTINGS, "head": Decision((8,))}
    without = adapt(encoder, parts.train, parts.validation, seeds=[0, 1], **options)
    folder = folder_for("tried", encoder, parts, epochs=2)
    assert folder != folder_for("tried", encoder, parts, epochs=3)
    epochs_run.clear()
    adapt(encoder, parts.train, parts.validation, seeds=[0], folder=folder, **options)
    found = adapt(encoder, parts.train, parts.validation, seeds=[0, 1], folder=folder, **options)
    assert epochs_run == [0, 1, 0, 1]  # each seed once
    drop = partial(pd.DataFrame.drop, columns="seconds")
    pd.testing.assert_frame_equal(drop(found.rows), drop(without.rows), check_exact=True)
    for seed in (0, 1):
        assert np.array_equal(found.predictions[seed], without.predictions[seed])
        for name, value in without.models[seed].state_dict().items():
            assert torch.equal(found.models[seed].state_dict()[name], value)


def test_seeds_of_a_folder_go_side_by_side(parts, encoder, epochs_run, monkeypatch):
    options = {"test": parts.test, "epochs": 1, "settings": SETTINGS, "head": Decision((8,))}
    train = partial(adapt, encoder, parts.train, parts.validation, seeds=[0, 1], **options)
    alone, calls = train(), as_if_apart(monkeypatch)
    apart = train(folder=folder_for("tried", encoder, parts))
    assert (calls, epochs_run) == ([2], [0] * 4)
    for seed in (0, 1):
        assert np.array_equal(apart.predictions[seed], alone.predictions[seed])


@pytest.mark.parametrize("regime", ["decision", "last_conv", "all"])
def test_an_adaptation_in_stacks_is_that_of_one_by_one(regime, parts, encoder, monkeypatch):
    options = {
        "test": parts.test,
        "epochs": 3,
        "settings": SETTINGS,
        "head": Decision((8,)),
        "regime": regime,
    }
    monkeypatch.setenv("FER_STACK", "1")
    alone = adapt(encoder, parts.train, parts.validation, seeds=[0, 1, 2], **options)
    monkeypatch.setenv("FER_STACK", "2")
    told, stacks = [], []
    whole = adapting.fit_together
    monkeypatch.setattr(adapting, "fit_together", lambda *a, **k: stacks.append(k["seeds"]) or whole(*a, **k))
    found = adapt(
        encoder, parts.train, parts.validation, seeds=[0, 1, 2], **options,
        on_seed=lambda seed, rows, model: told.append((seed, len(rows), model)),
    )  # fmt: skip
    assert stacks == ([] if regime == "all" else [[0, 1]])  # the third is alone
    assert [(seed, count) for seed, count, _ in told] == [(seed, len(found.rows) // 3) for seed in (0, 1, 2)]
    same = ["seed", "regime", "metric", "trained", "device"]
    pd.testing.assert_frame_equal(found.rows[same], alone.rows[same])
    for column in ("value", "validation"):
        np.testing.assert_allclose(found.rows[column], alone.rows[column], rtol=0, atol=1e-4)
    for seed, _, model in told:
        assert model is found.models[seed]
        np.testing.assert_allclose(found.predictions[seed], alone.predictions[seed], rtol=0, atol=1e-4)
        for name, value in alone.models[seed].state_dict().items():
            torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=1e-4)


def test_a_grid_keeps_each_seed_of_a_stack(parts, encoder, monkeypatch):
    monkeypatch.setattr(grid, "parts_of", lambda cell, plan: parts)
    monkeypatch.setattr(grid._Opened, "encoder", lambda self, cell: encoder)
    monkeypatch.setenv("FER_STACK", "2")
    plan = Plan(profile="smoke", epochs=2, settings=SETTINGS, decision=Decision((8,)))
    whole, done, asked = grid.adapt, [], []

    def noted(*given, on_seed, **options):
        asked.append(options["seeds"])
        return whole(*given, **options, on_seed=lambda *told: (on_seed(*told), done.append(told[0])))

    with monkeypatch.context() as patch:
        patch.setattr(grid, "adapt", noted)
        run_grid([Cell("world:jaffe")], [1], plan)
        found = run_grid([Cell("world:jaffe")], [0, 1, 2, 3], plan)
    assert (asked, done) == ([[1], [0], [2, 3]], [1, 0, 2, 3])  # what is there is not asked for again
    assert found["seed"].drop_duplicates().tolist() == [0, 1, 2, 3]
    assert len(list((artifacts.home() / "runs").glob("*.json"))) == 4
    failing = fit_of_second_fails(adapting.fit_together)
    monkeypatch.setattr(adapting, "fit_together", failing)
    monkeypatch.setattr(adapting, "fit", failing)
    with pytest.raises(FloatingPointError):
        run_grid([Cell("world:jaffe")], [4, 5], plan)
    assert len(list((artifacts.home() / "runs").glob("*.json"))) == 5  # the other of the stack is kept


def fit_of_second_fails(inner):
    """The second of a stack fails, and fails again when it is tried alone."""

    def outer(*given, **options):
        error = FloatingPointError("loss must be finite")
        if "seeds" not in options:
            raise error
        first, _ = inner(*given, **options)
        return [first, error]

    return outer


def test_a_look_into_a_cell_trains_each_seed_once(parts, encoder, epochs_run, monkeypatch):
    monkeypatch.setattr(grid, "parts_of", lambda cell, plan: parts)
    monkeypatch.setattr(grid._Opened, "encoder", lambda self, cell: encoder)
    plan = Plan(profile="smoke", epochs=2, settings=SETTINGS, decision=Decision((8,)))
    cell = Cell("world:jaffe")
    first, _ = run_cell(cell, [0], plan)
    both, _ = run_cell(cell, [0, 1], plan)
    assert epochs_run == [0, 1, 0, 1]
    assert np.array_equal(first.predictions[0], both.predictions[0])
    run_cell(cell, [0], Plan(profile="smoke", epochs=3, settings=SETTINGS, decision=Decision((8,))))
    assert epochs_run == [0, 1, 0, 1, 0, 1, 2]  # another plan is another training


def test_a_shared_mask_that_is_stopped_goes_on_with_the_next_seed(parts, encoder, monkeypatch):
    whole = sharing._train
    share = partial(share_mask, encoder, {"small": parts}, epochs=1, head=Decision((8,)))
    wanted = share([0, 1], make=lambda one: ciao(one))  # nothing is kept
    assert not (artifacts.home() / "shared_masks").exists()
    monkeypatch.setattr(sharing, "_train", Counted(whole, stop_after=1))
    with pytest.raises(KeyboardInterrupt):
        share([0, 1])
    monkeypatch.setattr(sharing, "_train", counted := Counted(whole))
    pd.testing.assert_frame_equal(share([0, 1]), wanted, check_exact=True)
    assert counted.calls == 1
    share([0, 1], epochs=2)
    assert counted.calls == 3


def test_coders_of_a_study_are_kept(monkeypatch):
    from fer_lib.pretrain import kept, predictive
    from fer_lib.train.parts import load_parts

    parts = load_parts("world:affectnet", ["valence_arousal"], size=32, limits=(80, 40))
    recipe = predictive.recipe("smoke") | {"epochs": 1, "size": 32}
    study = partial(kept.coding_study, {"a": {}, "b": {"temperature": 0.5}}, parts, recipe=recipe)
    monkeypatch.setattr(predictive, "train", counted := Counted(predictive.train, stop_after=3))
    with pytest.raises(KeyboardInterrupt):
        study([0, 1])
    counted.stop_after = 10**6
    found = study([0, 1])
    assert counted.calls == 4
    again = study([0, 1])
    assert counted.calls == 4
    monkeypatch.setenv("FER_HOME", str(artifacts.home() / "other"))
    anew = study([0, 1])
    for other in (again, anew):
        columns = ["seed", "model", "metric", "value"]
        pd.testing.assert_frame_equal(other.rows[columns], found.rows[columns], check_exact=True)


def test_a_judge_is_trained_once(epochs_run):
    from fer_lib.evidence.editing import train_judge
    from fer_lib.train.parts import load_parts

    parts = load_parts("world:affectnet", ["valence_arousal"], size=32, limits=(60, 30))
    first, again = (train_judge(parts, epochs=2) for _ in range(2))
    assert epochs_run == [0, 1]
    for name, value in first.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


@pytest.mark.skipif(cores() < 2 or torch.cuda.is_available(), reason="needs two cores, no card")
def test_cells_side_by_side_give_the_same_rows(tmp_path, monkeypatch):
    plan = Plan(
        profile="smoke", epochs=1, settings=SETTINGS, decision=Decision((8,)), size=32, limits=(40, 20)
    )
    cells = [Cell("world:jaffe", regime=regime) for regime in ("decision", "last_conv")]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = run_grid(cells, [0, 1], plan)
        shutil.rmtree(artifacts.home() / "runs")
        monkeypatch.setenv("FER_PROCESSES", "2")
        monkeypatch.setattr(grid, "_adapted", None)  # nothing is trained here: rows are read
        apart = run_grid(cells, [0, 1], plan)
    finally:
        torch.set_num_threads(before)
    pd.testing.assert_frame_equal(
        apart.drop(columns="seconds"), alone.drop(columns="seconds"), check_exact=True
    )
