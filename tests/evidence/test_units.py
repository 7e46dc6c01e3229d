"""Action units read off pictures: the instrument, and the arithmetic of its report."""

import numpy as np
import pytest
import torch

from fer_lib import worlds
from fer_lib.evidence import units
from fer_lib.metrics import pearson


@pytest.fixture(scope="module")
def faces():
    return units.unit_faces(130, size=32, seed=3)


def test_units_know_nothing_of_each_other_but_in_the_groups():
    drawn = units.independent_units(40_000, torch.Generator().manual_seed(0))[:, :, 0].numpy()
    active = drawn > 0
    grouped = {number for group in units.EXCLUDE for number in group}
    free = [k for k, number in enumerate(worlds.NUMBERS) if number not in grouped]
    between = np.corrcoef(drawn[:, free].T)[np.triu_indices(len(free), 1)]
    assert np.abs(between).max() < 4.5 / np.sqrt(len(drawn))  # sampling error of a correlation of zero
    assert active[:, free].mean() == pytest.approx(0.25, abs=0.005)
    for group in units.EXCLUDE:
        together = active[:, [worlds.NUMBERS.index(number) for number in group]].sum(1)
        assert together.max() == 1


def test_faces_hold_the_intensities_that_were_rendered(faces):
    again = units.unit_faces(130, size=32, seed=3)
    assert np.array_equal(faces.images, again.images)
    assert not np.array_equal(faces.images, units.unit_faces(130, size=32, seed=4).images)
    smiling = faces.table["state_au_27"] > 0.8
    resting = (faces.targets().numpy()[:, -4:-1] == 0).all(1)
    mouth = faces.images[:, 0, 20:29, 12:20].astype(float).mean((1, 2))
    assert mouth[smiling].mean() < mouth[resting].mean()  # a stretched mouth is dark inside


def test_report_equals_correlations_in_loops(faces):
    rng = np.random.default_rng(0)
    pred = faces.targets().numpy() + rng.normal(0, 0.3, (130, 20))
    found = units.report(pred, faces, resamples=20)
    assert found.units["r"].to_numpy() == pytest.approx(pearson(pred, faces.targets().numpy()))
    assert (found.units["low"] < found.units["r"]).all()
    age, target = faces.truth["age"].to_numpy(), faces.targets().numpy()
    rows = found.groups.set_index("group")
    for name, inside in {"children": age < 16, "elders": age >= 60}.items():
        by_hand = [np.corrcoef(pred[inside, k], target[inside, k])[0, 1] for k in range(20)]
        assert rows.loc[name, "r"] == pytest.approx(np.nanmean(by_hand))
        assert rows.loc[name, "faces"] == inside.sum()
    gap = found.gaps.set_index("group").loc["dark", "gap"]
    assert gap == pytest.approx(rows.loc["dark", "r"] - rows.loc["light", "r"])
    page = found.table().set_index("group")
    assert page.loc["light", "gap"] == ""
    assert page.loc["dark", "gap"].startswith(f"{gap:+.3f} [")


def test_a_reader_that_sees_dark_skin_badly_shows_in_the_gap(faces):
    rng = np.random.default_rng(1)
    noise = np.where(faces.truth["skin_tone"] > 2 / 3, 2.0, 0.05)[:, None]
    pred = faces.targets().numpy() + noise * rng.normal(size=(130, 20))
    gaps = units.report(pred, faces, resamples=50).gaps.set_index("group")
    assert gaps.loc["dark", "high"] < -0.3
    assert abs(gaps.loc["middle", "gap"]) < 0.1


def test_regressor_learns(faces):
    few = faces.subset(np.arange(64))
    model, history = units.unit_regressor(few, epochs=14, width=0.125)
    assert history["train_loss"].iloc[-1] < 0.8 * history["train_loss"].iloc[0]
    rep = units.read_units(model, few, resamples=10)
    assert rep.mean == pytest.approx(rep.units["r"].mean())
