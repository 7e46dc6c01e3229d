"""Greedy picks: the printed pseudo-code in plain loops, an independent library, ties, and what is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.sampling import greedy, gsx, gsy, igs


def printed(spaces: list, first_in: list, k: int) -> list[int]:
    """Tables 2 and 3, in exact arithmetic: distances are compared as products of squares of fractions.

    A square root changes no order, so neither does leaving it out.
    """
    spaces = [[[Fraction(float(value)) for value in row] for row in space] for space in spaces]
    first_in = [[Fraction(float(value)) for value in row] for row in first_in]

    def square(a: list[Fraction], b: list[Fraction]) -> Fraction:
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))

    mean = [sum(column) / len(first_in) for column in zip(*first_in, strict=True)]
    unlabelled = list(range(len(first_in)))
    first = min(unlabelled, key=lambda n: square(first_in[n], mean))  # of equals the lowest
    picked = [first]
    unlabelled.remove(first)
    for _ in range(k - 1):
        nearest = []
        for n in unlabelled:
            to_labelled = [math.prod(square(space[n], space[m]) for space in spaces) for m in picked]
            nearest.append(min(to_labelled))
        best = unlabelled[nearest.index(max(nearest))]
        picked.append(best)
        unlabelled.remove(best)
    return picked


def all_three(x: np.ndarray, y: np.ndarray, k: int) -> list[tuple[list[int], list[int]]]:
    """What the library and the loops pick, by strategy."""
    return [
        (gsx(x, k).tolist(), printed([x], x, k)),
        (gsy(y, k).tolist(), printed([y], y, k)),
        (igs(x, y, k).tolist(), printed([x, y], y, k)),
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("columns", [1, 2])
def test_random_data_follow_the_printed_pseudo_code(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(24, 5)), rng.normal(size=(24, columns))
    for ours, theirs in all_three(x, y, 24):
        assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ties_on_lattices_fall_to_the_lowest_row(data) -> None:
    count = data.draw(st.integers(2, 14))
    whole = st.integers(-2, 2)
    x = np.array(data.draw(st.lists(st.tuples(whole, whole), min_size=count, max_size=count)), dtype=float)
    y = np.array(data.draw(st.lists(st.tuples(whole), min_size=count, max_size=count)), dtype=float)
    for ours, theirs in all_three(x, y, count):
        assert ours == theirs


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([0.0, 1e4]))
def test_ties_survive_scale_and_distance_from_zero(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-3, 4, (16, 3)).astype(float), rng.integers(-3, 4, (16, 1)).astype(float)
    powers = 2.0 ** round(math.log2(scale)), 2.0 ** round(math.log2(shift)) if shift else 0.0
    moved = [space * powers[0] + powers[1] * powers[0] for space in (x, y)]  # exact in floating point
    assert [ours for ours, _ in all_three(*moved, 16)] == [theirs for _, theirs in all_three(x, y, 16)]


@pytest.mark.parametrize("power", [10, 14, 20, 26])
@pytest.mark.parametrize("columns", [3, 16])
def test_tight_clusters_far_apart_are_not_blurred_by_rounding(power: int, columns: int) -> None:
    """Squares of distances within a cluster, 2^-20 to 2^-52, are lost in sums of squares of its place."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        x = rng.integers(-2, 3, (20, columns)) * 2.0**-power + np.where(np.arange(20) < 10, 0, 3)[:, None]
        y = rng.integers(-2, 3, (20, 1)) * 2.0**-power + np.arange(20)[:, None] % 2
        for ours, theirs in all_three(x, y, 20):
            assert ours == theirs


def test_ties_of_a_few_rows_in_many_are_settled_by_differences() -> None:
    """Tenths in twelve columns, moved: two rows in fifty tie for being the farthest, up to rounding."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.integers(-9, 10, (50, 12)) * 1.0, np.zeros((2, 12))])
        x[50, rng.permutation(12)[:4]] = [60.0, -61.0, 62.0, 63.0]
        x[51] = x[50, rng.permutation(12)]
        place = rng.permutation(52)
        assert gsx(x[place], 4).tolist() == printed([x[place]], x[place], 4)


def test_many_ties_are_settled_once_for_all() -> None:
    nearest, picked = greedy._Nearest((np.eye(150),)), [7]  # every row as far from every other
    nearest.add(7)
    for _ in range(20):
        picked.append(nearest.farthest())
        nearest.add(picked[-1])
    assert picked == [7, *range(7), *range(8, 21)]
    assert all(column.exact for column in nearest.columns)
    assert nearest.spent < 4 * 150  # pairs of rows; 30,000 if each pick settled its own


def test_the_centroid_of_ties_is_the_lowest_row_whatever_rounding_does() -> None:
    rows = ["3710", "1073", "3710", "3107", "3107", "1073", "1370", "0713", "1730", "1370", "7130"]
    x = np.array([[float(digit) for digit in row] for row in rows])
    assert gsx(x, 1).tolist() == printed([x], x, 1)


def test_what_rounding_may_do_to_a_product_is_bounded() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 40)) * 1e-5 + np.repeat([[0.0], [3.0], [50.0]], 20, 0)
    y = 1e4 * (rng.normal(size=(60, 12)) * 1e-4 + np.tile([[0.0], [7.0]], (30, 1)))
    nearest = greedy._Nearest((x, y))
    for row in (0, 20, 40):  # odd rows are near to one of them in x alone
        nearest.add(row)
    rest = np.setdiff1d(np.arange(60), nearest.known)
    true = nearest._by_differences(rest)
    off = np.abs(nearest.least[rest] - true)
    assert (off <= greedy.NEAR * true + nearest.doubt[rest]).all()
    assert (off > greedy.NEAR * true).any()  # else the bound is not needed here


@pytest.mark.parametrize("power", [-600, -300, 300, 1000])
def test_scale_alone_changes_no_pick(power: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(15, 10)), rng.normal(size=15)
    for start in ("centroid", "medoid"):
        wanted = gsx(x, 9, start=start).tolist(), igs(x, y, 9, start=start).tolist()
        large, tall = np.ldexp(x, power), np.ldexp(y, -power // 2)
        assert (gsx(large, 9, start=start).tolist(), igs(large, tall, 9, start=start).tolist()) == wanted


def test_the_medoid_has_the_least_sum_of_distances() -> None:
    x = np.random.default_rng(5).normal(size=(30, 6))
    x[0] = 60.0  # draws the mean away
    sums = [sum(math.dist(a, b) for b in x) for a in x]
    assert gsx(x, 1, start="medoid").tolist() == [int(np.argmin(sums))]
    assert gsx(x, 1).tolist() != gsx(x, 1, start="medoid").tolist()
    assert gsx([[0.0], [1.0], [1.0], [2.0]], 1, start="medoid").tolist() == [1]  # of equals the lowest


def test_a_hand_worked_line() -> None:
    line = [[0.0], [1.0], [10.0], [4.0]]  # mean 3.75: row 3 first; then 10 (6 away), then 0 (4 away)
    assert gsx(line, 4).tolist() == [3, 2, 0, 1]
    assert gsy([0.0, 1.0, 10.0, 4.0], 4).tolist() == [3, 2, 0, 1]


def test_igs_takes_the_least_product_not_the_product_of_the_least() -> None:
    # Rows 0 and 1 are labelled. To them, row 2 is (x 1, y 6) and (x 6, y 1) away: products 6 and 6. Row 3 is
    # (x 3, y 1.5) and (x 4, y 5.5) away: the least product is 4.5, so row 2 is next. The products of the
    # least distances would be 1 * 1 for row 2 and 3 * 1.5 for row 3, and row 3 would be next.
    x = np.array([[0.0], [7.0], [1.0], [3.0]])
    y = np.array([[0.0], [-7.0], [-6.0], [-1.5]])
    assert igs(x, y, 1, labelled=[0, 1]).tolist() == [2]


def test_duplicates_come_last_and_none_twice() -> None:
    rng = np.random.default_rng(3)
    once = rng.normal(size=(6, 4))
    x = np.concatenate([once, once])
    y = x[:, :1]
    for ours, theirs in all_three(x, y, 12):
        assert ours == theirs
        assert sorted(ours) == list(range(12))
        assert sorted(row % 6 for row in ours[:6]) == list(range(6))


def test_all_rows_equal_are_taken_in_their_order() -> None:
    same = np.full((5, 3), 0.1)
    assert gsx(same, 5).tolist() == gsy(same, 5).tolist() == igs(same, same, 5).tolist() == [0, 1, 2, 3, 4]


def test_one_row() -> None:
    assert gsx([[2.0]], 1).tolist() == gsy([2.0], 1).tolist() == igs([[2.0]], [1.0], 1).tolist() == [0]


@pytest.mark.parametrize("method", ["gsx", "gsy", "igs"])
@pytest.mark.parametrize("known", [1, 4])
def test_equal_to_scikit_activeml_from_the_same_start(method: str, known: int) -> None:
    pool = pytest.importorskip("skactiveml.pool")
    wrapper = pytest.importorskip("skactiveml.regressor")
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(known)
    x = rng.normal(size=(60, 7))
    regressor = wrapper.SklearnRegressor(LinearRegression()).fit(x, x @ rng.normal(size=7) + x[:, 0] ** 2)
    predictions = regressor.predict(x)
    ours = {
        "gsx": lambda k, **more: gsx(x, k, **more),
        "gsy": lambda k, **more: gsy(predictions, k, **more),
        "igs": lambda k, **more: igs(x, predictions, k, **more),
    }[method]
    start = ours(1).tolist() if known == 1 else [5, 17, 40, 8]
    labels = np.full(60, np.nan)
    labels[start] = predictions[start]
    if method == "gsx":
        theirs = pool.GreedySamplingX(random_state=0).query(x, labels, batch_size=30)
    else:
        query = pool.GreedySamplingTarget(method={"gsy": "GSy", "igs": "GSi"}[method], random_state=0)
        theirs = query.query(x, labels, regressor, fit_reg=False, batch_size=30)
    assert ours(30, labelled=start).tolist() == theirs.tolist()
    if known == 1:
        assert ours(31).tolist() == start + theirs.tolist()


def test_the_first_pick_is_the_centroid_or_the_medoid() -> None:
    # Mean 2.2: row 1, at 2, is nearest. Sums of distances: 11, 11, 10, 11 and 29: row 2 is the medoid.
    line = np.array([[0.0], [2.0], [1.0], [0.0], [8.0]])
    assert gsx(line, 1).tolist() == [1]
    assert gsx(line, 1, start="medoid").tolist() == [2]
    assert gsy(line, 1, start="medoid").tolist() == [2]
    features = np.arange(5.0)[:, None]  # the start of igs lies in the space of the predictions
    assert igs(features, line, 1).tolist() == [1]
    assert igs(features, line, 1, start="medoid").tolist() == [2]


def test_picks_go_on_where_labels_are() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    for pick in (
        lambda k, **m: gsx(x, k, **m),
        lambda k, **m: gsy(y, k, **m),
        lambda k, **m: igs(x, y, k, **m),
    ):
        whole = pick(20).tolist()
        assert pick(8).tolist() == whole[:8]  # the first are the first, whatever k
        assert pick(12, labelled=whole[:8]).tolist() == whole[8:]
        assert pick(12, labelled=np.array(whole[:8])[::-1]).tolist() == whole[8:]
        assert not set(pick(35, labelled=[3, 1, 2])) & {1, 2, 3}


def test_rows_of_maps_are_flattened_and_inputs_stay_as_they_are() -> None:
    maps = np.random.default_rng(1).normal(size=(10, 2, 3, 3)).astype(np.float32)
    before = maps.copy()
    assert gsx(maps, 10).tolist() == gsx(maps.reshape(10, -1), 10).tolist()
    np.testing.assert_array_equal(maps, before)
    assert gsx(maps, 3).dtype == np.int64


GOOD = np.arange(8.0).reshape(4, 2)
NAN = np.array([[0.0, 1.0], [np.nan, 0.0]])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: gsx(GOOD, 5), "k must be a whole number from 1 to 4"),
        (lambda: gsx(GOOD, 0), "k must be a whole number from 1 to 4.*got 0"),
        (lambda: gsx(GOOD, -1), "k must be a whole number"),
        (lambda: gsx(GOOD, 1.5), "k must be a whole number"),
        (lambda: gsx(GOOD, float("nan")), "k must be a whole number"),
        (lambda: gsx(GOOD, True), "k must be a whole number"),
        (lambda: gsx(GOOD, np.True_), "k must be a whole number"),
        (lambda: gsx(GOOD, float("inf")), "k must be a whole number"),
        (lambda: gsx(GOOD, "2"), "k must be a whole number.*got '2'"),
        (lambda: gsx(GOOD, None), "k must be a whole number.*got None"),
        (lambda: gsx(GOOD, 4, labelled=[0]), "k must be a whole number from 1 to 3"),
        (lambda: gsx(GOOD, 1, labelled=[0, 1, 2, 3]), "labelled must leave a sample.*got all 4"),
        (lambda: gsx(GOOD, 1, labelled=[0, 0]), "labelled must be distinct rows"),
        (lambda: gsx(GOOD, 1, labelled=[4]), r"labelled must be distinct rows in \[0, 4\)"),
        (lambda: gsx(GOOD, 1, labelled=[-1]), "labelled must be distinct rows"),
        (
            lambda: gsx(GOOD, 1, labelled=[True, False, False, False]),
            "labelled must hold rows as whole numbers",
        ),
        (lambda: gsx(GOOD, 1, labelled=[0.5]), "labelled must hold rows as whole numbers"),
        (lambda: gsx(GOOD, 1, start="middle"), "start must be one of centroid, medoid; got 'middle'"),
        (lambda: gsx(NAN, 1), "features must be finite; got 1 rows.*first row 1"),
        (lambda: gsx([[np.inf]], 1), "features must be finite"),
        (lambda: gsy([0.0, np.nan], 1), "predictions must be finite"),
        (lambda: igs(GOOD, [0.0, 1.0, np.nan, 0.0], 1), "predictions must be finite"),
        (lambda: igs(GOOD, [0.0, 1.0], 1), "must have as many rows; got 4 and 2"),
        (lambda: gsx(np.zeros((0, 3)), 1), "features must hold at least one row"),
        (lambda: gsx(3.0, 1), "features must hold at least one row"),
    ],
)
def test_what_makes_no_sense_is_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
