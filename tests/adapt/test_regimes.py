"""Regimes leave frozen parts as they are to the last bit, the rest learns."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib import adapt
from fer_lib.adapt import own, strangers
from fer_lib.adapt.study import AS_IS, YARDSTICK, draw_people, train_final
from fer_lib.datasets.faceset import FaceSet
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.train import Parts, Settings, fit, seeded

CLASSES = ("neutral", "happiness", "sadness")


def people(number: int = 6, photos: int = 6, seed: int = 0) -> FaceSet:
    """Squares whose bright row tells the class, of people with a brightness of their own."""
    generator = np.random.default_rng(seed)
    size, total = 16, number * photos
    label = np.arange(total) % 3
    pixels = generator.integers(0, 40, (total, 1, size, size)).astype(np.uint8)
    pixels += (np.arange(total) // photos * 12).astype(np.uint8)[:, None, None, None]
    for row, one in enumerate(label):
        pixels[row, :, 3 + 4 * one : 6 + 4 * one] += 120
    table = pd.DataFrame({
        "path": [f"{k}.png" for k in range(total)], "subject": [f"p{k // photos}" for k in range(total)],
        "split": "train", "expression": label,
    })  # fmt: skip
    return FaceSet(
        name="folder", pixels=pixels, rows=np.arange(total), table=table, task="categorical", unit="image",
        classes=CLASSES, tasks=("categorical",), protocol="", metric="mean_class_accuracy", source="",
        licence="", fingerprint=f"people {number} {photos} {seed}",
    )  # fmt: skip


@pytest.fixture
def model() -> FaceModel:
    with seeded(3):
        encoder = FaceChannel(width=0.125, size=16)
        return FaceModel(encoder, DenseHead(encoder.feature_shape, 3, hidden=(8,)))


def states(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before: dict[str, torch.Tensor], module: torch.nn.Module) -> set[str]:
    return {name for name, value in module.state_dict().items() if not torch.equal(before[name], value)}


LEARNS = {
    "scratch": ("encoder.trunk", "encoder.last_conv", "head"),
    "all": ("encoder.trunk", "encoder.last_conv", "head"),
    "last_conv": ("encoder.last_conv", "head"),
    "decision": ("head",),
}


@pytest.mark.parametrize("regime", adapt.REGIMES)
def test_only_what_learns_gets_a_gradient(model, regime) -> None:
    adapt.apply_regime(model, regime, seed=0).train()
    images = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    model.loss(model(images), torch.arange(8) % 3).backward()
    for name, parameter in model.named_parameters():
        wanted = name.startswith(LEARNS[regime])
        assert parameter.requires_grad == wanted, name
        assert (parameter.grad is not None) == wanted, name
    free = {id(p) for p in model.parameters() if p.requires_grad}
    given = {id(p) for group in Settings().make_optimizer(model).param_groups for p in group["params"]}
    assert given == free


@pytest.mark.parametrize("regime", ["last_conv", "decision"])
def test_frozen_parts_are_the_same_to_the_last_bit_after_training(model, regime) -> None:
    faces, before = people(), states(model)
    adapt.apply_regime(model, regime)
    fit(model, faces, faces, epochs=3, seed=0, settings=Settings(batch_size=8, learning_rate=0.01))
    moved = changed(before, model)
    assert moved
    assert all(name.startswith(LEARNS[regime]) for name in moved), moved
    statistics = [name for name in before if "running" in name or "batches_tracked" in name]
    assert len(statistics) >= 9
    assert not moved & {name for name in statistics if name.startswith("encoder.trunk")}


def test_all_moves_weights_and_statistics(model) -> None:
    faces, before = people(), states(model)
    fit(adapt.apply_regime(model, "all"), faces, faces, epochs=2, seed=0, settings=Settings(batch_size=8))
    moved = changed(before, model)
    assert any(name.startswith("encoder.trunk") and "running_mean" in name for name in moved)
    assert {name for name, _ in model.named_parameters()} - moved <= {"encoder.last_conv.units.raw_decay"}


def test_scratch_draws_new_weights_by_its_seed(model) -> None:
    before = states(model)
    once, again, other = (states(adapt.adapted_copy(model, "scratch", seed=seed)) for seed in (1, 1, 2))
    weights = [name for name, value in before.items() if name.endswith("weight") and value.ndim > 1]
    assert all(torch.equal(once[name], again[name]) for name in before)
    assert not any(torch.equal(once[name], before[name]) for name in weights)
    assert not any(torch.equal(once[name], other[name]) for name in weights)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match=r"seed must be a whole number for scratch; got None"):
        adapt.apply_regime(model, "scratch")


def test_a_regime_frees_what_an_earlier_one_froze(model) -> None:
    everything = adapt.learned(model)
    assert adapt.learned(adapt.apply_regime(model, "decision")) == adapt.learned(model.head)
    assert adapt.learned(adapt.apply_regime(model, "all")) == everything
    assert model.train().encoder.trunk.training


def test_an_unknown_regime_is_refused(model) -> None:
    with pytest.raises(
        ValueError, match=r"regime must be one of scratch, all, last_conv, decision; got 'last'"
    ):
        adapt.apply_regime(model, "last")


# the study


def test_relabel_renumbers_and_counts_what_is_lost() -> None:
    faces = people()
    named = adapt.relabel(faces, ("sadness", "fear", "neutral"))
    assert named.classes == ("sadness", "fear", "neutral")
    assert named.dropped == {"class not among yours": 12}
    told = [named.classes[k] for k in named.table["expression"]]
    kept = faces.table["expression"] != 1
    assert told == [CLASSES[k] for k in faces.table.loc[kept, "expression"]]
    assert named.fingerprint != faces.fingerprint
    with pytest.raises(ValueError, match="classes must share at least two names with folder"):
        adapt.relabel(faces, ("happiness", "fear"))


def test_draws_share_no_person_unless_asked_to() -> None:
    faces = people()
    for seed in range(4):
        parts = draw_people(faces, seed)
        who = [set(part.table["subject"]) for part in (parts.train, parts.validation, parts.test)]
        assert sum(map(len, who)) == 6
        assert len(set.union(*who)) == 6
    mixed = draw_people(faces, 0, by_person=False)
    left = set(faces.table.loc[mixed.test.rows, "subject"]) & set(
        faces.table.loc[mixed.train.rows, "subject"]
    )
    assert left


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> adapt.Adaptation:
    faces = people(number=8, photos=6)
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
        source = FaceModel(encoder, DenseHead(encoder.feature_shape, 3, hidden=(8,)))
    settings = Settings(batch_size=8, learning_rate=0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        return adapt.study(
            source,
            faces,
            regimes=["all", "decision"],
            photos=[6, 10**6],
            seeds=[0, 1],
            steps=20,
            settings=settings,
        )


def test_a_study_has_every_run_once(runs) -> None:
    rows = runs.rows[runs.rows["metric"] == "accuracy"]
    most = rows["photos"].max()
    assert rows.groupby(["model", "photos"]).size().to_dict() == {
        ("all", 6): 2, ("all", most): 2, ("decision", 6): 2, ("decision", most): 2, (AS_IS, most): 2,
        (YARDSTICK, most): 2,
    }  # fmt: skip
    assert most == min(len(parts.train) for parts in runs.parts.values())
    assert set(runs.curve("accuracy")["name"]) == {"all", "decision", YARDSTICK}
    assert runs.best() in ("all", "decision")
    learned = runs.comparison.values("all", "accuracy").mean()
    assert learned > 0.6  # a bright row is easy to see, on strangers too
    assert learned > runs.comparison.values(AS_IS, "accuracy").mean()


def test_strangers_are_averaged_over_the_runs_that_did_not_know_them(runs) -> None:
    table = strangers.strangers(runs, "all")
    tested = pd.concat([parts.test.table["path"] for parts in runs.parts.values()])
    assert table.set_index("path")["times"].to_dict() == tested.value_counts().to_dict()
    path = table["path"][table["times"].idxmax()]
    kept = []
    for seed, parts in runs.parts.items():
        at = np.flatnonzero(parts.test.table["path"] == path)
        kept += [runs.comparison.predictions["all", seed][k] for k in at]
    row = table[table["path"] == path].iloc[0]
    wanted = np.mean(kept, axis=0)
    np.testing.assert_allclose(row[[f"p_{name}" for name in CLASSES]].to_numpy(float), wanted, rtol=1e-6)
    assert row["predicted"] == CLASSES[int(wanted.argmax())]
    assert (table["right"] == (table["predicted"] == table["expression"])).all()
    counts, names = strangers.errors(table)
    assert names == CLASSES
    assert counts.sum() == len(table)
    assert np.trace(counts) == table["right"].sum()


def test_frames_of_one_clip_stay_apart() -> None:
    faces = people()
    frames = dataclasses.replace(faces, table=faces.table.assign(path="a.mp4", frame=range(len(faces))))
    pred = np.eye(3, dtype=np.float32)[faces.table["expression"]]
    told = SimpleNamespace(predictions={("all", 0): pred})
    table = strangers.strangers(
        SimpleNamespace(parts={0: Parts(frames, frames, frames)}, comparison=told), "all"
    )
    assert table["frame"].tolist() == list(range(len(faces)))
    assert table["right"].all()


def test_persons_count_their_own_photos(runs) -> None:
    before, after = (strangers.strangers(runs, name) for name in (AS_IS, "all"))
    persons = strangers.by_person(before, after)
    one = persons.iloc[0]
    mine = after["subject"] == one["subject"]
    assert one["photos"] == mine.sum()
    assert one["after"] == pytest.approx(after.loc[mine, "right"].mean())
    assert one["gain"] == pytest.approx(one["after"] - before.loc[mine, "right"].mean())
    assert persons["gain"].is_monotonic_decreasing
    alone = strangers.by_person(before.drop(columns="subject"), after.drop(columns="subject"))
    assert alone[["subject", "photos"]].values.tolist() == [["everybody", len(after)]]


def test_a_source_is_trained_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    faces = people()
    parts = Parts(faces, faces, faces)
    first = adapt.train_source(parts, epochs=1, width=0.125, size=16)
    kept = sorted((tmp_path / "sources").iterdir())
    written = [path.stat().st_mtime_ns for path in kept]
    again = adapt.train_source(parts, epochs=1, width=0.125, size=16)
    assert not changed(states(first), again)
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "sources").iterdir())] == written
    assert changed(states(first), adapt.train_source(parts, epochs=2, width=0.125, size=16))
    large = {"epochs": 1, "width": 0.125, "size": 32}
    plain, units = (adapt.train_source(parts, units=number, **large) for number in (0, 64))
    assert changed(states(plain), units)


def test_the_final_model_leaves_the_source_alone(model) -> None:
    before = states(model)
    final = train_final(model, people(), "all", steps=4)
    assert not changed(before, model)
    assert changed(before, final)


def test_a_world_becomes_a_folder_of_own_faces(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    mine = own.own_faces("world:jaffe", "", size=16, demo=21)
    assert (mine.name, mine.faces.name, mine.faces.synthetic) == ("folder", "folder", True)
    assert len(mine.faces) + len(mine.missed) == 21
    assert (mine.base / mine.faces.table["path"][0]).is_file()
    assert (mine.root / "SYNTHETIC.txt").is_file()
    assert len(own.own_faces("world:jaffe", "", size=16, demo=21, limit=5).faces) == 5
    with pytest.raises(DataError, match="root must be given"):
        own.own_faces("folder", "", size=16)
    with pytest.raises(ValueError, match="dataset must have faces with one class each"):
        own.own_faces("world:amigos", "", size=16)
