"""Rows of single videos: errors worked out by hand, the place of painting, and what a short video lacks."""

import inspect

import numpy as np
import pandas as pd
import pytest

from fer_lib.memory import AffectiveMemory
from fer_lib.memory.claim_rows import PAINTED, person_rows, pseudo_values
from fer_lib.metrics import ccc

OWN = "PK all, this page's"


def video(name, frames, *, setting="memory", seed=0, wrong=(0.1, 0.3), prior=(0.2, 0.2), activity=None):
    """Frames whose answers are off by ``wrong`` (painting, later), the prior's by ``prior``; labels are 0."""
    late = np.arange(frames) >= PAINTED
    seen = np.zeros(frames) if activity is None else np.asarray(activity, float)
    rows = {"setting": setting, "seed": seed, "video": name, "utterance": 0, "activity": seen}
    for axis, sign in (("valence", 1), ("arousal", -1)):
        rows |= {f"told_{axis}": 0.0, f"true_{axis}": np.nan}
        rows |= {
            axis: sign * np.where(late, wrong[1], wrong[0]),
            f"prior_{axis}": np.where(late, *prior[::-1]),
        }
    return pd.DataFrame(rows)


def found_in(*videos):
    return pd.DataFrame(person_rows(pd.concat(videos), "world:omg_emotion", "smoke"))


def test_painting_ends_where_the_memory_ends_it():
    assert inspect.signature(AffectiveMemory).parameters["paint_until"].default == PAINTED


def test_errors_of_a_video_while_painting_and_after():
    rows = found_in(video("b", 2 * PAINTED), video("a", 2 * PAINTED, wrong=(0.5, 0.5), prior=(0.4, 0.1)))
    table = rows.set_index(["table", "row", "column", "seed"])["value"]
    third = "Table 3, by video"
    assert table[third, "P-AffMem", "Valence", 1] == pytest.approx(0.2)  # b is second; answers are averaged
    assert table[third, OWN, "Arousal", 0] == pytest.approx(0.25)
    for column, memory, prior in (("start", 0.1, 0.2), ("after the start", 0.3, 0.2)):
        for axis in ("Valence", "Arousal"):
            assert table["Fig 3, by video", "P-AffMem", f"{axis}, {column}", 1] == pytest.approx(memory)
            assert table["Fig 3, by video", OWN, f"{axis}, {column}", 1] == pytest.approx(prior)
    assert table["Fig 3, by video", OWN, "Valence, after the start", 0] == pytest.approx(0.1)
    assert set(rows["paper"]) == {"p-affmem"}
    assert set(rows["profile"]) == {"smoke"}


def test_seeds_of_a_memory_are_averaged_and_the_first_frame_is_left_out():
    rows = found_in(
        video("a", 6, activity=[9, 0.2, 0.4, 0.5, 0.6, 0.7]),
        video("a", 6, seed=1, wrong=(0.3, 0), activity=[9, 0.4, 0.6, 0.7, 0.8, 0.9]),
    )
    table = rows.set_index(["table", "row", "column"])["value"]
    assert table["Table 3, by video", "P-AffMem", "Valence"] == pytest.approx(0.2)
    assert table["Fig 3, by video", "P-AffMem", "Valence, start"] == pytest.approx(0.2)
    assert table["Fig 3, by video", "P-AffMem", "first half"] == pytest.approx(0.4)
    assert table["Fig 3, by video", "P-AffMem", "second half"] == pytest.approx(0.7)
    assert not any("after" in column for column in rows["column"])  # it painted to the end


def test_other_settings_have_no_prior_of_their_own():
    rows = found_in(video("a", 4), video("a", 4, setting="start only", wrong=(0.4, 0)))
    third = rows[(rows["table"] == "Table 3, by video") & (rows["column"] == "Valence")]
    assert len(third) == 3
    third = third.set_index("row")["value"].round(9).to_dict()
    assert third == {"P-AffMem": 0.1, OWN: 0.2, "start only": 0.4}
    along = rows[rows["column"] == "Valence, start"].set_index("row")["value"].round(9)
    assert along.to_dict() == {"P-AffMem": 0.1, OWN: 0.2}
    with pytest.raises(ValueError, match="must hold the setting 'memory'"):
        person_rows(video("a", 4, setting="start only"), "world:omg_emotion", "smoke")


def test_shares_of_a_ccc_leave_one_person_out():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 6)
    target = rng.normal(size=40)[people] + rng.normal(size=240)
    pred = target + rng.normal(size=240)
    found = pseudo_values(pred, target, people)
    rest = people != 7
    assert found[7] == pytest.approx(40 * ccc(pred, target) - 39 * ccc(pred[rest], target[rest]))
    values = np.array(list(found.values()))
    assert values.mean() == pytest.approx(ccc(pred, target), abs=0.01)
    drawn = []
    for _ in range(300):
        who = np.concatenate([np.flatnonzero(people == one) for one in rng.integers(0, 40, 40)])
        drawn.append(ccc(pred[who], target[who]))
    assert values.std(ddof=1) / 40**0.5 == pytest.approx(np.std(drawn), rel=0.3)  # the bootstrap over people
    with pytest.raises(ValueError, match="groups must hold 2 or more; got 1"):
        pseudo_values(pred, target, np.zeros(240))


def test_shares_of_videos_pair_memory_and_prior():
    parts = [video(name, 8).assign(utterance=np.arange(8) // 2) for name in "abc"]
    rows = pd.concat(parts, ignore_index=True)
    rng = np.random.default_rng(1)
    for axis in ("valence", "arousal"):
        rows[f"told_{axis}"] = rng.normal(size=12).repeat(2)
        rows[axis] = rows[f"told_{axis}"] + 0.1 * rng.normal(size=24)
        rows[f"prior_{axis}"] = rng.normal(size=24)
    found = found_in(rows)
    shares = found[found["table"] == "Table 3, jackknife"].set_index(["row", "metric", "seed"])["value"]
    means = rows.groupby(["video", "utterance"]).mean(numeric_only=True).reset_index()
    wanted = pseudo_values(means["valence"], means["told_valence"], means["video"])
    assert [shares["P-AffMem", "ccc_valence", k] for k in range(3)] == pytest.approx(list(wanted.values()))
    assert shares["P-AffMem"].mean() > 0.8 > shares[OWN].mean()
    assert "Table 3, jackknife" not in set(found_in(video("a", 8))["table"])
