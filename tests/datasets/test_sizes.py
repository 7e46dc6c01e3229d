"""How many faces a chapter takes in each profile."""

import pytest

from fer_lib.datasets import describe, limit_for, names
from fer_lib.datasets.corpora import CORPORA
from fer_lib.errors import DataError


@pytest.mark.parametrize("name", names())
def test_profiles_grow_and_full_takes_all(name):
    smoke, quick = (limit_for(name, profile) for profile in ("smoke", "quick"))
    assert limit_for(name, "full") is None
    counts = describe(name).counts
    whole = counts.get("train", sum(counts.values()))
    assert (smoke or whole) <= (quick or whole or 10**9)
    held = limit_for(name, "quick", split="test")
    assert held is None or held <= (quick or held)


def test_small_worlds_come_whole():
    assert limit_for("world:jaffe", "smoke") is None
    assert limit_for("world:affectnet", "smoke") < limit_for("world:affectnet", "quick") < 24_000
    assert set(CORPORA) == {name.removeprefix("world:") for name in names()}


def test_refusals():
    with pytest.raises(ValueError, match=r"profile must be one of smoke, quick, full; got 'big'. Choose one"):
        limit_for("jaffe", "big")
    with pytest.raises(DataError, match=r"name: must be a corpus or a world; got 'jafe'"):
        limit_for("jafe", "quick")
