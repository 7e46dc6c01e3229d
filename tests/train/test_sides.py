"""Side targets stay with their faces, whatever is done with the set."""

import numpy as np
import pytest
import torch

from fer_lib.datasets import load
from fer_lib.train.sides import SideTargets, both_views


@pytest.fixture(scope="module")
def both():
    return both_views(load("world:affectnet", split="train", size=32, limit=30).as_task("categorical"))


def sides_by_path(both):
    return dict(zip(both.table["path"], both.sides[:, 0].tolist(), strict=True))


def test_rows_left_out_take_their_sides_with_them(both):
    mask = np.arange(len(both)) % 3 == 0
    rest = both.without(mask, reason="every third")
    assert isinstance(rest, SideTargets)
    assert rest.dropped["every third"] == mask.sum()
    assert len(rest) == len(both) - mask.sum()
    told = sides_by_path(both)
    assert all(told[path] == value for path, value in sides_by_path(rest).items())
    torch.testing.assert_close(rest.training_targets()[:, 0].long(), rest.targets())


def test_both_parts_of_a_split_keep_theirs(both):
    parts = both.split(0.3, seed=1)
    told = sides_by_path(both)
    assert sorted(path for part in parts for path in part.table["path"]) == sorted(told)
    for part, plain in zip(parts, both.faces.split(0.3, seed=1), strict=True):
        assert part.faces.fingerprint == plain.fingerprint
        assert all(told[path] == value for path, value in sides_by_path(part).items())


def test_values_are_scored_by_valence_and_arousal(both):
    values = both.values()
    assert (values.task, values.metric) == ("valence_arousal", "ccc")
    torch.testing.assert_close(values.targets().float(), both.sides[:, :2])
    assert values.fingerprint not in (both.fingerprint, both.faces.fingerprint)
    assert both.as_task("categorical") is both
