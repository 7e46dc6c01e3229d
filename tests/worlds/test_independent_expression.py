"""Who is pictured, where and how, tells nothing about what is shown: association measures within chance."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib.worlds import WORLDS

WHO = ("age", "skin_tone", "male", "yaw_deg", "pitch_deg", "roll_deg", "scale", "exposure")
WHERE = ("light_azimuth_deg", "light_elevation_deg", "light_key", "second_key")
FEELINGS = ("valence", "arousal", "intensity", "au_12", "au_4")
ALPHA = 0.001
TESTS = len(WORLDS) * (len(WHO) + len(WHERE) + 1) * (len(FEELINGS) + 1)


def people_once(name):
    """Truth with a row a person (jaffe: one of each expression), over as many seeds as it takes."""
    world = WORLDS[name]
    if world.clips is None and not world.sittings:
        return world.build("train", n=896, size=32, seed=0)[2]
    people = world.people["train"]
    rows = people * world.clips.frames if world.clips else 7 * people
    seeds = range(-(-280 // people))
    truth = pd.concat([world.build("train", n=rows, size=32, seed=seed)[2] for seed in seeds])
    return truth[:: world.clips.frames] if world.clips else truth


def chances(truth):
    """p values of all pairs: numbers by correlation, numbers and kinds by ranks, kinds by chi squared."""
    found = {}
    common = truth.prototype.map(truth.prototype.value_counts()) >= 10
    for column in (*WHO, *WHERE):
        values = truth[column].to_numpy(dtype=float)
        if np.ptp(values) == 0:
            continue
        for feeling in FEELINGS:
            found[column, feeling] = stats.spearmanr(values, truth[feeling]).pvalue
        groups = [values[common & (truth.prototype == kind)] for kind in truth.prototype[common].unique()]
        found[column, "prototype"] = stats.kruskal(*groups).pvalue
    table = pd.crosstab(truth.place, truth.prototype)
    table = table.loc[table.sum(axis=1) >= 10, table.sum(axis=0) >= 10]
    if min(table.shape) > 1:
        found["place", "prototype"] = stats.chi2_contingency(table).pvalue
    return found


@pytest.mark.parametrize("name", list(WORLDS))
def test_expression_is_independent_of_people_pose_and_light(name):
    found = chances(people_once(name))
    assert len(found) > 30
    worst = min(found, key=found.get)
    assert found[worst] > ALPHA / TESTS, f"{worst}: p = {found[worst]:.2g}"


def test_a_dependence_would_be_found():
    truth = people_once("affectnet")
    order = truth.valence + 1.5 * np.random.default_rng(0).standard_normal(len(truth))
    truth["age"] = np.sort(truth.age.to_numpy())[stats.rankdata(order).astype(int) - 1]
    assert min(chances(truth).values()) < ALPHA / TESTS


@pytest.mark.parametrize("name", ["elderreact", "emoreact", "affectnet"])
def test_everybody_shows_everything(name):
    """Cramer's V of person and prototype is what chance gives; moods of videos apart."""
    world = WORLDS[name]
    people = {split: 16 for split in world.people}
    repeat = world.clips.frames if world.clips else 1
    truth = replace(world, people=people).build("train", n=640 * repeat, size=32, seed=3)[2][::repeat]
    table = pd.crosstab(truth.identity, truth.prototype)
    table = table.loc[:, table.sum(axis=0) > 60]
    assert table.shape == (16, table.shape[1])
    assert stats.chi2_contingency(table).pvalue > 0.001 / 3
