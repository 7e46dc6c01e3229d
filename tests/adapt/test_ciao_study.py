"""The paper's grid by its own names; claims judged from known numbers; one mask for two corpora."""

from dataclasses import replace

import pandas as pd
import pytest
from small_faces import small_faces

from fer_lib import results
from fer_lib.adapt import adapt, ciao_plans, sharing
from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.ciao_study import (
    ENCODERS,
    LABEL_SETS,
    RECIPES,
    REGIMES,
    cells_of,
    differences,
    in_words,
    judge,
    of_the_paper,
    published_gains,
)
from fer_lib.adapt.ciao_tables import result_rows, step_texts, steps_of_the_gain, table_one, table_two
from fer_lib.adapt.sharing import share_mask
from fer_lib.encoders import make_encoder
from fer_lib.heads import Decision
from fer_lib.train import Parts, Settings, seeded


def run_of(cell, seed, metric, value):
    return {
        "dataset": cell.dataset, "encoder": cell.encoder, "regime": cell.regime,
        "plug_in": cell.plug_in or "none", "task": cell.task, "metric": metric, "value": value, "seed": seed,
        "device": "cpu", "seconds": 1.0,
    }  # fmt: skip


def grid(value=lambda cell, seed: 0.5):
    return pd.DataFrame(
        [
            run_of(cell, seed, metric, value(cell, seed))
            for cell in cells_of(LABEL_SETS, ENCODERS, REGIMES)
            for seed in (0, 1, 2)
            for metric in ("ccc_arousal", "ccc_valence", "accuracy", "mean_class_accuracy", "macro_f1")
        ]
    )


def test_every_number_of_the_papers_table_has_its_cell():
    rows = result_rows(of_the_paper(grid()))
    beside = results.beside_paper(rows, paper="ciao", table="Table I")
    assert len(beside) == len(results.published("ciao", "Table I")) == 84
    assert beside["seeds"].tolist() == [3] * 84
    percent = beside["unit"] == "%"
    assert set(beside.loc[percent, "mean"]) == {50.0}
    assert set(beside.loc[~percent, "mean"]) == {0.5}


def test_cells_know_encoder_task_and_world():
    (plain, masked) = cells_of(["FER+"], ["pk"], ["decision"], options=(("temperature", 0.2),))
    assert (plain.dataset, plain.task, plain.recipe) == ("world:ferplus", "distribution", (("d_em", False),))
    assert (plain.plug_in, plain.options) == (None, ())
    assert (masked.plug_in, masked.options) == ("ciao", (("temperature", 0.2),))
    assert cells_of(["JAFFE"], ["vggface"], ["all"], real=True)[0].dataset == "jaffe"


@pytest.mark.parametrize("given", [(["FERPLUS"], ["pk"], ["all"]), (["FER"], ["cpc"], ["all"])])
def test_other_names_are_refused(given):
    with pytest.raises(ValueError, match="cells must be among"):
        cells_of(*given)


def test_differences_are_paired_by_seed():
    noise = {0: 0.1, 1: 0.3, 2: 0.2}
    rows = of_the_paper(
        grid(lambda cell, seed: noise[seed] + (cell.plug_in == "ciao") * (0.02 + 0.01 * (seed == 1)))
    )
    found = differences(rows, "decision+ciao", "decision")
    assert len(found) == 14  # 7 columns, 2 encoders
    assert found["mean"].tolist() == pytest.approx([(0.02 + 0.03 + 0.02) / 3] * 14)
    half = 4.302653 * pytest.approx(0.01 / 3, rel=1e-3).expected  # t(2) times s / sqrt(3) = 0.01 / 3
    assert (found["mean"] - found["low"]).tolist() == pytest.approx([half] * 14, rel=1e-4)
    assert differences(rows[rows["regime"] == "all"], "decision+ciao", "decision").empty


def verdicts(value):
    return judge(of_the_paper(grid(value)))["verdict"].tolist()


def test_claims_are_judged():
    jitter = {0: -0.001, 1: 0.0, 2: 0.001}
    level = {"all": 0.6, "last_conv": 0.5, "decision": 0.4}

    def paper(cell, seed):
        raised = (0.58 if cell.regime != "all" else 0.62) if cell.plug_in else level[cell.regime]
        return raised + jitter[seed] * (1 if cell.plug_in else -1)

    assert verdicts(paper) == ["holds", "holds", "holds"]
    same = verdicts(lambda cell, seed: 0.5 + jitter[seed] * (1 if cell.plug_in else -1))
    assert same == ["open", "not run", "open"]  # full retraining is no goal where it gains nothing
    worse = verdicts(lambda cell, seed: level[cell.regime] - 0.1 * (cell.plug_in is not None))
    assert worse == ["does not hold"] * 3
    # An interval of 95 % is t = 4.3 wide with three seeds, one of 99 % 9.9: 0.005 decides the first alone.
    close = judge(
        of_the_paper(grid(lambda cell, seed: 0.5 + (0.005 + 1.5 * jitter[seed]) * bool(cell.plug_in)))
    )
    assert close.loc[0, ["verdict", "strict"]].tolist() == ["holds", "open"]
    assert in_words("holds", "holds") == "holds"
    lone = judge(of_the_paper(grid(paper).query("regime == 'decision'")))
    assert lone["verdict"].tolist() == ["holds", "not run", "not run"]
    assert lone["comparisons"].tolist() == [14, 0, 0]


FAST = Settings(batch_size=8, learning_rate=5e-3)


def corpus(task, seed, count=48):
    return Parts(*(small_faces(task, count=n, seed=seed + k) for k, n in enumerate((count, 16, 16))))


def encoder():
    with seeded(0):
        return make_encoder("vggface", width=0.125, size=32)


def test_a_mask_for_one_corpus_is_what_adapt_trains():
    parts = corpus("categorical", 0)
    options = {"epochs": 3, "settings": FAST, "head": Decision(hidden=(8,))}
    alone = share_mask(encoder(), {"a": parts}, [0, 1], **options)
    usual = adapt(
        encoder(), parts.train, parts.validation, test=parts.test, plug_in="ciao", seeds=[0, 1], **options
    ).rows
    assert alone["metric"].tolist() == usual["metric"].tolist()
    assert alone["value"].tolist() == pytest.approx(usual["value"].tolist(), abs=1e-6)


def test_a_shared_mask_is_one_object_that_learns_from_both(monkeypatch):
    made = []

    def make(encoder):
        made.append(ciao(encoder))
        return made[-1]

    corpora = {"a": corpus("categorical", 0), "b": corpus("valence_arousal", 9, count=20)}
    rows = share_mask(encoder(), corpora, [0], epochs=2, settings=FAST, make=make)
    assert len(made) == 1
    assert rows.groupby("corpus")["metric"].agg(list).to_dict()["b"] == ["ccc_valence", "ccc_arousal"]
    alone = share_mask(encoder(), {"a": corpora["a"]}, [0], epochs=2, settings=FAST, make=make)
    assert len(made) == 2
    difference = (made[0].twin[0].weight - made[1].twin[0].weight).abs().max()
    assert difference > 1e-4
    assert set(alone["corpus"]) == {"a"}


def test_shorter_corpora_are_gone_through_again():
    import torch

    batches = {
        name: sharing.DeviceFaces(small_faces(count=count), torch.device("cpu"))
        for name, count in (("long", 33), ("short", 16))
    }
    steps = list(sharing._epoch(batches, 4, 0, 0, FAST))
    assert [len(long) for long, _ in steps] == [8] * 4  # the fifth batch, of one face, is left out
    seen = torch.cat([short for _, short in steps])
    assert seen.bincount().tolist() == [2] * 16


def test_no_corpus_is_refused():
    with pytest.raises(ValueError, match="corpora must hold one corpus or more"):
        share_mask(encoder(), {}, [0])


def test_table_one_pairs_plain_and_ciao_with_the_papers_numbers():
    rows = of_the_paper(grid(lambda cell, seed: 0.5 + 0.01 * seed + 0.1 * (cell.plug_in == "ciao")))
    table = table_one(rows[rows["regime"] == "decision"])
    assert len(table) == 42  # 7 columns, 2 encoders, 3 regimes
    line = table[(table["data"] == "FER") & (table["trained"] == "PK DL")].iloc[0]
    assert line["plain"] == "51.0 [48.5, 53.5]"  # 50, 51, 52: 4.303 / sqrt(3) = 2.48
    assert line[["plain, paper", "CIAO", "CIAO, paper"]].tolist() == ["28.2", "61.0 [58.5, 63.5]", "70.2"]
    assert table.loc[table["trained"] == "VGG Full", "plain"].tolist() == [""] * 7
    assert table.loc[table["note"] != "", ["data", "trained"]].values.tolist() == [["JAFFE", "PK LC"]]


def test_table_two_holds_the_papers_rows_and_no_more():
    rows = of_the_paper(grid())
    table = table_two(rows)
    assert len(table) == len(results.published("ciao", "Table II"))
    run = table[table["mean"].notna()]
    assert run["row"].value_counts().to_dict() == {
        "V_CIAO": 6, "V_DL_CIAO": 4, "PKDL_CIAO": 3, "PK_CIAO": 1
    }  # fmt: skip
    none = table_two(rows[rows["setting"] == "decision"])
    assert none["mean"].isna().all()
    assert none["published"].tolist() == results.published("ciao", "Table II")["value"].tolist()


def test_gains_of_the_paper():
    gains = published_gains().set_index(["encoder", "name"])["value"]
    assert len(gains) == 14
    assert gains["pk", "FER"] == pytest.approx(0.702 - 0.282)
    assert gains["vggface", "EmoReact"] == pytest.approx(0.69 - 0.58)
    assert published_gains("all").set_index(["encoder", "name"])["value"]["pk", "JAFFE"] == pytest.approx(
        0.019
    )


def test_profiles_run_parts_of_the_papers_grid():
    everything = set(cells_of(LABEL_SETS, ENCODERS, REGIMES))
    for profile, count in (("smoke", 8), ("quick", 28), ("full", 72)):
        cells = [cell for part in ciao_plans.cells_in(profile).values() for cell in part]
        assert len(cells) == len(set(cells)) == count
        assert {replace(cell, recipe=RECIPES.get(cell.encoder, ())) for cell in cells} <= everything
    with pytest.raises(ValueError, match="profile must be smoke, quick or full"):
        ciao_plans.cells_in("slow")


def test_plain_and_masked_runs_share_layer_rate_and_epochs():
    plan = ciao_plans.plans("quick", epochs=6)["close"]
    assert plan.epochs == {"all": 4, "last_conv": 6, "decision": 6}
    assert {regime: one.learning_rate for regime, one in plan.settings.items()} == ciao_plans.RATES
    assert plan.decision.learning_rate is None  # it would win over the regime's
    assert plan.decision.temperature is None


def test_the_gain_in_two_steps():
    level = {None: 0.3, "squash": 0.4, "ciao": 0.45}
    jitter = {None: (0, 0, 0), "squash": (-0.01, 0, 0.01), "ciao": (0, 0, 0)}
    cells = [cell for part in ciao_plans.controls("quick").values() for cell in part]
    rows = [
        run_of(cell, seed, metric, level[cell.plug_in] + jitter[cell.plug_in][seed])
        for cell in cells
        for seed in range(3)
        for metric in ("ccc_arousal", "ccc_valence", "accuracy")
    ]
    table = steps_of_the_gain(of_the_paper(pd.DataFrame(rows)))
    assert table["data"].tolist() == ["AffectNet Arousal, PK", "AffectNet Valence, PK", "FER, PK"]
    assert table["squashing, untrained"].tolist() == pytest.approx([0.1] * 3)
    assert table["learning"].tolist() == pytest.approx([0.05] * 3)
    assert table["both"].tolist() == pytest.approx([0.15] * 3)
    half = 4.302653 * 0.01 / 3**0.5
    assert table["learning_low"].tolist() == pytest.approx([0.05 - half] * 3, rel=1e-4)
    assert table["both_high"].tolist() == pytest.approx([0.15] * 3)
    assert step_texts(table)["both"].tolist() == ["+0.150 [+0.150, +0.150]"] * 3


def test_controls_share_their_plain_and_masked_cells_with_the_grid():
    for profile in ("smoke", "quick", "full"):
        grid_cells, own = ciao_plans.cells_in(profile), ciao_plans.controls(profile)
        for plan, cells in own.items():
            assert {cell for cell in cells if cell.plug_in != "squash"} <= set(grid_cells[plan])


def test_studied_cells_change_one_thing_each():
    cells = ciao_plans.studied((0.5,))
    assert {name: dict(cell.options) for name, cell in cells.items()} == {
        "t = 0.1": {}, "t = 0.5": {"temperature": 0.5},
        "negatives": {"denominator": "negatives"}, "mask alone": {"weight": 0.0},
    }  # fmt: skip
    assert {(cell.plug_in, cell.regime, cell.encoder) for cell in cells.values()} == {
        ("ciao", "decision", "pk")
    }


def test_numbers_that_learn_by_hand():
    rows = {(one["encoder"], one["setting"]): one["numbers"] for one in ciao_plans.trained_numbers()}
    outputs = (2 + 8 + 7 + 8 + 7 + 8) / 6
    head = 4608 * 200 + 200 + 201 * outputs
    assert rows["VGG", "decision"] == pytest.approx(head)
    assert rows["VGG", "decision+ciao"] == pytest.approx(head + 2_359_808 + 512)
    assert rows["VGG", "last_conv"] == pytest.approx(head + 2_359_808)
    assert rows["VGG", "all"] == pytest.approx(head + 14_714_688)
    assert rows["PK", "all+ciao"] == pytest.approx(
        18432 * 200 + 200 + 201 * outputs + 4_306_560 + 3_277_312 + 512
    )
