"""A reader of muscles: closed form, the same moments for each factor, nobody learned from unasked."""

from dataclasses import replace

import numpy as np
import pytest

from fer_lib.errors import DataError
from fer_lib.sampling import muscles
from fer_lib.sampling.muscles import Moments, moved

CROWD = {"people": 4, "each": 80}


@pytest.fixture(scope="module")
def rows():
    return muscles.study((0, 2), (0.2, 1.0), **CROWD)


def test_moved_weights_are_where_the_penalised_error_is_least():
    rng = np.random.default_rng(0)
    units, labels, start = rng.normal(size=(9, 4)), rng.normal(size=(9, 2)), rng.normal(size=(4, 2))

    def price(weights, penalty):
        return np.square(labels - units @ weights).sum() + penalty * np.square(weights - start).sum()

    for penalty in (0.1, 3.0):
        found = moved(start, units, labels, penalty)
        for _ in range(50):
            assert price(found, penalty) < price(found + 1e-3 * rng.normal(size=(4, 2)), penalty)
    np.testing.assert_allclose(moved(start, units, labels, 1e12), start, atol=1e-9)
    least = np.linalg.lstsq(units, labels, rcond=None)[0]
    np.testing.assert_allclose(moved(start, units, labels, 1e-12), least, atol=1e-9)


def test_moments_differ_in_habits_alone():
    drawn = muscles.moments((0, 3), "test", people=3, each=10)
    np.testing.assert_array_equal(drawn[0].labels, drawn[3].labels)
    np.testing.assert_array_equal(drawn[0].films, drawn[3].films)
    assert not np.allclose(drawn[0].units, drawn[3].units)
    assert (drawn[0].units[:, -1] == 1).all()
    assert len(set(drawn[0].people)) == 3


def test_without_habits_nothing_is_learned_of_a_person_and_with_them_much(rows):
    gains = muscles.own_gains(rows).set_index(["dimension", "share", "factor"])["mean"]
    assert abs(gains["valence", 1.0, 0]) < 1e-3
    assert gains["valence", 1.0, 2] > 0.02
    assert gains["valence", 1.0, 2] > gains["valence", 0.2, 2]


def test_rows_are_folds_of_films(rows):
    counts = rows.groupby(["dimension", "factor", "condition", "share"]).size()
    assert set(counts) == {4 * muscles.FOLDS}
    assert len(counts) == 2 * 2 * 3
    assert set(rows[rows["condition"] == "0 %"]["labels"]) == {0}


def test_strangers_are_fitted_without_who_plays_the_new_person():
    rng = np.random.default_rng(1)
    names = np.repeat(["a", "b"], 6)
    some = Moments(rng.normal(size=(12, 3)), rng.normal(size=(12, 2)), names, names)
    alone = muscles._fit(some.of("a"))
    np.testing.assert_allclose(muscles._fit(some, without=some.of("b")), alone, rtol=1e-9)


def test_labels_of_test_films_and_of_unasked_frames_change_no_weights(monkeypatch):
    one = muscles.moments((2,), "test", people=3, each=80)[2]
    one = one.of(one.people[0])
    seen: list[list[np.ndarray]] = []
    fit = muscles.moved
    monkeypatch.setattr(
        muscles, "moved", lambda s, u, y, p: seen[-1].append(np.hstack([u, y])) or fit(s, u, y, p)
    )
    for shift in (0.0, 1.0):
        first = one.films == one.films[0]
        seen.append([])
        given = replace(one, labels=one.labels + shift * first[:, None])
        muscles._read(given, np.zeros((one.units.shape[1], 2)), 1.0, 1.0, seed=0)
    same = [np.array_equal(a, b) for a, b in zip(*seen, strict=True)]
    assert same.count(True) == 1  # the fold that tests this film did not learn from it


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"people must be 3 or more.*got 2"):
        muscles.study((0,), people=2, each=80)
    with pytest.raises(ValueError, match=r"shares in \(0, 1\]"):
        muscles.study((0,), (1.5,), people=3, each=80)
    with pytest.raises(DataError, match="5 folds need as many films"):
        muscles.study((0,), people=3, each=20)
