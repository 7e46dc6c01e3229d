"""Table 4.1 as variants: names as printed, options as printed, and the strength of the VA-based loss."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib import results
from fer_lib.trials import metric_table as table


class Faces:
    """Stands for ``SideTargets``: labels and affect."""

    def __init__(self, labels, va) -> None:
        self.labels, self.sides = torch.as_tensor(labels), torch.as_tensor(va)

    def targets(self):
        return self.labels


def test_every_printed_row_is_there_with_its_options() -> None:
    variants = {one.name: one for one in table.table_variants()}
    printed = set(results.published("emotion-gcn", "Table 4.1")["row"])
    assert printed <= set(variants)
    assert len(set(variants) - printed) == 3
    assert variants[table.BASELINE].metric == ""
    assert variants["Euclidean Island loss (m=5)"].metric_options == (("euclidean", True), ("margin", 5.0))
    assert variants["Local subclass loss with margin (k=10)"].metric_options == (("k", 10), ("margin", 0.5))
    assert {one.metric_weight for one in variants.values()} == {0.1}
    with pytest.raises(ValueError, match="weight must be above 0"):
        table.table_variants(0.0)
    with pytest.raises(ValueError, match="learn must be one of rule, gradient; got 'steps'"):
        table.table_variants(learn="steps")


def test_centers_that_learn_by_gradient_and_the_matched_row() -> None:
    variants = {one.name: one for one in table.table_variants(0.2, learn="gradient", matched=1.5)}
    assert ("learn", "gradient") in variants[table.CENTER].metric_options
    assert variants[table.MATCHED].metric_weight == pytest.approx(0.3)
    assert variants[table.LOCAL].metric_options == ()


def test_the_mean_weight_against_the_formula() -> None:
    rng = np.random.default_rng(0)
    labels, va = rng.integers(0, 3, 50), rng.uniform(-1, 1, (50, 2))
    means = np.stack([va[labels == k].mean(0) for k in range(3)])[labels]
    expected = ((8**0.5 - np.linalg.norm(va - means, axis=1)) ** 2 / 4).mean()
    assert table.mean_va_weight(Faces(labels, va)) == pytest.approx(expected, rel=1e-9)


def test_studies_name_what_they_vary() -> None:
    assert [one.metric_weight for one in table.weight_variants((0.01, 1.0))] == [0.01, 1.0, 0.01, 1.0]
    assert [dict(one.metric_options)["margin"] for one in table.margin_variants((1.0, 5.0))] == [1.0, 5.0]


class Kept:
    """Stands for ``Runs``: scores, and embeddings of two classes that lie ``apart``."""

    def __init__(self, apart: float) -> None:
        seeds = [0, 1]
        values = {table.BASELINE: (0.3, 0.4), table.CENTER: (0.35, 0.45)}
        self.rows = pd.DataFrame(
            [
                {"model": m, "seed": k, "metric": "mean_class_accuracy", "value": v[k], "seconds": 1.0}
                | {"device": "cuda"}
                for m, v in values.items()
                for k in seeds
            ]
        )
        z = np.array([[-1.0], [1.0], [apart - 1], [apart + 1]])
        self.told = {"embeddings": z, "train_embeddings": 3 * z, "train_rows": np.arange(1, 5)}

    def arrays(self, model: str, seed: int) -> dict[str, np.ndarray]:
        return self.told


def test_ours_stand_beside_the_printed_numbers() -> None:
    rows = table.table_rows(
        Kept(4.0), [table.BASELINE, table.CENTER], dataset="d", encoder="e", profile="smoke"
    )
    assert {row["device"] for row in rows} == {"cuda"}
    gained = pd.DataFrame(
        [{"model": table.CENTER, "mean": 5.0, "low": 4.0, "high": 6.0, "faces_low": 1.0, "faces_high": 9.0}]
    ).assign(holm=0.01)
    both = table.beside_table(rows, gained).set_index("row")
    assert both.loc[table.BASELINE, ["mean", "published"]].tolist() == pytest.approx([35.0, 64.37])
    assert both.loc[table.CENTER, "gain"] == "+5.0 [+4.0, +6.0]"
    assert both.loc[table.CENTER, "over_people"] == "[+1.0, +9.0]"
    assert both.loc[table.LOCAL, "gain"] == ""


def test_spread_table_and_studies_against_a_hand() -> None:
    runs, faces = Kept(4.0), Faces([0, 0, 1, 1], np.zeros((4, 2)))
    learned = Faces([1, 0, 0, 1, 1], np.zeros((5, 2)))  # the first is not kept
    parts = SimpleNamespace(train=learned, test=faces)
    line = table.spread_table(runs, [table.CENTER], [0, 1], parts).iloc[0]
    assert line["variance"] == pytest.approx(1 + 4)  # within 1, means 2 from the middle
    assert line["training"] == pytest.approx(80)
    assert line["reported"] == "80.0 [80.0, 80.0]"
    study = table.study_rows(runs, {table.CENTER: 0.1}, [0, 1], faces)
    assert study["accuracy"].tolist() == pytest.approx([35, 45])
    curve = table.study_curve(study, {"Center": "c"}, "accuracy").iloc[0]
    assert curve[["name", "x", "y", "low", "high"]].tolist() == ["c", 0.1, 40.0, 35.0, 45.0]


def test_alike_takes_far_faces_and_near_strangers() -> None:
    z = np.array([[0.0], [10.0], [5.0], [0.5], [9.0], [5.2]])
    rows, names = table.alike(z, [0, 0, 0, 1, 1, 1], ("fear", "anger"), shown="fear", count=3)
    assert rows.tolist() == [2, 0, 1, 5, 3, 4]
    assert names == ["fear"] * 3 + ["anger"] * 3
    with pytest.raises(ValueError, match="shown must be a class"):
        table.alike(z, [0] * 6, ("fear",), shown="joy")


def test_no_end_of_an_interval_is_minus_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = SimpleNamespace(value=6.4, low=-0.03, high=12.9)
    monkeypatch.setattr("fer_lib.metrics.mean_interval", lambda values: ends)
    learned, faces = (Faces(labels, np.zeros((4, 2))) for labels in ([0, 0, 0, 1, 1], [0, 0, 1, 1]))
    parts = SimpleNamespace(train=learned, test=faces)
    line = table.spread_table(Kept(4.0), [table.CENTER], [0, 1], parts).iloc[0]
    assert line["reported"] == "6.4 [0.0, 12.9]"
