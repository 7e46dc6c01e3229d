"""What is known of faces, who is who, small copies, and a study whose answer is known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.adapt import Plan
from fer_lib.datasets import load
from fer_lib.encoders import CPC, InputSpec
from fer_lib.preprocess import prepare
from fer_lib.pretrain import predictive, trained_encoder
from fer_lib.pretrain.comparing import decision_runs, encoder_cells, encoder_claims
from fer_lib.pretrain.kept import (
    codes_of,
    coding_study,
    properties_of,
    sequence_titles,
    shared_properties,
    shrunk,
    thirds,
    who,
    with_people,
)
from fer_lib.pretrain.predictive import PredictiveCoder
from fer_lib.train.parts import load_parts

SMALL = {"size": 32, "epochs": 1, "batch_size": 8, "code": 8, "context": 8, "bins": 2}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        yield load_parts("world:affectnet", predictive.TASKS, size=48, limits=(60, 30))


def _coder(size=32):
    torch.manual_seed(0)
    return PredictiveCoder(CPC(width=0.125, size=size), code=8, context=8, observed=2, steps=1)


def test_a_world_gives_its_truth_and_not_what_raters_said(parts):
    known, faces = properties_of(parts.test), parts.test
    assert known["valence"].tolist() == faces.truth["valence"].tolist()
    assert known["valence"].tolist() != faces.table["valence"].tolist()
    assert known["head yaw"].tolist() == faces.truth["yaw_deg"].tolist()
    assert known["expression"].dtype == np.int64
    assert all(len(values) == len(faces) for values in known.values())


def test_pictures_without_truth_are_measured(parts):
    known = properties_of(dataclasses.replace(parts.test, truth=None))
    first = parts.test.images[0].astype(float) / 255
    assert known["brightness"][0] == pytest.approx(first.mean())
    assert known["contrast"][0] == pytest.approx(first.std())
    assert known["valence"].tolist() == parts.test.table["valence"].tolist()
    assert "head yaw" not in known


def test_shared_properties_are_those_of_all_three_sets(parts):
    shared = shared_properties(parts)
    sizes = [len(parts.train), len(parts.validation), len(parts.test)]
    assert [len(one) for one in shared["age"]] == sizes


def test_codes_do_not_depend_on_the_batch(parts):
    coder = _coder()
    codes = codes_of(coder, parts.test, batch_size=7)
    assert codes.shape == (len(parts.test), 8)
    spec = coder.encoder.input_spec
    with torch.no_grad():
        alone = coder.code(prepare(parts.test.batch(np.array([3])), spec))
    assert codes[3] == pytest.approx(alone[0].numpy(), abs=1e-5)


def test_titles_name_what_a_sequence_shares(parts):
    rows = torch.tensor([[0, 1], [2, 3]])
    valence, arousal = parts.train.targets()[:2].mean(0).tolist()
    assert sequence_titles(parts.train, rows)[0] == f"v {valence:+.1f}, a {arousal:+.1f}"
    classes = parts.train.as_task("categorical")
    rows = torch.tensor([[0, 0, 1]])
    assert sequence_titles(classes, rows) == [classes.classes[int(classes.targets()[0])]]


def test_thirds_by_hand():
    assert thirds(np.array([-1.0, -0.34, -0.33, 0.33, 0.34, 1.0])).tolist() == [0, 0, 1, 1, 2, 2]


def test_who_finds_people_that_features_name_and_no_others():
    rng = np.random.default_rng(0)
    person = np.repeat(["ann", "bob", "cid"], 16)
    centres = {"ann": 0.0, "bob": 4.0, "cid": 8.0}
    clear = np.array([[centres[one], 0.0] for one in person]) + rng.normal(size=(48, 2))
    rows = who({"clear": clear, "noise": rng.normal(size=(48, 2))}, person).set_index("encoder")
    assert rows.loc["clear", "score"] > 0.85
    assert rows.loc["noise", "score"] < 0.7
    assert rows["chance"].tolist() == pytest.approx([1 / 3, 1 / 3])


def test_people_are_added_to_the_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    given = load("world:jaffe", split="all", size=32, limit=80)
    monkeypatch.setattr("fer_lib.datasets.load", lambda *_, **__: given)
    before = pd.DataFrame({"encoder": ["CPC"], "property": ["age"], "score": [0.1]})
    coder = _coder()
    rows = with_people(before, {"CPC": coder.encoder.eval()}, {"code": coder}, size=32)
    assert rows["property"].tolist() == ["age", "person", "person"]
    assert rows["encoder"].tolist() == ["CPC", "CPC", "code"]


def test_small_copies_equal_what_prepare_gives(parts):
    small = shrunk(parts, 32)
    assert small.test.pixels.shape == (len(parts.test), 1, 32, 32)
    expected = prepare(parts.test.batch(np.arange(2)), InputSpec(32, channels=1)) * 255
    assert np.abs(small.test.images[:2] - expected.numpy()).max() <= 0.5001
    assert small.test.targets().tolist() == parts.test.targets().tolist()
    assert small.test.fingerprint != parts.test.fingerprint


def test_study_pairs_variants_by_seed(parts):
    recipe = predictive.recipe("smoke") | SMALL
    study = coding_study(
        {"label": {}, "untrained": {"epochs": 0}}, shrunk(parts, 32), [0, 1], recipe=recipe,
        properties=("valence", "expression", "colour of socks"),
    )  # fmt: skip
    assert set(study.rows["metric"]) == {"valence", "expression"}
    assert len(study.rows) == 2 * 2 * 2
    assert set(study.history["model"]) == {"label"}
    first = study.models["untrained", 0].encoder.trunk[0].weight
    assert not torch.equal(first, study.models["untrained", 1].encoder.trunk[0].weight)
    assert set(study.differences("untrained")["model"]) == {"label"}


def test_an_untrained_coder_starts_where_the_trained_one_did(parts):
    recipe = predictive.recipe("smoke") | SMALL | {"learning_rate": 1e-12}
    study = coding_study(
        {"still": {}, "untrained": {"epochs": 0}}, shrunk(parts, 32), [3], recipe=recipe, properties=("age",)
    )
    still, fresh = (study.models[name, 3].to_code.weight for name in ("still", "untrained"))
    torch.testing.assert_close(still, fresh, atol=1e-6, rtol=0)


def test_a_decision_layer_on_each_encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    small = (("faces", 80), ("width", 0.125))
    cells = {
        name: dataclasses.replace(cell, recipe=cell.recipe + small)
        for name, cell in encoder_cells("world:affectnet").items()
        if cell.encoder == "cpc"
    }
    plan = Plan("smoke", 32, (80, 30), 1)
    rows = decision_runs(cells, [0, 1], plan)
    assert rows.groupby("encoder")["seed"].apply(list).to_dict() == {
        "cpc": [0, 0, 1, 1],
        "untrained": [0, 0, 1, 1],
    }
    assert set(rows["metric"]) == {"ccc_valence", "ccc_arousal"}
    scores = rows.pivot_table(index="encoder", columns=["seed", "metric"], values="value")
    assert (scores.loc["cpc"] != scores.loc["untrained"]).all()
    monkeypatch.setattr("fer_lib.adapt.grid.adapt", None)  # each is a run of its own: nothing runs twice
    again = decision_runs(dict(reversed(cells.items())), [1], plan)
    assert again["encoder"].tolist() == ["untrained"] * 2 + ["cpc"] * 2
    for name in cells:
        first, second = (one[(one["encoder"] == name) & (one["seed"] == 1)] for one in (rows, again))
        assert first["value"].tolist() == second["value"].tolist()


def test_an_encoder_of_no_epochs_is_the_one_that_training_starts_from(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    small = {"profile": "smoke", "faces": 80}
    fresh = trained_encoder("cpc", epochs=0, **small)
    still = trained_encoder("cpc", epochs=1, learning_rate=1e-12, **small)
    assert len(fresh.history) == 0
    torch.testing.assert_close(fresh.whole.to_code.weight, still.whole.to_code.weight, atol=1e-6, rtol=0)


def _scores(facechannel, pk, cpc):
    rows = []
    for metric in ("ccc_valence", "ccc_arousal"):
        for seed, wobble in enumerate((-0.01, 0.0, 0.01)):
            for name, value in (("facechannel", facechannel), ("pk", pk), ("cpc", cpc)):
                extra = wobble if name == "pk" else 0.0
                rows.append({"encoder": name, "seed": seed, "metric": metric, "value": value + extra})
    return pd.DataFrame(rows)


def test_claims_are_judged_by_paired_intervals():
    found = encoder_claims(_scores(0.5, 0.3, 0.2)).set_index("claim")
    assert found.loc["FaceChannel reads valence best", "verdict"] == "holds"
    assert found.loc["FaceChannel reads valence best", "mean"] == pytest.approx(0.2)  # against PK
    assert found.loc["CPC reads arousal best", "verdict"] == "does not hold"
    assert found.loc["all are similar (within 0.1)", "verdict"] == "does not hold"
    assert found.loc["all are similar (within 0.1)", "mean"] == pytest.approx(0.3)


def test_claims_can_be_open_or_not_run():
    found = encoder_claims(_scores(0.3, 0.3, 0.3)).set_index("claim")
    assert found.loc["FaceChannel reads valence best", "verdict"] == "open"
    assert found.loc["all are similar (within 0.1)", "verdict"] == "holds"
    assert len(encoder_claims(_scores(0.3, 0.3, 0.3).assign(metric="accuracy"))) == 0
