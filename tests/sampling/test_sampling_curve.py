"""Elbow and advice: curves worked by hand."""

import numpy as np
import pytest

from fer_lib.sampling import advise, elbow


def test_elbow_of_a_hand_worked_curve() -> None:
    # In the unit square: (0, 1), (.25, .2), (.5, .1), (1, 0). Below the diagonal by 0, .55, .4, 0.
    assert elbow([0, 10, 20, 40], [1.0, 0.2, 0.1, 0.0]) == 10
    assert elbow([100, 110, 120, 140], [5.0, 4.2, 4.1, 4.0]) == 110  # shifts change nothing


def test_elbow_of_steadied_errors() -> None:
    # .3 after .1 is a bump: isotonic regression gives 1, .2, .2, .2, 0 -> farthest below the line at 10
    assert elbow([0, 10, 20, 30, 40], [1.0, 0.1, 0.3, 0.2, 0.0]) == 10
    # a lucky .25 is no elbow: with the .9 after it, it becomes .575; farthest below is .1 at 30, by .3
    assert elbow([0, 10, 20, 30, 40, 50], [1.0, 0.25, 0.9, 0.1, 0.05, 0.0]) == 30


@pytest.mark.parametrize(
    "errors", [[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0], [3.0, 2.9, 2.5, 0.0]]
)
def test_flat_rising_straight_and_late_curves_have_no_elbow(errors: list[float]) -> None:
    assert elbow([1, 2, 3, 4], errors) is None
    advice = advise([1, 2, 3, 4], errors)
    assert not advice.stop
    assert advice.elbow is None


def test_advice_tells_a_flat_curve_from_a_straight_one() -> None:
    assert advise([1, 2, 3, 4], [1.0, 1.0, 1.0, 1.0]).reason == "The error has not fallen yet: go on."
    assert advise([1, 2, 3, 4], [3.0, 2.0, 1.0, 0.0]).reason == "The curve shows no bend yet: go on."


def test_advice_by_hand() -> None:
    # Fall of .8 over 10 labels, then .04 over 20: .002 a label against .08, a share of .025
    advice = advise([0, 10, 20, 30], [1.0, 0.2, 0.18, 0.16])
    assert advice.elbow == 10
    assert advice.gain == pytest.approx(0.025)
    assert advice.stop
    assert "Behind 10 labels" in advice.reason
    assert not advise([0, 10, 20, 30], [1.0, 0.2, 0.18, 0.16], least_gain=0.02).stop
    slower = advise([0, 10, 20, 30], [1.0, 0.4, 0.3, 0.2])  # .01 a label against .06
    assert slower.gain == pytest.approx(1 / 6)
    assert not slower.stop


def test_no_stop_near_the_end_or_with_few_points() -> None:
    near = advise([0, 10, 20, 30], [1.0, 0.9, 0.1, 0.09])  # the bend is the last but one point
    assert (near.stop, near.elbow) == (False, 20)
    assert "too near the end" in near.reason
    assert not advise([0, 10, 20], [1.0, 0.1, 0.1]).stop


@pytest.mark.parametrize(
    ("sizes", "errors", "match"),
    [
        ([1, 2], [1, 0], "at least three numbers"),
        ([1, 2, 3], [1, 0], "two rows of at least three"),
        ([1, 3, 2], [3, 2, 1], "sizes must rise"),
        ([1, 1, 2], [3, 2, 1], "sizes must rise"),
        ([1, 2, 3], [3, np.nan, 1], "all values be finite"),
        ([0.05, 0.1, 0.5], [3, 2, 1], "sizes must be whole numbers of labels; got 0.05"),
    ],
)
def test_bad_curves_are_refused(sizes: list, errors: list, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        elbow(sizes, errors)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_bad_least_gain_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="least_gain must be in"):
        advise([1, 2, 3, 4], [4, 3, 2, 1], least_gain=share)
