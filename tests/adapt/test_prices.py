"""Prices of regimes: shapes of layers, one score a run, gains and verdicts by hand."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.adapt import Plan, prices
from fer_lib.encoders import FaceChannel, count_parameters
from fer_lib.heads import Decision, SequenceHead


def runs(corpus="jaffe", task="categorical", **values):
    """Rows of `scores`: one value a seed for each regime."""
    return pd.DataFrame(
        [
            {"dataset": f"world:{corpus}", "corpus": corpus, "regime": regime, "seed": seed, "task": task,
             "score": value, "trained": 10, "seconds": 1.0}
            for regime, over in values.items() for seed, value in enumerate(over)
        ]
    )  # fmt: skip


def test_shapes_are_those_of_table_6_without_its_training():
    assert prices.shape_for("world:omg_emotion") == Decision((128,), 64, 1, 15)
    assert prices.shape_for("omg_emotion", length=3) == Decision((128,), 64, 1, 3)
    assert prices.shape_for("ferplus", length=3) == Decision((128,))
    assert prices.shape_for("world:amigos") == Decision((64,))


def test_a_plan_of_clips_takes_twice_as_many_pictures():
    shared = Plan(profile="smoke", limits=(100, None))
    clips = prices.plan_for(shared, "world:fabo", length=4)
    faces = prices.plan_for(shared, "world:jaffe", root="folder")
    assert (clips.limits, clips.decision.length) == ((200, None), 4)
    assert (faces.limits, faces.root, faces.decision.hidden) == ((100, None), "folder", (64,))


def test_one_score_a_run():
    common = {"encoder": "facechannel", "plug_in": "none", "trained": 5, "seconds": 2.0, "device": "cpu"}
    lines = [
        ("world:omg_emotion", "valence_arousal", "ccc_valence", 0.2, 0),
        ("world:omg_emotion", "valence_arousal", "ccc_arousal", 0.4, 0),
        ("jaffe", "categorical", "accuracy", 0.5, 0),
        ("jaffe", "categorical", "mean_class_accuracy", 0.1, 0),
        ("jaffe", "categorical", "accuracy", 0.7, 1),
    ]
    columns = ["dataset", "task", "metric", "value", "seed"]
    found = prices.scores(pd.DataFrame(lines, columns=columns).assign(regime="all", **common))
    assert found["score"].tolist() == pytest.approx([0.3, 0.5, 0.7])
    assert found["corpus"].tolist() == ["omg_emotion", "jaffe", "jaffe"]
    assert [prices.unit_of(task) for task in found["task"]] == ["mean CCC", "accuracy", "accuracy"]


def test_gains_are_paired_by_seed():
    rows = runs(all=[0.5, 0.7, 0.9], decision=[0.4, 0.5, 0.9]).sample(frac=1, random_state=0)
    found = prices.gains(rows).iloc[0]
    assert (found["against"], found["seeds"]) == ("decision", 3)
    assert found["mean"] == pytest.approx(0.1)
    half = 4.302653 * 0.1 / np.sqrt(3)  # differences .1, .2, 0: standard deviation .1
    assert (found["low"], found["high"]) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-6)


def verdict(claim, corpus, **values):
    found = prices.verdicts(runs(corpus, **values)).set_index(["claim", "corpus"]).loc[(claim, corpus)]
    return found["verdict"], found["against"], round(found["mean"], 3)


def test_verdicts():
    best, worst = "All layers: best of the four", "Scratch: worst of the four"
    low, middle, high = [0.1, 0.11, 0.1], [0.3, 0.32, 0.31], [0.6, 0.6, 0.61]
    assert verdict(best, "jaffe", all=high, decision=middle, scratch=low) == ("holds", "Decision", 0.293)
    assert verdict(best, "jaffe", all=middle, decision=high, scratch=low)[:2] == ("contradicted", "Decision")
    wide = [0.1, 0.9, 0.5]
    assert verdict(best, "jaffe", all=high, decision=wide, scratch=low)[:2] == ("open", "Decision")
    assert verdict(worst, "omg_emotion", all=high, decision=middle, scratch=low) == (
        "holds",
        "Decision",
        0.207,
    )
    assert verdict(worst, "omg_emotion", all=high, decision=low, scratch=middle)[0] == "contradicted"
    # one is told to be better, another only seems so by more: the first is named
    told = verdict(best, "jaffe", all=low, decision=middle, scratch=[0.0, 1.5, 0.6])
    assert told[:2] == ("contradicted", "Decision")


def test_what_was_not_run_is_said_to_be_so():
    found = prices.verdicts(runs(all=[0.5, 0.6], decision=[0.1, 0.2]))
    assert (found["verdict"] == "not run").sum() == len(found) - 1
    assert found.loc[found["verdict"] == "not run", "mean"].isna().all()
    assert "affectnet" not in set(found["corpus"])


def test_gains_beside_ciao():
    found = prices.beside_ciao(runs("ferplus", all=[0.5, 0.6], decision=[0.4, 0.4])).set_index(
        ["corpus", "over"]
    )
    ours = found.loc[("FER+", "Decision")]
    assert ours["mean"] == pytest.approx(0.15)
    assert (ours["VGGFace"], ours["PK"]) == pytest.approx((0.917 - 0.723, 0.889 - 0.693))
    states = found.loc[("EmoReact", "Last conv")]
    assert states["VGGFace"] == pytest.approx(0.1)
    assert np.isnan(states["mean"])
    assert "misprint" in found.loc[("JAFFE", "Last conv"), "note"]
    assert (found["note"] != "").sum() == 1


def test_sizes_of_layers_are_those_of_the_modules():
    encoder = FaceChannel()
    found = prices.layer_sizes(encoder, ["omg_emotion", "world:jaffe"], {"omg_emotion": 2, "jaffe": 7})
    head = SequenceHead(encoder.feature_shape, 2, gru=64, hidden=(128,))
    clips, faces = found.to_dict("records")
    assert clips["decision"] == count_parameters(head) == 807_682
    assert clips["with last conv"] == 807_682 + count_parameters(encoder.last_conv)
    assert faces["decision"] == 4096 * 64 + 64 + 64 * 7 + 7
    assert faces["with all layers"] == faces["decision"] + count_parameters(encoder)


def test_regimes_and_ways_of_a_small_world(monkeypatch):
    class Made:
        encoder = FaceChannel(width=0.125, size=32, dropout=0.0)

    monkeypatch.setattr("fer_lib.pretrain.trained_encoder", lambda *_, **__: Made)
    shared = Plan(profile="smoke", size=32, limits=(24, 12), epochs=1, settings=prices.SETTINGS)
    plans = {name: prices.plan_for(shared, name, length=2) for name in ("world:jaffe", "world:fabo")}
    rows = prices.regime_rows(plans, [0], regimes=("decision", "scratch"))
    assert rows[["corpus", "regime"]].to_numpy().tolist() == [
        [corpus, regime] for corpus in ("jaffe", "fabo") for regime in ("decision", "scratch")
    ]
    assert (rows["trained"].iloc[[1, 3]].to_numpy() > rows["trained"].iloc[[0, 2]].to_numpy()).all()
    ways = prices.ways_of_changing("world:jaffe", [0], plans["world:jaffe"])
    assert ways["way"].tolist() == list(prices.WAYS)
    plain = rows[(rows["corpus"] == "jaffe") & (rows["regime"] == "decision")]
    assert ways["score"].iloc[0] == plain["score"].item()
