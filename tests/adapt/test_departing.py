"""How far grids depart: the formula against sampled places, its two parts, and what a grid of runs keeps."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt import Cell, Plan, adapt, grid, run_grid
from fer_lib.adapt.departing import departure, departures, out_of_sight, theta_numbers
from fer_lib.adapt.motion import Motion, thetas
from fer_lib.datasets.sequences import SequenceSet
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision
from fer_lib.train import Parts, Settings, seeded

FAST = Settings(batch_size=8, learning_rate=2e-2)


@pytest.fixture
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32, dropout=0.0).eval()


@pytest.mark.parametrize("motion", [Motion(right=0.25), Motion(50, 0.6, -0.1, 0.2), Motion(zoom=2)])
def test_departure_is_the_distance_of_sampled_places(motion):
    theta = motion.undoing().double()
    theta[0, 1] += 0.3  # and a shear
    middles = (torch.arange(400, dtype=torch.float64) + 0.5) / 200 - 1
    x, y = torch.meshgrid(middles, middles, indexing="xy")
    places = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    gone = (theta @ places - places[:2]) / 2  # in sides
    assert departure(theta) == pytest.approx(float((gone**2).sum(0).mean().sqrt()), rel=1e-5)


def test_a_shift_departs_by_itself_and_the_identity_not_at_all():
    assert departure(Motion(right=-0.3, down=0.4).undoing()) == pytest.approx(0.5, abs=1e-6)
    assert departure(Motion().undoing()) == 0


def test_out_of_sight_is_more_than_half_a_picture_away():
    assert out_of_sight(np.array([0.3, 0.4, -0.6]), np.array([0.3, 0.4, 0.0])).tolist() == [False, True, True]


def test_numbers_of_a_model_are_those_of_its_thetas(encoder):
    train, test = (small_faces(count=24, side=32, seed=seed) for seed in (0, 1))
    model = adapt(encoder, train, train, plug_in="stn", epochs=3, settings=FAST).models[0]
    with torch.no_grad():
        model.plug_in.localisation[-1].weight.add_(0.2)  # faces differ
    found, told = theta_numbers(model, test), thetas(model, test).double().numpy()
    one_by_one = [float(departure(torch.as_tensor(theta))) for theta in told]
    assert found["departure"] == pytest.approx(np.sqrt(np.mean(np.square(one_by_one))))
    assert found["alike"] == pytest.approx(float(departure(torch.as_tensor(told.mean(0)))))
    assert found["own"] > 0.001
    assert found["departure"] ** 2 == pytest.approx(found["alike"] ** 2 + found["own"] ** 2)
    assert found["right"] == pytest.approx(told[:, 0, 2].mean() / 2)
    plain = adapt(encoder, train, train, epochs=1, settings=FAST).models[0]
    assert theta_numbers(plain, test) == {}


def test_every_frame_of_a_clip_has_its_theta(encoder):
    faces = small_faces(count=6, side=32)
    index = np.array([[0, 1, 2], [3, 4, 4]])
    clips = SequenceSet(faces, index, faces.table.iloc[index[:, 0]])
    settings = {"head": Decision((8,), gru=4, length=3), "epochs": 1, "settings": FAST}
    model = adapt(encoder, clips, clips, plug_in="stn", **settings).models[0]
    with torch.no_grad():
        model.plug_in.localisation[-1].weight.add_(0.2)
    found = thetas(model, clips)
    assert found.shape == (6, 2, 3)
    torch.testing.assert_close(found, thetas(model, faces)[[0, 1, 2, 3, 4, 4]])


def test_a_grid_keeps_what_was_seen_of_models_with_a_plug_in(encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    sets = Parts(*(small_faces(count=24, side=32, seed=seed) for seed in (0, 1, 2)))
    monkeypatch.setattr(grid._Opened, "parts", lambda self, cell: sets)
    monkeypatch.setattr(grid._Opened, "encoder", lambda self, cell: encoder)
    cells = [Cell("world:jaffe"), Cell("world:jaffe", plug_in="stn")]
    plan = Plan("smoke", epochs=1, decision=Decision((8,)), settings=FAST)
    plain = run_grid(cells, [0], plan)
    seen = run_grid(cells, [0], plan, also=theta_numbers)
    assert "departure" not in plain
    assert seen.set_index("plug_in")["departure"].notna().groupby(level=0).all().to_dict() == {
        "none": False,
        "stn": True,
    }
    assert seen["value"].tolist() == plain["value"].tolist()
    assert len(list((tmp_path / grid.SHELF).iterdir())) == 3  # the run without a plug-in is shared
    monkeypatch.setattr(grid, "adapt", None)  # nothing is run again
    pd.testing.assert_frame_equal(run_grid(cells, [0], plan, also=theta_numbers), seen)


def test_departures_leave_out_grids_that_left_and_count_them():
    line = {"plug_in": "stn", "encoder": "pk", "metric": "accuracy", "alike": 0.3, "own": 0.1, "lost": 0.0}
    rows = pd.DataFrame(
        [
            line | {"dataset": "world:jaffe", "seed": 0, "departure": 0.2},
            line | {"dataset": "world:jaffe", "seed": 0, "departure": 0.2, "metric": "other"},
            line | {"dataset": "world:jaffe", "seed": 1, "departure": 0.4},
            line | {"dataset": "world:jaffe", "seed": 2, "departure": 9.0, "lost": 1.0},
            line | {"dataset": "world:fabo", "seed": 0, "departure": 5.0, "lost": 1.0},
            line | {"dataset": "world:fabo", "seed": 0, "plug_in": "none", "departure": np.nan},
        ]
    )
    table = departures(rows, {"jaffe": "JAFFE"}).set_index("corpus")
    assert table.loc["JAFFE", ["mean", "in_sight", "seeds"]].tolist() == [pytest.approx(0.3), 2, 3]
    half = 12.706205 * 0.1  # Student's t of one degree of freedom times the standard error
    assert table.loc["JAFFE", ["low", "high"]].tolist() == pytest.approx([0.0, 0.3 + half])
    assert table.loc["world:fabo", ["in_sight", "seeds"]].tolist() == [0, 1]
    assert np.isnan(table.loc["world:fabo", "mean"])
