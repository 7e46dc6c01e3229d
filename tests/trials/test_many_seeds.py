"""Many seeds of a trial: all at once or side by side as one by one, and finished ones are never run again."""

import dataclasses

import numpy as np
import pytest
import torch

from fer_lib import artifacts
from fer_lib.encoders import FaceChannel
from fer_lib.train import Settings, seeded
from fer_lib.train.parallel import cores
from fer_lib.trials import Plan, Variant, both_parts, run
from fer_lib.trials import runs as module
from fer_lib.trials.other_way import other_way

PLAN = Plan(epochs=2, settings=Settings(batch_size=16, learning_rate=3e-3), embedding=8)
VARIANTS = [
    Variant("joint", affect="ccc"),
    Variant("local", metric="center_local"),
]  # the second cannot be stacked
SEEDS = [0, 1, 2]


@pytest.fixture(scope="module")
def parts():
    return both_parts("world:affectnet", size=32, limits=(90, 40))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32, dropout=0.0).eval()


@pytest.fixture(scope="module")
def alone(parts, encoder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("alone")))
        patch.setenv("FER_STACK", "1")
        return run(VARIANTS, SEEDS, PLAN, parts, encoder)


def assert_same(found, wanted, atol):
    columns = ["model", "seed", "metric"]
    assert found.rows[columns].equals(wanted.rows[columns])
    for column in ("value", "validation", "trained"):
        np.testing.assert_allclose(found.rows[column], wanted.rows[column], rtol=0, atol=atol)
    for which in wanted.folders:
        mine, theirs = found.arrays(*which), wanted.arrays(*which)
        assert set(mine) == set(theirs)
        for name, values in theirs.items():
            np.testing.assert_allclose(mine[name], values, rtol=0, atol=atol)
        weights = found.tensors(*which)
        assert set(weights) == set(wanted.tensors(*which))
        for name, values in wanted.tensors(*which).items():
            torch.testing.assert_close(weights[name], values, rtol=0, atol=atol)


@pytest.mark.parametrize("regime", ["last_conv", "decision"])
def test_a_stack_gives_what_one_by_one_gives(regime, alone, parts, encoder, tmp_path, monkeypatch):
    plan, wanted = dataclasses.replace(PLAN, regime=regime), alone
    monkeypatch.setenv("FER_HOME", str(tmp_path / "one"))
    if regime != PLAN.regime:
        wanted = run(VARIANTS, SEEDS, plan, parts, encoder)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "stack"))
    monkeypatch.setenv("FER_STACK", "2")
    stacks = []
    monkeypatch.setattr(module, "fit_together", noting(module.fit_together, stacks))
    assert_same(run(VARIANTS, SEEDS, plan, parts, encoder), wanted, 1e-4)
    assert stacks == [[0, 1]]  # the third is alone; the second variant goes one by one
    run(VARIANTS, [*SEEDS, 3, 4], plan, parts, encoder)
    assert stacks == [[0, 1], [3, 4]]  # finished seeds are read


def test_the_other_way_in_a_stack_as_one_by_one(parts, encoder, tmp_path, monkeypatch):
    tried = {"alone": 0.0, "both": 1.0}
    monkeypatch.setenv("FER_HOME", str(tmp_path / "one"))
    monkeypatch.setenv("FER_STACK", "1")
    wanted = other_way(tried, SEEDS, PLAN, parts, encoder)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "stack"))
    monkeypatch.setenv("FER_STACK", "2")
    stacks = []
    monkeypatch.setattr(module, "fit_together", noting(module.fit_together, stacks))
    assert_same(other_way(tried, SEEDS, PLAN, parts, encoder), wanted, 1e-4)
    assert stacks == [[0, 1], [0, 1]]
    other_way(tried, [*SEEDS, 3, 4], PLAN, parts, encoder)
    assert stacks == [[0, 1], [0, 1], [3, 4], [3, 4]]  # finished seeds are read


def noting(inner, seen):
    def outer(*given, **options):
        seen.append(options["seeds"])
        return inner(*given, **options)

    return outer


def test_a_stopped_run_goes_on_with_the_next_seed(alone, parts, encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    whole, trained = module.fit, []

    def stopping(*given, **options):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(options["seed"])
        return whole(*given, **options)

    monkeypatch.setattr(module, "fit", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(VARIANTS, SEEDS, PLAN, parts, encoder)
    assert len([path for path in (artifacts.home() / "trials").iterdir() if path.is_dir()]) == 2
    trained.clear()
    monkeypatch.setattr(module, "fit", noting_seed(whole, trained))
    assert_same(run(VARIANTS, SEEDS, PLAN, parts, encoder), alone, 0)
    assert trained == [2, 0, 1, 2]


def noting_seed(inner, seen):
    def outer(*given, **options):
        seen.append(options["seed"])
        return inner(*given, **options)

    return outer


@pytest.mark.skipif(cores() < 2 or torch.cuda.is_available(), reason="needs two cores, no card")
def test_side_by_side_to_the_bit(parts, encoder, tmp_path, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = []
        for processes in (1, 2):
            monkeypatch.setenv("FER_HOME", str(tmp_path / str(processes)))
            found.append(run(VARIANTS, SEEDS, PLAN, parts, encoder, processes=processes))
    finally:
        torch.set_num_threads(before)
    assert_same(found[1], found[0], 0)
