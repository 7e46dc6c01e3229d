"""Studies that are not possible are refused before anything is trained."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import load
from fer_lib.errors import DataError
from fer_lib.sampling.ready import check_people, check_plan
from fer_lib.sampling.wild import plan

USUAL = vars(plan("smoke"))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("frames", -5, "frames must be a whole number of at least 1; got -5. None takes all there are"),
        ("faces", 0, "faces must be a whole number of at least 1; got 0"),
        ("faces", 1.5, "faces must be a whole number of at least 1; got 1.5"),
        ("scratch_epochs", 0, "scratch_epochs must be a whole number of at least 1; got 0"),
        ("wild_epochs", 0, "wild_epochs must be a whole number of at least 1; got 0"),
        ("epochs", True, "epochs must be a whole number of at least 1; got True"),
        ("passes", 1, "passes must be a whole number of at least 2; got 1"),
        ("scratch_folds", -1, "scratch_folds must be a whole number of at least 0; got -1"),
        ("scratch_folds", 6, "scratch_folds must be at most 5; got 6"),
        ("hidden", (64, 0), "hidden must be a whole number of at least 1; got 0"),
        ("momentum", 2, r"momentum must be in \[0, 1\); got 2"),
        ("dropout", 1.0, r"dropout must be in \[0, 1\); got 1.0"),
        ("learning_rate", -1, "learning_rate must be above 0; got -1"),
        ("wild_rate", 0, "wild_rate must be above 0; got 0"),
        ("p", 1.0, r"p must be in \(0, 1\); got 1.0"),
        ("wild_optimizer", "adam", "wild_optimizer must be sgd or adamw; got 'adam'"),
        ("shares", (), r"shares must be in \(0, 1\); got \(\)"),
        ("shares", (0.5, 1.5), r"shares must be in \(0, 1\); got \(0.5, 1.5\)"),
        ("shares", (0.5, 0.1), r"shares must rise; got \(0.5, 0.1\)"),
    ],
)
def test_entries_out_of_range(name, value, told) -> None:
    with pytest.raises(ValueError, match=told):
        check_plan(SimpleNamespace(**USUAL | {name: value}))


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_plans_of_the_profiles_pass(profile) -> None:
    check_plan(plan(profile))


def frames_of(films):
    """Frames of a drawn AMIGOS cut down: person -> frames of each film."""
    faces = load("world:amigos", split="test", limit=128, size=32)
    rows = [
        (who, f"{who}_{k}") for who, sizes in films.items() for k, n in enumerate(sizes) for _ in range(n)
    ]
    table = pd.DataFrame(rows, columns=["subject", "video"])
    few = faces.subset(np.arange(len(table)))
    labels = few.table.drop(columns=["subject", "video"])
    object.__setattr__(few, "table", pd.concat([table, labels], axis=1))
    return few


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path_factory.getbasetemp() / "ready"))


@pytest.mark.parametrize(
    ("films", "told"),
    [
        ({"P31": [4] * 5, "P32": [5] * 4}, "clips of P32: 5 folds need at least 5; got 4"),
        ({"P31": [4] * 5, "P32": [4]}, "frames of P32: 5 folds need at least 5; got 4"),
        ({"P31": [4] * 5}, "world:amigos: there must be two people or more; got only P31"),
        (
            {"P31": [8] * 5, "P32": [1] * 6},
            "as many frames as P31 learns from, 32; got 6. Load more people, or fewer frames of P31",
        ),
    ],
)
def test_people_who_cannot_be_folded(films, told) -> None:
    with pytest.raises(DataError, match=told):
        check_people(frames_of(films), ("frames", "clips"))


def test_people_who_can() -> None:
    check_people(frames_of({"P31": [4] * 5, "P32": [5] * 5}), ("frames", "clips"))
    check_people(frames_of({"P31": [4] * 5, "P32": [8] * 3}), ("frames",))
    with pytest.raises(
        ValueError, match="protocol must be one of official for world:omg_emotion; got 'frames'"
    ):
        check_people(load("world:omg_emotion", split="test", limit=20, size=32), ("frames",))
