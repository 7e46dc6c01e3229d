"""Home and away: reading one world's task with another's reader."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
from as_if_apart import as_if_apart
from small_faces import small_faces

from fer_lib.evidence import transfer
from fer_lib.evidence.transfer import Reader, losses, points, read_as, thresholds
from fer_lib.metrics import macro_f1

SPOKEN = (
    "surprise",
    "happiness",
    "fear",
)  # a source's words; the small faces ask for neutral, happiness, surprise


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


def _reader(task="categorical", levels=(0.3, 0.6, 0.5)):
    return Reader(None, task, SPOKEN, np.array(levels))


def test_classes_are_found_by_name_and_unknown_ones_never_called():
    faces = small_faces("categorical")
    pred = np.random.default_rng(0).dirichlet(np.ones(3), 48)
    found = read_as(pred, _reader(), faces)
    assert np.array_equal(found[:, 1], pred[:, 1])
    assert np.array_equal(found[:, 2], pred[:, 0])
    assert 0 not in found.argmax(1)  # neutral, which the reader has no word for


def test_states_are_called_above_the_readers_levels():
    faces = small_faces("multi_label")
    pred = np.tile([0.4, 0.55, 0.9], (48, 1))
    assert read_as(pred, _reader(), faces)[0].tolist() == [0, 0, 1]  # surprise .40 > .3, happiness .55 < .6


def test_values_need_a_reader_of_values():
    with pytest.raises(ValueError, match="reader must read values for small; got 'categorical'"):
        read_as(np.zeros((48, 3)), _reader(), small_faces("valence_arousal"))
    with pytest.raises(ValueError, match="reader must read classes for small"):
        read_as(np.zeros((48, 2)), _reader("valence_arousal"), small_faces("categorical"))


def test_thresholds_are_the_best_of_all_tried_in_loops():
    rng = np.random.default_rng(0)
    pred, states = rng.random((60, 3)), rng.integers(0, 2, (60, 3))
    states[:, 1] = pred[:, 1] > 0.7
    chosen = thresholds(pred, states)
    for k in range(3):

        def f1(level, k=k):
            return macro_f1((pred[:, [k]] > level).astype(int), states[:, [k]])

        assert f1(chosen[k]) == pytest.approx(max(f1(level) for level in transfer.STEPS))
    assert chosen[1] == 0.7


def test_points_follow_the_worlds_metric():
    for task in ("categorical", "valence_arousal", "multi_label"):
        faces = small_faces(task)
        target = faces.targets().numpy()
        assert points(np.eye(3)[target] if target.ndim == 1 else target, faces) == pytest.approx(100)


def test_a_reader_fails_in_a_world_where_the_words_mean_something_else():
    here, there = small_faces("categorical", count=120), small_faces("categorical", count=120, seed=5)
    turned = there.table.assign(expression=(there.table["expression"] + 1) % 3)
    there = dataclasses.replace(there, table=turned)
    parts = {"affectnet": (here, here), "other": (there, there)}
    recipe = transfer.Recipe(width=0.125, size=16, epochs=12)
    rows = transfer.cross(parts, (0, 1), recipe=recipe)
    table = losses(rows)
    assert len(rows) == 4
    assert table.loc[0, "home"] > 80
    assert table.loc[0, "loss"] > 50


def test_finished_seeds_of_a_journey_are_read(monkeypatch, tmp_path):
    parts = {"affectnet": (small_faces(), small_faces()), "other": (small_faces(seed=5), small_faces(seed=6))}
    recipe, whole, trained = transfer.Recipe(width=0.125, size=16, epochs=1), transfer.fit, []

    def noted(*given, **options):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(options["seed"])
        return whole(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "fit", noted)
        with pytest.raises(KeyboardInterrupt):
            transfer.cross(parts, (0, 1), recipe=recipe)
        assert trained == [0, 0, 0, 1]  # two travellers and a reader at home; a seed that was stopped
        trained[:] = [None]
        found = transfer.cross(parts, (0, 1), recipe=recipe)
        assert trained == [None, 1, 1, 1]
    assert transfer.cross(parts, (0, 1), recipe=recipe).equals(found)
    others = [
        transfer.cross(parts, (0,), recipe=dataclasses.replace(recipe, epochs=2)),
        transfer.cross({**parts, "other": parts["other"][::-1]}, (0,), recipe=recipe),
    ]
    assert not any(one["points"].equals(found.loc[found["seed"] == 0, "points"]) for one in others)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "apart"))
    calls = as_if_apart(monkeypatch)
    again = transfer.cross(parts, (0, 1), recipe=recipe)
    assert calls == [2]
    pd.testing.assert_frame_equal(
        again.drop(columns="seconds"), found.drop(columns="seconds"), check_exact=True
    )


def test_losses_are_paired_by_seed():
    values = {("home", 0): 50.0, ("home", 1): 60.0, ("away", 0): 40.0, ("away", 1): 48.0}
    rows = pd.DataFrame(
        [
            {"world": "w", "metric": "accuracy", "place": place, "seed": seed, "points": value}
            for (place, seed), value in values.items()
        ]
    )
    line = losses(rows).iloc[0]
    assert (line["home"], line["away"], line["loss"]) == (55, 44, 11)
    assert line["high"] - line["low"] == pytest.approx(
        2 * 12.706 * np.std([10, 12], ddof=1) / np.sqrt(2), rel=1e-4
    )


def test_worlds_come_in_two_parts_that_share_no_person():
    parts = transfer.load_worlds(("jaffe", "fer2013"), train=40, test=20, size=32)
    for train, test in parts.values():
        assert len(train) >= 40
        assert not set(train.truth["identity"]) & set(test.truth["identity"])
    assert len(parts["fer2013"][1]) == 20


def test_common_start_fits_and_starts_every_reader():
    start = transfer.common_start(64, epochs=1, size=32)
    recipe = transfer.Recipe(size=32, start=start, epochs=1, settings=transfer.Settings(learning_rate=1e-9))
    reader = recipe.train(small_faces(side=32), seed=0)
    weights = reader.model.encoder.state_dict()
    kernels = [name for name in start if name.endswith("weight") and start[name].ndim == 4]
    assert all(np.allclose(weights[name], start[name], atol=1e-6) for name in kernels)
