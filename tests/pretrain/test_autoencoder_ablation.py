"""The eight ablations: their names and switches, what each critic adds, the readout, and even codes."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from small_faces import small_faces

from fer_lib import results
from fer_lib.encoders import PriorKnowledge
from fer_lib.pretrain import ablation
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.train.parts import Parts


def test_the_eight_are_the_rows_of_the_paper_s_table_in_its_order() -> None:
    printed = results.published("p-affmem", "Table 2")
    printed = printed[printed["encoder"] == "pk"]
    assert list(ablation.variants()) == list(dict.fromkeys(printed["row"]))
    for name, switches in ablation.variants().items():
        for switch, word in ablation.NAMES.items():
            assert switches[switch] == (word in name or name == "PK all")


def test_effects_are_differences_of_pairs_that_differ_in_one_critic() -> None:
    rng = np.random.default_rng(0)
    adds, rows = {"d_prior": 0.1, "d_real": -0.2, "d_em": 0.5}, []
    for seed in (0, 1, 2):
        for name, on in ablation.variants().items():
            value = seed + sum(adds[k] * there for k, there in on.items())  # a seed's luck cancels
            rows.append({"model": name, "metric": "m", "seed": seed, "value": value})
    rows = [rows[k] for k in rng.permutation(len(rows))]
    found = ablation.effects(pd.DataFrame(rows)).set_index("critic")
    for switch, word in ablation.NAMES.items():
        assert found.loc[word, "mean"] == pytest.approx(adds[switch])
        assert found.loc[word, "pairs"] == 12
        assert found.loc[word, "low"] == pytest.approx(found.loc[word, "high"])


def test_uniformity_against_scipy() -> None:
    codes = np.random.default_rng(0).normal(0, 0.4, (200, 3)).clip(-1, 1)
    expected = [stats.kstest(column, "uniform", args=(-1, 2)).statistic for column in codes.T]
    np.testing.assert_allclose(ablation.uniformity(codes), expected, rtol=1e-12)


def test_finished_seeds_are_not_read_out_again(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    opened = []

    def whole_of(name, seed, **given):
        if len(opened) == 9:
            raise KeyboardInterrupt
        opened.append(seed)
        return (name, seed)

    three = Parts(*(small_faces("valence_arousal", seed=k) for k in range(3)))
    monkeypatch.setattr(ablation, "parts_of", lambda *given: three)
    monkeypatch.setattr(ablation, "whole_of", whole_of)
    monkeypatch.setattr(ablation, "readout", lambda model, parts, seed: {"m": len(model[0]) + seed})
    monkeypatch.setattr(ablation, "codes_of", lambda model, faces: torch.zeros(4, 2))
    with pytest.raises(KeyboardInterrupt):
        ablation.study([0, 1], profile="smoke")
    assert opened == [0] * 8 + [1]
    opened[:] = [None]
    rows = ablation.study([0, 1], profile="smoke")
    assert opened == [None] + [1] * 8
    assert list(rows) == ["model", "metric", "seed", "value"]
    wanted = [
        (name, metric, seed)
        for seed in (0, 1)
        for name in ablation.variants()
        for metric in ("m", "uniformity")
    ]
    assert list(rows[["model", "metric", "seed"]].itertuples(index=False, name=None)) == wanted
    assert rows.loc[rows["metric"] == "m", "value"].tolist() == [len(n) + s for n, m, s in wanted if m == "m"]
    opened[:] = []
    ablation.study([0], profile="quick")
    assert opened == [0] * 8  # another recipe


class Bright(PKAutoencoder):
    """Its code holds the brightness of stripes, from which the small faces' affect can be read."""

    def encode(self, images):
        rows = images.mean(1).mean(2)  # (B, 32)
        return rows.repeat(1, 2)[:, :50]


def test_the_readout_finds_what_the_code_holds_and_nothing_where_it_holds_nothing() -> None:
    torch.manual_seed(0)
    sets = [small_faces("valence_arousal", count=n, seed=k) for k, n in enumerate((200, 60, 60))]
    model = Bright(PriorKnowledge(width=0.125, size=32))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = ablation.readout(model, Parts(*sets), seed=0)
    assert found["ccc_valence"] > 0.9
    assert found["ccc_arousal"] > 0.9
    assert set(found) == {"ccc_arousal", "ccc_valence", "own_arousal", "own_valence"}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert ablation.readout(model, Parts(*sets), seed=0) == found
    model.d_em = None
    model.encode = lambda images: torch.zeros(len(images), 50)  # type: ignore[method-assign]
    assert ablation.readout(model, Parts(*sets), seed=0) == {"ccc_arousal": 0.0, "ccc_valence": 0.0}


def test_codes_of_a_set_do_not_depend_on_the_batches() -> None:
    torch.manual_seed(0)
    model, faces = (
        PKAutoencoder(PriorKnowledge(width=0.125, size=32)),
        small_faces("valence_arousal", count=9),
    )
    one, other = ablation.codes_of(model, faces), ablation.codes_of(model, faces, batch_size=4)
    assert one.shape == (9, 50)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def rows_like_the_paper(shift: float = 0.0) -> pd.DataFrame:
    printed = results.published("p-affmem", "Table 2")
    printed = printed[printed["encoder"] == "pk"].rename(columns={"row": "model"})
    jitter = {0: 0.01, 1: -0.01, 2: 0.0}
    parts = [printed.assign(seed=s, value=printed["value"] + j + shift) for s, j in jitter.items()]
    return pd.concat(parts)[["model", "metric", "seed", "value"]]


def test_claims_beside_the_paper_s_own_numbers() -> None:
    found = ablation.claims(rows_like_the_paper()).set_index(["critic", "output"])
    np.testing.assert_allclose(found["mean"], found["published"])
    by_hand = np.mean([0.22 - 0.05, 0.35 - 0.08, 0.45 - 0.09, 0.67 - 0.18])  # D_em, valence
    assert found.loc[("D_em", "valence"), "published"] == pytest.approx(by_hand)
    assert found.loc[("D_em", "valence"), "verdict"] == "yes"
    assert [ablation._verdict(*ends) for ends in ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1))] == [
        "yes",
        "no",
        "undecided",
    ]


def test_pictures_and_maps_are_the_encoder_s_answers_to_them() -> None:
    torch.manual_seed(0)
    model = PKAutoencoder(PriorKnowledge(width=0.125, size=32)).eval()
    wishes = torch.tensor([[1.0, 0.0], [-1.0, 0.5]])
    pictures, maps = ablation.pictures_and_maps(model, small_faces("valence_arousal", count=1), wishes)
    assert pictures.shape == (3, 3, 32, 32)
    assert maps.shape == (3, 2, 2)
    with torch.no_grad():
        expected = model.encoder(torch.from_numpy(pictures[1:2]).float() / 127.5 - 1).mean(1)
    np.testing.assert_allclose(maps[1:2], expected.numpy(), atol=1e-3)
