"""Strategies by name, random picks, and the next frame to label."""

import numpy as np
import pytest

from fer_lib.sampling import STRATEGIES, Pool, gsx, gsy, igs, mcdue, next_to_label, pick, random_pick


@pytest.fixture
def pool() -> Pool:
    rng = np.random.default_rng(0)
    return Pool(rng.normal(size=(30, 4)), rng.normal(size=30), rng.uniform(size=30))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_random_picks_repeat_never_come_twice_and_are_all_alike() -> None:
    assert random_pick(9, 4, generator()).tolist() == random_pick(9, 4, generator()).tolist()
    assert random_pick(9, 4, generator()).tolist() != random_pick(9, 4, generator(1)).tolist()
    assert random_pick(9, 4, generator()).tolist() == random_pick(9, 9, generator()).tolist()[:4]
    assert sorted(random_pick(9, 6, generator(), [0, 4, 8]).tolist()) == [1, 2, 3, 5, 6, 7]
    draws = np.concatenate([random_pick(5, 2, generator(seed), [2]) for seed in range(2000)])
    counts = np.bincount(draws, minlength=5)
    assert counts[2] == 0
    assert abs(counts[[0, 1, 3, 4]] - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)


def test_mcdue_takes_the_largest_spread_first() -> None:
    assert mcdue([0.1, 0.3, 0.2, 0.3], 4).tolist() == [1, 3, 2, 0]
    assert mcdue([0.1, 0.3, 0.2, 0.3], 2, labelled=[1]).tolist() == [3, 2]
    assert mcdue(np.arange(300) % 3, 300).tolist() == [
        *range(2, 300, 3),
        *range(1, 300, 3),
        *range(0, 300, 3),
    ]
    with pytest.raises(ValueError, match="std must be one finite number a sample; got shape"):
        mcdue([0.1, np.nan], 1)
    with pytest.raises(ValueError, match="Give one dimension's spread"):
        mcdue(np.zeros((3, 2)), 1)


def test_names_are_those_of_the_paper_and_lead_to_the_functions(pool: Pool) -> None:
    assert list(STRATEGIES) == ["random", "gsx", "gsy", "igs", "mcdue"]
    wanted = {
        "random": random_pick(30, 7, generator(), [3]),
        "gsx": gsx(pool.features, 7, labelled=[3]),
        "gsy": gsy(pool.predictions, 7, labelled=[3]),
        "igs": igs(pool.features, pool.predictions, 7, labelled=[3]),
        "mcdue": mcdue(pool.std, 7, labelled=[3]),
    }
    for name, rows in wanted.items():
        assert pick(pool, 7, name, labelled=[3], generator=generator()).tolist() == rows.tolist()
    assert len({tuple(rows) for rows in wanted.values()}) == 5


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_one_at_a_time_labels_everything_once_and_then_refuses(pool: Pool, strategy: str) -> None:
    draws, labelled = generator(), []
    while len(labelled) < len(pool):
        labelled.append(next_to_label(pool, labelled, strategy, generator=draws))
    assert sorted(labelled) == list(range(30))
    if strategy != "random":
        assert labelled == pick(pool, 30, strategy).tolist()
    with pytest.raises(ValueError, match="labelled must leave a sample to pick; got all 30"):
        next_to_label(pool, labelled, strategy, generator=draws)


def test_what_makes_no_sense_is_refused(pool: Pool) -> None:
    bare = Pool(pool.features)
    with pytest.raises(ValueError, match="strategy must be one of random, gsx, gsy, igs, mcdue; got 'GSx'"):
        next_to_label(pool, [], "GSx")
    with pytest.raises(TypeError, match="pool must be a Pool; got ndarray"):
        next_to_label(pool.features, [])
    with pytest.raises(ValueError, match="pool must hold predictions"):
        next_to_label(bare, [], "igs")
    with pytest.raises(ValueError, match="pool must hold std"):
        next_to_label(bare, [], "mcdue")
    with pytest.raises(ValueError, match="generator must be given for 'random'"):
        next_to_label(bare, [], "random")
    with pytest.raises(ValueError, match="as many rows as features, 30; got shape"):
        Pool(pool.features, [0.0, 1.0])
    with pytest.raises(ValueError, match="k must be a whole number from 1 to 30"):
        random_pick(30, 31, generator())
    with pytest.raises(ValueError, match="features must be an array"):
        Pool(3.0)
    with pytest.raises(TypeError, match="generator must be a NumPy Generator; got int"):
        random_pick(3, 1, 0)
    with pytest.raises(ValueError, match="labelled must be distinct rows"):
        random_pick(3, 1, generator(), [5])
