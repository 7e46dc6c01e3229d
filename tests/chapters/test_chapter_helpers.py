"""What chapters import."""

import numpy as np
import pytest
import torch

from fer_lib.chapters import choose, seeds_of
from fer_lib.chapters.helpers import plain


@pytest.mark.parametrize(("profile", "value"), [("smoke", 1), ("quick", 2), ("full", 3)])
def test_choose_picks_the_profiles_value(profile, value):
    assert choose(profile, smoke=1, quick=2, full=3) == value


def test_an_unknown_profile_is_refused_naming_the_three():
    with pytest.raises(
        ValueError, match=r"profile must be smoke, quick or full; got 'fast'\. Choose one of the three"
    ):
        choose("fast", smoke=1, quick=2, full=3)


@pytest.mark.parametrize(
    ("seeds", "profile", "count"), [(0, "smoke", 2), (0, "quick", 5), (0, "full", 30), (7, "smoke", 7)]
)
def test_seeds_of_counts_from_zero(seeds, profile, count):
    assert seeds_of(seeds, profile) == list(range(count))


def test_a_chapter_may_have_its_own_number_for_quick():
    assert seeds_of(0, "quick", quick=3) == [0, 1, 2]


def test_wrong_seeds_are_refused():
    with pytest.raises(ValueError, match=r"seeds must be 0 or more; got -1\. Give 0 for the profile's own"):
        seeds_of(-1, "quick")
    with pytest.raises(TypeError, match=r"seeds must be a whole number; got 1\.5\. Give how many"):
        seeds_of(1.5, "quick")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (torch.tensor(2), 2),
        (np.bool_(True), "True"),
        (3, 3),
        ("a", "a"),
        ([1], "[1]"),
    ],
)
def test_glued_values_are_plain(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
