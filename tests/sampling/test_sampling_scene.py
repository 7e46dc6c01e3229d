"""A reader of the scene does well where frames of one film lie on both sides, and badly where they do not."""

from dataclasses import replace

import numpy as np
import pytest

from fer_lib.datasets import load
from fer_lib.sampling import personal
from fer_lib.sampling.scene import scene_rows


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        some = load("world:amigos", split="test", size=32, limit=800)
        two = some.subset(np.flatnonzero(some.table["subject"].isin(["P30", "P31"])))
        draw = np.random.default_rng(0)
        film = two.table["video"].astype("category").cat.codes.to_numpy()
        value = draw.uniform(-1, 1, film.max() + 1)[film]  # a label a film, whatever the face does
        wall = draw.integers(0, 255, (film.max() + 1, 3, 4, 4))[film].repeat(8, 2).repeat(8, 3)
        pixels = wall + draw.normal(0, 5, two.images.shape)
        table = two.table.assign(valence=value, arousal=-value)
        yield replace(
            two,
            pixels=pixels.clip(0, 255).astype(np.uint8),
            rows=np.arange(len(two)),
            table=table,
            truth=None,
        )


def test_scene_is_read_within_films_and_not_beyond(faces):
    found = {folding: scene_rows(faces, folding=folding, side=4) for folding in ("frames", "clips")}
    spread = faces.table["valence"].std()
    errors = {folding: rows["rmse"].mean() for folding, rows in found.items()}
    assert errors["clips"] > 0.8 * spread  # of a new film, a wall tells nothing
    assert errors["frames"] < 0.75 * errors["clips"]


def test_rows_fit_into_a_study(faces):
    rows = scene_rows(faces, folding="frames", side=4)
    assert list(rows.columns.sort_values()) == sorted(personal.COLUMNS)
    assert len(rows) == 2 * 5 * 2  # people, folds, dimensions
    assert rows.groupby("person")["fold"].agg(["min", "max"]).to_numpy().tolist() == [[0, 4], [0, 4]]
    assert set(rows["condition"]) == {"pixels"}
