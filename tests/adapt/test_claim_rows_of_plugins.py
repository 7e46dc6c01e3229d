"""Rows of the plug-ins' chapters for the scoreboard: names, units, and the parts of the face together."""

import pandas as pd
import pytest

from fer_lib.adapt import ciao_plans, claim_rows, comparing
from fer_lib.adapt.ciao_study import of_the_paper


def runs_of(cells, values, *, metric="accuracy", task="categorical", seed=0):
    """Rows as run_grid gives them."""
    about = {"task": task, "metric": metric, "seed": seed, "device": "cpu", "seconds": 2.0, "options": ""}
    places = [
        {"dataset": c.dataset, "encoder": c.encoder, "regime": c.regime, "plug_in": c.plug_in or "none"}
        for c in cells
    ]
    return pd.DataFrame([one | about | {"value": v} for one, v in zip(places, values, strict=True)])


def test_settings_keep_their_names_and_values_as_shares():
    cells = comparing.cells_of(["world:jaffe"], ["pk"])
    source = comparing.cells_of(["world:affectnet"], ["pk"], ["Decision"])
    values = runs_of(source, [0.9], metric="ccc_valence", task="valence_arousal")
    rows = comparing.headline(pd.concat([runs_of(cells, [0.1, 0.2, 0.3, 0.4, 0.5]), values]))
    found = pd.DataFrame(claim_rows.setting_rows(rows, {"pk": "PK"}))
    assert found[["column", "regime", "value"]].to_numpy().tolist() == [
        ["All layers", "all", 0.1], ["Last conv", "last_conv", 0.2], ["Decision", "decision", 0.3],
        ["Face-STN", "face-stn", 0.4], ["Scratch", "scratch", 0.5],
    ]  # fmt: skip
    assert set(found["row"]) == {"PK"}
    assert set(found["dataset"]) == {"world:jaffe"}  # encoders learned from AffectNet


def test_steps_are_those_of_the_controls_in_the_papers_units():
    (fer,) = (cells for name, cells in ciao_plans.controls("quick").items() if name != "close")
    rows = runs_of(fer, [0.1 * k for k in range(len(fer))])
    found = pd.DataFrame(claim_rows.step_rows(of_the_paper(rows)))
    kept = found[found["column"] == "FER"]
    assert set(kept["regime"]) == {"decision", "decision+squash", "decision+ciao"}
    assert kept["value"].tolist() == pytest.approx([100 * v for v in rows["value"][: len(kept)]])
    assert set(found["row"]) == {"PK DL"}


def test_shares_of_eyes_brows_and_mouth_are_summed_and_unknown_ones_left_out():
    known = pd.DataFrame({"eyes": [0.1, 0.3, None], "brows": 0.1, "mouth": [0.2, 0.0, 0.5], "nose": 0.4})
    unknown = known.assign(eyes=float("nan"))
    shares = {"plain": [known, unknown], "CIAO": [known * 1.5, known]}
    found = pd.DataFrame(claim_rows.share_rows(shares, [4, 7], "world:affectnet"))
    assert found[["regime", "seed", "value"]].round(9).to_numpy().tolist() == [
        ["decision", 4, 40.0], ["decision+ciao", 4, 60.0], ["decision+ciao", 7, 40.0],
    ]  # fmt: skip
    assert claim_rows.share_rows({"plain": [unknown], "CIAO": [unknown]}, [4], "jaffe") == []
