"""Verdicts and ratios: hand-worked, against simulation, and from the rows of a real small grid."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_faces import small_faces

from fer_lib.adapt import adapt, comparing, looking
from fer_lib.adapt.motion import ENTRIES, READINGS
from fer_lib.encoders import FaceChannel
from fer_lib.metrics import paired_difference
from fer_lib.results import beside_paper
from fer_lib.train import Settings, seeded


def grid_rows(values, *, dataset="world:jaffe", task="categorical", metric="accuracy", encoder="cpc"):
    """Rows as run_grid gives them; values: setting -> one value a seed."""
    rows = []
    for setting, scores in values.items():
        regime, plug_in = comparing.SETTINGS[setting]
        for seed, value in enumerate(scores):
            rows.append(
                {
                    "dataset": dataset, "encoder": encoder, "regime": regime, "plug_in": plug_in or "none",
                    "task": task, "metric": metric, "value": value, "seed": seed, "device": "cpu",
                    "seconds": 2.0, "trained": 100,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_cells_are_the_settings_of_the_paper():
    cells = comparing.cells_of(["world:jaffe", "world:fabo"], ["pk"])
    assert len(cells) == 10
    assert [(c.regime, c.plug_in) for c in cells[:5]] == list(comparing.SETTINGS.values())


def test_headline_keeps_the_metrics_of_the_paper_and_names_panels():
    other = grid_rows({"Decision": [0.1]}, metric="four_classes")
    values = grid_rows(
        {"Face-STN": [0.3]}, dataset="world:omg_emotion", task="valence_arousal", metric="ccc_valence"
    )
    rows = comparing.headline(pd.concat([grid_rows({"Decision": [0.5]}), other, values], ignore_index=True))
    assert rows[["panel", "setting"]].to_numpy().tolist() == [
        ["JAFFE", "Decision"],
        ["OMG-Emotion Valence", "Face-STN"],
    ]


def test_headline_leaves_out_cells_with_options():
    raw = pd.concat([grid_rows({"Face-STN": [0.3]}), grid_rows({"Face-STN": [0.9]})], ignore_index=True)
    raw["options"] = ["", "concat=False"]
    assert comparing.headline(raw)["value"].tolist() == [0.3]


def test_summary_shows_what_was_not_run():
    rows = comparing.headline(grid_rows({"Decision": [0.4, 0.6], "Scratch": [0.2, 0.2]}))
    table = comparing.summary(rows, ["facechannel", "cpc"]).set_index(["encoder", "setting"])
    assert len(table) == 10
    assert table.loc[("cpc", "Decision"), "mean"] == pytest.approx(0.5)
    assert table.loc[("cpc", "Scratch"), "seeds"] == 2
    assert table.loc["facechannel", "mean"].isna().all()
    assert (table.loc["facechannel", "seeds"] == 0).all()


def test_differences_are_paired_by_seed():
    one, other = [0.50, 0.61, 0.72], [0.40, 0.50, 0.60]
    rows = comparing.headline(grid_rows({"Face-STN": one, "Decision": other}))
    rows = rows.sample(frac=1, random_state=0)  # order must not matter
    found = comparing.differences(rows, "Face-STN", "Decision").iloc[0]
    want = paired_difference(np.array(one), np.array(other))
    assert (found["mean"], found["low"]) == (pytest.approx(want.mean), pytest.approx(want.low))
    assert found["verdict"] == "higher"
    assert comparing.differences(rows, "Decision", "Face-STN")["verdict"].item() == "lower"
    assert comparing.differences(rows, "Face-STN", "Scratch").empty


def test_one_seed_tells_nothing_apart():
    rows = comparing.headline(grid_rows({"Face-STN": [0.9], "Decision": [0.1]}))
    assert comparing.differences(rows, "Face-STN", "Decision")["verdict"].item() == "not told apart"


def test_fieller_holds_the_ratios_that_a_t_test_does_not_refuse():
    rng = np.random.default_rng(0)
    a, b = rng.normal(2, 0.3, 6), rng.normal(1, 0.1, 6)
    ratio, low, high = comparing.fieller(a, b)
    assert ratio == pytest.approx(a.mean() / b.mean())
    for end in (low, high):  # at the ends, a - r b is just significant
        assert stats.ttest_1samp(a - end * b, 0).pvalue == pytest.approx(0.05, abs=1e-6)


def test_fieller_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(600):
        shared = rng.normal(0, 0.2, 5)
        _, low, high = comparing.fieller(1.5 + shared + rng.normal(0, 0.1, 5), 2 + shared)
        hits += low <= 0.75 <= high
    assert 0.92 < hits / 600 < 0.98


def test_a_ratio_over_nearly_nothing_is_open():
    ratio, low, high = comparing.fieller(np.array([0.5, 0.6, 0.4]), np.array([0.1, -0.1, 0.03]))
    assert np.isfinite(ratio)
    assert np.isnan([low, high]).all()


def test_our_rows_stand_beside_the_paper_in_its_units():
    raw = grid_rows({"Face-STN": [0.5, 0.7], "Decision": [0.1, 0.1]}, encoder="pk")
    ours = pd.DataFrame(comparing.result_rows(comparing.headline(raw)))
    table = beside_paper(ours, paper="face-stn", table="Table 2").set_index(["row", "column"])
    found = table.loc[("Face-STN (PK)", "JAFFE")]
    assert (found["mean"], found["published"], found["seeds"]) == (pytest.approx(60.0), 61.2, 2)
    assert table["mean"].notna().sum() == 1  # what was not run stays open


def test_three_tables_stand_whole_even_where_nothing_was_run():
    raw = grid_rows({"Face-STN": [0.5, 0.7]}, encoder="pk")
    table = comparing.beside_tables(comparing.headline(raw))
    assert table["table"].value_counts().to_dict() == {"Table 1": 14, "Table 2": 19, "Table 3": 10}
    assert table["mean"].notna().sum() == 1
    assert table["published"].notna().all()
    none = comparing.beside_tables(comparing.headline(grid_rows({"Scratch": [0.5]})))
    assert none["mean"].isna().all()


def test_parameters_of_the_paper_sizes():
    table = comparing.share_of_parameters().set_index("encoder")
    assert table["published"].tolist() == [0.006, 0.022, 0.336]
    assert table.loc["cpc", "whole_encoder"] == 111_936
    assert table.loc["pk", "share"] == pytest.approx(85_205 / 4_306_560)


def test_table_4_shows_ours_and_the_paper():
    rows = comparing.headline(grid_rows({"Face-STN": [0.5, 0.52, 0.51], "All layers": [0.5, 0.51, 0.49]}))
    table = comparing.table_4(rows, ["facechannel", "cpc"]).set_index("dataset")
    assert table.loc["JAFFE", "CPC"].startswith("1.02 [")
    assert table.loc["JAFFE", "CPC paper"] == 1.08
    assert table.loc["JAFFE", "FC"] == ""
    assert table.loc["FER+", "CPC paper"] == 99.9


def test_verdicts_are_counted_and_pooled_by_seed():
    one = grid_rows({"Face-STN": [0.50, 0.61, 0.72], "Decision": [0.40, 0.50, 0.60]})
    two = grid_rows({"Face-STN": [0.30, 0.20, 0.10], "Decision": [0.10, 0.20, 0.30]}, dataset="world:fabo")
    rows = comparing.headline(pd.concat([one, two], ignore_index=True))
    table = looking.count_verdicts(rows, {"a": ("Face-STN", "Decision"), "b": ("Face-STN", "Scratch")})
    counts = table[["pairs", "higher", "lower", "not_told_apart"]].to_numpy().tolist()
    assert counts == [[2, 1, 0, 1], [0, 0, 0, 0]]
    want = paired_difference(np.array([0.15, 0.055, -0.04]), np.zeros(3))  # means over both corpora
    assert table.loc[0, ["mean", "low", "high"]].tolist() == pytest.approx([want.mean, want.low, want.high])
    assert np.isnan(table.loc[1, "mean"])


def test_verdicts_take_a_margin_and_tell_a_thread():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 6)
    noise = (noise - noise.mean()) / noise.std(ddof=1)  # its standard error is known

    def verdict(mean, margin=()):
        rows = grid_rows({"Face-STN": 0.5 + mean + 0.01 * noise, "Decision": np.full(6, 0.5)})
        claims = {"a": ("Face-STN", "Decision", *margin)}
        return looking.count_verdicts(comparing.headline(rows), claims)["verdict"].item()

    error = 0.01 / 6**0.5  # Student's t of 5 degrees: 2.02 at 90 %, 2.57 at 95 %, 4.03 at 99 %
    assert [verdict(k * error) for k in (5, 3, 2.3, 1, -1, -3, -5)] == [
        "holds",
        "holds, by a thread",
        "open, by a thread",
        "open",
        "open",
        "does not hold, by a thread",
        "does not hold",
    ]
    assert verdict(-0.02, (0.05,)) == "holds"
    assert verdict(-0.09, (0.05,)) == "does not hold"
    assert looking.count_verdicts(
        comparing.headline(grid_rows({"Scratch": [0.1, 0.2]})), {"a": ("Face-STN", "Decision")}
    )["verdict"].tolist() == ["not run"]


def frames(*eyes):
    """Shares of one seed: eyes and the rest, of pictures whose eyes cover a tenth."""
    found = pd.DataFrame({"eyes": eyes, "elsewhere": 1 - np.array(eyes), "mask": 0.0})
    return found.assign(
        eyes_density=found["eyes"] / 0.1, elsewhere_density=found["elsewhere"] / 0.9, mask_density=np.nan
    )


def test_shares_before_and_after_are_paired_by_seed():
    shares = {
        "one": {"old": [frames(0.1, 0.3), frames(0.2, 0.2)], "new": [frames(0.3, 0.3), frames(0.4, 0.2)]},
        "two": {"old": [frames(0.1), frames(0.2)]},
    }
    table = looking.share_table(shares, {"step": ("old", "new"), "none": ("old", "newest")})
    assert table[["world", "step", "region"]].to_numpy().tolist() == [
        ["one", "step", "eyes"],
        ["one", "step", "elsewhere"],  # no mask in this world
    ]
    eyes = table.iloc[0]
    want = paired_difference(np.array([0.3, 0.3]), np.array([0.2, 0.2]))
    assert eyes[["area", "before", "after", "change"]].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.1])
    assert (eyes["low"], eyes["high"]) == pytest.approx((want.low, want.high))


def test_effort_is_taken_where_all_settings_ran():
    whole = grid_rows({name: [0.2 * (k + 1)] for k, name in enumerate(comparing.SETTINGS)})
    part = grid_rows({"Decision": [9.0]}, dataset="world:fabo")
    table = looking.effort(comparing.headline(pd.concat([whole, part], ignore_index=True)))
    assert table.set_index("setting")["score"].to_dict() == pytest.approx(
        {"All layers": 1, "Last conv": 2, "Decision": 3, "Face-STN": 4, "Scratch": 5}
    )


@pytest.mark.parametrize("regime", ["all", "decision"])
def test_features_are_what_the_decision_layer_reads(regime):
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0).eval()
    train, test = (small_faces(count=16, seed=seed) for seed in (0, 1))
    settings = Settings(batch_size=8)
    model = adapt(encoder, train, train, regime=regime, plug_in="stn", epochs=1, settings=settings).models[0]
    read = []
    model.head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].detach().flatten(1)))
    model(model.prepare(test.batch(range(16))))
    np.testing.assert_allclose(looking.flat_features(model, test), read[0].numpy(), atol=1e-5)
    plain = encoder(model.prepare(test.batch(range(16)))).detach().flatten(1)
    np.testing.assert_allclose(looking.flat_features(encoder, test), plain.numpy(), atol=1e-5)


def outcome():
    rows = [
        {"motion": "upright", "layer": "old", "plug_in": "none", "at": "", "score": 0.5, "seed": s}
        for s in (0, 1)
    ]
    for (layer, plug_in, at), _ in (looking.OTHERS | looking.WAYS).items():
        for seed in (0, 1):
            row = {
                "motion": "turned",
                "layer": layer,
                "plug_in": plug_in,
                "at": at,
                "score": 0.1 + seed,
                "seed": seed,
            }
            rows.append(row | dict.fromkeys(READINGS, 2.0 + seed))
    return pd.DataFrame(rows)


def test_recovery_has_a_row_for_each_way_reading_and_seed():
    frame = outcome()
    table = looking.recovery(frame)
    assert len(table) == len(looking.WAYS) * len(READINGS) * 2
    assert set(table["value"]) == {2.0, 3.0}
    assert list(dict.fromkeys(table["setting"])) == list(looking.WAYS.values())
    assert table["lost"].all()
    assert not looking.recovery(frame.assign(right=0.3, down=-0.3))["lost"].any()


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.1, 0.2, "a part"),
        (0.2, 0.3, "all of it"),
        (-0.1, 0.1, "nothing"),
        (-0.1, 0.3, "nobody"),
        (-0.3, -0.1, "something else"),
        (0.3, 0.4, "something else"),
        (np.nan, np.nan, "nobody"),
    ],
)
def test_how_much_of_a_shift_was_undone_in_words(low, high, word):
    assert looking.undone_in_words(low, high, still=0.0, truth=0.25).startswith(word)
    assert looking.undone_in_words(1 - high, 1 - low, still=1.0, truth=0.75).startswith(word)  # a zoom


def test_mean_theta_is_that_of_the_way_motion_and_seed():
    frame = outcome()
    for k, entry in enumerate(ENTRIES):
        frame[entry] = 10.0 * frame["seed"] + k + 100 * (frame["layer"] == "new")
    found = looking.mean_theta(frame, "turned", "old layer", 1)
    assert found.tolist() == [[10, 11, 12], [13, 14, 15]]


def test_scores_begin_with_the_upright_faces():
    table = looking.motion_scores(outcome())
    assert len(table) == 1 + 8
    assert table.iloc[0][["motion", "mean"]].tolist() == ["upright", 0.5]
    assert table.iloc[1:]["mean"].to_numpy() == pytest.approx(0.6)
