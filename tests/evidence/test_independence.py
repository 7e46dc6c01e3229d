"""Association of expression and trait, against an independent library."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib.evidence.independence import TRAITS, adjusted, association, fairness
from fer_lib.worlds import WORLDS


def _truth(rng, n=400, **columns):
    return pd.DataFrame({"prototype": rng.choice(list("abcd"), n), "age": rng.normal(40, 15, n)} | columns)


def test_equals_an_analysis_of_variance():
    truth = _truth(np.random.default_rng(0))
    line = association(truth).set_index("trait").loc["age"]
    expected = stats.f_oneway(*(part["age"] for _, part in truth.groupby("prototype")))
    assert line["p"] == pytest.approx(expected.pvalue)
    assert line["expected"] == pytest.approx(3 / 399)


def test_p_is_even_under_independence_and_small_without():
    rng = np.random.default_rng(1)
    p = [association(_truth(rng, 120))["p"].iloc[0] for _ in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    truth = _truth(rng)
    truth["age"] += 12 * (truth["prototype"] == "a")
    assert association(truth)["p"].iloc[0] < 1e-4


def test_frames_of_a_clip_count_once():
    rng = np.random.default_rng(2)
    clips = _truth(rng, 50).assign(clip=np.arange(50))
    frames = clips.loc[np.repeat(np.arange(50), 20)].reset_index(drop=True)
    left, right = association(frames), association(clips)
    pd.testing.assert_frame_equal(left, right)
    assert right["n"].iloc[0] == 50


def test_a_feeling_repeated_in_one_scene_counts_once():
    rng = np.random.default_rng(3)
    scenes = _truth(rng, 60).assign(light_key=rng.random(60))
    again = scenes.loc[np.repeat(np.arange(60), 4)].reset_index(drop=True).assign(clip=np.arange(240))
    assert association(again, traits=["age"])["n"].tolist() == [60]
    other = scenes.assign(prototype=scenes["prototype"] + "x")  # another feeling in the same scene counts
    assert association(pd.concat([scenes, other]), traits=["age"])["n"].tolist() == [120]


def test_holm_by_hand():
    assert adjusted(np.array([0.2, 0.01])).tolist() == pytest.approx([0.2, 0.02])
    assert adjusted(np.array([0.9, 0.8])).tolist() == [1, 1]


def test_worlds_tell_nothing_about_people_or_place():
    truths = {name: WORLDS[name].build("train", n=256, size=32)[2] for name in ("affectnet", "fer2013")}
    table = fairness(truths)
    assert table["world"].tolist() == ["affectnet", "fer2013"]
    assert (table["traits"] >= len(TRAITS) - 1).all()
    assert (table["p"] > 0.001).all()


def test_a_world_where_elders_are_angry_is_found_out():
    truth = WORLDS["affectnet"].build("train", n=256, size=32)[2]
    unfair = truth.assign(age=np.where(truth["prototype"] == "happiness", truth["age"] * 0.6, truth["age"]))
    table = fairness({"fair": truth, "unfair": unfair})
    assert table.loc[1, "trait"] == "age"
    assert table.loc[1, "p"] < 0.001
