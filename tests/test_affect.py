"""Vocabularies, and divisions of the plane against a loop over angles and signs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.affect import VOCABULARIES, divide_va, index_map, va_bins

unit = st.floats(-1, 1)
CORPORA = {
    "affectnet", "affectnet7", "masked_affectnet", "fer2013", "ferplus", "jaffe", "omg_emotion", "elderreact",
    "emoreact", "fabo", "affwild2",
}  # fmt: skip


class TestVocabularies:
    def test_every_corpus_with_classes_has_one(self):
        assert set(VOCABULARIES) == CORPORA
        sizes = {"affectnet": 8, "affectnet7": 7, "fer2013": 7, "ferplus": 8, "jaffe": 7, "elderreact": 6}
        assert {name: len(VOCABULARIES[name]) for name in sizes} == sizes
        assert (len(VOCABULARIES["emoreact"]), len(VOCABULARIES["fabo"])) == (8, 9)

    def test_names_are_lower_case_nouns_used_once(self):
        for classes in VOCABULARIES.values():
            assert len(set(classes)) == len(classes)
            assert all(name.isalpha() and name.islower() for name in classes)

    def test_official_indices(self):
        assert VOCABULARIES["fer2013"].index("happiness") == 3
        assert VOCABULARIES["ferplus"].index("anger") == 4
        assert VOCABULARIES["affectnet"].index("contempt") == 7
        assert VOCABULARIES["affwild2"].index("anger") == 1
        assert "contempt" not in VOCABULARIES["affectnet7"]


class TestIndexMap:
    @pytest.mark.parametrize("source", sorted(CORPORA))
    @pytest.mark.parametrize("target", sorted(CORPORA))
    def test_keeps_names(self, source, target):
        mapped = index_map(source, target)
        for i, name in enumerate(VOCABULARIES[source]):
            if name in VOCABULARIES[target]:
                assert VOCABULARIES[target][mapped[i]] == name
            else:
                assert mapped[i] == -1

    def test_takes_names_and_lists(self):
        assert index_map(["anger", "joy"], "fer2013").tolist() == [0, -1]
        assert index_map("affectnet7", "affectnet").tolist() == list(range(7))
        assert index_map("fer2013", ("happiness",)).dtype == np.int64

    def test_refusals(self):
        with pytest.raises(
            ValueError, match=r"source must name a vocabulary; got 'ferpus'. Did you mean 'ferplus'"
        ):
            index_map("ferpus", "fer2013")
        with pytest.raises(
            ValueError, match=r"target must name a vocabulary; got 'zzz'. There are affectnet, "
        ):
            index_map("ferplus", "zzz")
        with pytest.raises(ValueError, match="source must name each class once"):
            index_map(["anger", "anger"], "fer2013")


class TestDivide:
    @given(unit, unit, st.sampled_from([4, 8, 12]))
    def test_equals_counting_edges_by_angle(self, valence, arousal, parts):
        angle = math.degrees(math.atan2(arousal, valence)) % 360
        width = 360 / parts
        if min(angle % width, width - angle % width) < 1e-9:
            return  # on an edge rounding decides
        expected = sum(angle > k * width for k in range(1, parts))
        assert int(divide_va(valence, arousal, parts)) == expected

    def test_edges_belong_to_the_sector_that_they_open(self):
        for k in range(8):
            v, a = [(1, 0), (0.5, 0.5), (0, 1), (-0.5, 0.5), (-1, 0), (-0.5, -0.5), (0, -1), (0.5, -0.5)][k]
            assert divide_va(v, a, 8) == k
            assert divide_va(v, a, 4) == k // 2

    @given(unit, unit)
    def test_quarters_go_by_sign(self, valence, arousal):
        if abs(valence) < 1e-9 or abs(arousal) < 1e-9:
            return
        expected = {(1, 1): 0, (-1, 1): 1, (-1, -1): 2, (1, -1): 3}
        assert divide_va(valence, arousal, 4) == expected[np.sign(valence), np.sign(arousal)]

    @given(unit, unit)
    def test_halves_go_by_valence_or_by_arousal(self, valence, arousal):
        if abs(valence) < 1e-9 or abs(arousal) < 1e-9:
            return
        assert divide_va(valence, arousal, 2) == (valence < 0)
        assert divide_va(valence, arousal, 2, start_deg=0) == (arousal < 0)

    @given(unit, unit, st.sampled_from([2, 4, 8, 12]))
    def test_within_range_everywhere(self, valence, arousal, parts):
        assert 0 <= divide_va(valence, arousal, parts) < parts

    def test_a_hair_below_the_axis_is_the_last_sector(self):
        assert divide_va(1.0, -1e-30, 12) == 11
        assert divide_va(-1.0, -0.0, 4) == divide_va(-1.0, 0.0, 4) == 2

    def test_twelve_parts_refine_four(self):
        rng = np.random.default_rng(0)
        v, a = rng.uniform(-1, 1, (2, 500))
        assert np.array_equal(divide_va(v, a, 12) // 3, divide_va(v, a, 4))
        assert np.array_equal(divide_va(v, a, 8) // 2, divide_va(v, a, 4))

    def test_equal_shares_of_a_round_cloud(self):
        v, a = np.random.default_rng(0).normal(0, 0.2, (2, 24_000)).clip(-1, 1)
        for parts in (2, 4, 8, 12):
            share = np.bincount(divide_va(v, a, parts), minlength=parts) / 24_000
            assert share == pytest.approx(1 / parts, rel=0.1)

    def test_neutral_disc(self):
        v, a = np.array([[0.0, 0.05, 0.1, -0.3], [0.0, 0.05, 0.0, 0.0]])
        assert divide_va(v, a, 8, neutral_radius=0.1).tolist() == [8, 8, 0, 4]  # the edge is outside
        assert divide_va(v, a, 8).tolist() == [0, 1, 0, 4]  # without a disc the centre has angle 0

    def test_keeps_the_shape(self):
        assert divide_va(np.zeros((3, 2)), np.zeros((3, 2)), 4).shape == (3, 2)

    def test_refusals(self):
        with pytest.raises(ValueError, match="parts must be 2, 4, 8 or 12; got 7"):
            divide_va(0, 0, 7)
        with pytest.raises(ValueError, match=r"neutral_radius must lie in \[0, 1\); got 1"):
            divide_va(0, 0, 4, neutral_radius=1)
        with pytest.raises(ValueError, match=r"valence must lie in \[-1, 1\]; got -2.0 \(in 2 rows\)"):
            divide_va([0, -2, -2], [0, 0, 0], 4)
        with pytest.raises(ValueError, match=r"arousal must lie in \[-1, 1\]; got nan"):
            divide_va([0.0], [np.nan], 4)
        with pytest.raises(ValueError, match=r"valence and arousal must pair up; got \(2,\), \(1,\)"):
            divide_va([0, 0], [0], 4)


class TestBins:
    @given(unit, unit, st.integers(1, 20))
    def test_the_square_contains_its_point(self, valence, arousal, bins):
        up, across = divmod(int(va_bins(valence, arousal, bins)), bins)
        for value, i in ((valence, across), (arousal, up)):
            assert -1 + 2 * i / bins - 1e-12 <= value <= -1 + 2 * (i + 1) / bins + 1e-12

    def test_edges(self):
        assert va_bins(1.0, 1.0, 5) == 24
        assert va_bins(-1.0, -1.0, 5) == 0
        assert va_bins([0.0, 0.0], [-1.0, 0.999], 2).tolist() == [1, 3]

    def test_refusals(self):
        with pytest.raises(ValueError, match="bins must be a whole number from 1; got 0"):
            va_bins(0, 0, 0)
        with pytest.raises(ValueError, match=r"bins must be a whole number from 1; got 2.5"):
            va_bins(0, 0, 2.5)
        with pytest.raises(ValueError, match=r"arousal must lie in \[-1, 1\]; got 1.5"):
            va_bins(0, 1.5, 4)
