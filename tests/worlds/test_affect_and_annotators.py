"""Valence and arousal from action units, and the annotators who label what they see."""

import math

import pytest
import torch

from fer_lib.worlds import (
    EMOTIONS,
    Panel,
    affect,
    appearance,
    confusion_matrix,
    from_intensities,
    prototype_table,
)
from fer_lib.worlds.affect_rules import AROUSAL, PAIRS_AROUSAL, PAIRS_VALENCE, VALENCE
from fer_lib.worlds.annotators import CONFUSIONS, bend, rate, vote
from fer_lib.worlds.expressions import Shown


def looks_of(emotion, intensity, batch=1, second="neutral", share=0.0):
    fill = lambda name: torch.full((batch,), EMOTIONS.index(name))  # noqa: E731
    units = torch.zeros(batch, 20, 2)
    full = lambda value: torch.full((batch,), float(value))  # noqa: E731
    shown = Shown(units, fill(emotion), fill("neutral"), full(intensity), fill(second), full(share))
    return appearance(shown, Panel())


def test_affect_is_the_weighted_sum_in_plain_loops():
    face = {4: 0.9, 7: 0.6, 12: 0.3, 25: 0.5, 23: 0.4}
    totals = []
    for single, pairs, bias, slope in (
        (VALENCE, PAIRS_VALENCE, 0.06, 1.15),
        (AROUSAL, PAIRS_AROUSAL, -0.08, 1.05),
    ):
        total = bias
        for number, level in face.items():
            total += single.get(number, 0.0) * level
        for (a, b), weight in pairs.items():
            total += weight * face.get(a, 0.0) * face.get(b, 0.0)
        totals.append(math.tanh(slope * total))
    radius = max(1.0, math.hypot(*totals))
    valence, arousal = affect(from_intensities(face))
    assert float(valence) == pytest.approx(totals[0] / radius, rel=1e-5)
    assert float(arousal) == pytest.approx(totals[1] / radius, rel=1e-5)


QUADRANT = {
    "happiness": (1, 1),
    "sadness": (-1, -1),
    "surprise": (0, 1),
    "fear": (-1, 1),
    "disgust": (-1, 1),
    "anger": (-1, 1),
}


@pytest.mark.parametrize("emotion", QUADRANT)
def test_prototypes_fall_where_the_circumplex_has_them(emotion):
    valence, arousal = affect(prototype_table(emotion))
    for value, sign in zip((valence.mean(), arousal.mean()), QUADRANT[emotion], strict=True):
        assert (value * sign > 0.1) if sign else (abs(value) < 0.35)


def test_affect_stays_in_the_disc_and_a_resting_face_at_its_centre():
    units = torch.rand(5000, 20, generator=torch.Generator().manual_seed(0))
    valence, arousal = affect(units, turn_deg=30, stretch=(3.0, 3.0))
    assert (valence**2 + arousal**2).max() <= 1 + 1e-5
    valence, arousal = affect(from_intensities({}))
    assert math.hypot(float(valence), float(arousal)) < 0.15


def test_a_dialect_turns_the_plane():
    face = prototype_table("happiness")
    plain, turned = affect(face), affect(face, turn_deg=90)
    assert torch.allclose(turned[0], -plain[1], atol=1e-6)
    assert torch.allclose(turned[1], plain[0], atol=1e-6)


def test_confusions_are_a_stochastic_matrix_with_the_known_pairs():
    matrix = confusion_matrix()
    assert torch.allclose(matrix.sum(1), torch.ones(8))
    assert (matrix >= 0).all()
    assert (matrix.diagonal() >= 0.5).all()
    fear, surprise = EMOTIONS.index("fear"), EMOTIONS.index("surprise")
    assert matrix[fear, surprise] == max(CONFUSIONS["fear"].values())
    assert matrix[EMOTIONS.index("disgust")].argsort()[-2] == EMOTIONS.index("anger")


def test_weak_expressions_look_neutral_and_blends_look_like_both():
    strong, weak = looks_of("anger", 0.9)[0], looks_of("anger", 0.05)[0]
    assert strong.argmax() == EMOTIONS.index("anger")
    assert weak.argmax() == EMOTIONS.index("neutral")
    half = looks_of("happiness", 0.9, second="surprise", share=0.5)[0]
    matrix = confusion_matrix()
    expected = (matrix[EMOTIONS.index("happiness")] + matrix[EMOTIONS.index("surprise")]) / 2
    assert torch.allclose(half, expected, atol=2e-4)


def test_an_unbiased_panel_votes_as_the_crowd_sees():
    looks = looks_of("fear", 0.9, batch=6000)
    panel = Panel(count=10, bias=0.0, slips=0.0)
    votes = vote(looks, panel, 10, torch.Generator().manual_seed(0), people_seed=1)
    counted = torch.bincount(votes.flatten(), minlength=8) / votes.numel()
    assert torch.allclose(counted, looks[0], atol=0.012)


def test_biased_annotators_disagree_more():
    looks = looks_of("contempt", 0.6, batch=4000)
    agreement = []
    for bias in (0.0, 1.5):
        panel = Panel(count=8, bias=bias, slips=0.0)
        votes = vote(looks, panel, 2, torch.Generator().manual_seed(0), people_seed=3)
        per_rater = vote(looks, panel, 8, torch.Generator().manual_seed(1), people_seed=3)
        agreement.append(per_rater.float().std(1).mean())
        assert votes.shape == (4000, 2)
    assert agreement[0] != agreement[1]
    with pytest.raises(ValueError, match="votes must be at most 8, the size of the panel; got 9"):
        vote(looks, panel, 9, torch.Generator(), people_seed=0)


def test_ratings_scatter_as_the_panel_says():
    zero = torch.zeros(20000)
    panel = Panel(count=50, shift=0.06, noise=0.11)
    valence, arousal = rate(zero, zero, panel, torch.Generator().manual_seed(0), people_seed=5)
    expected = math.hypot(0.06, 0.11)
    assert float(valence.std()) == pytest.approx(expected, rel=0.1)
    assert float(arousal.std()) == pytest.approx(expected, rel=0.1)
    assert rate(zero + 5, zero, panel, torch.Generator(), people_seed=5)[0].max() == 1


def test_annotators_bend_what_the_crowd_sees_in_plain_loops():
    panel = Panel(count=3, bias=0.8, slips=0.1, lean={"anger": 0.7})
    names, looks = ("fear", "anger"), torch.tensor([[0.8, 0.2], [0.3, 0.7]])
    bias = 0.8 * torch.randn(3, 2, generator=torch.Generator().manual_seed(5))
    bent = bend(looks, panel, people_seed=5, names=names)
    for i in range(2):
        for j in range(3):
            weights = [float(looks[i, 0] * bias[j, 0].exp()), float(looks[i, 1] * (bias[j, 1] + 0.7).exp())]
            for k in range(2):
                expected = 0.9 * weights[k] / sum(weights) + 0.1 / 2
                assert float(bent[i, j, k]) == pytest.approx(expected, rel=1e-5)


def test_strong_expressions_may_be_clearer():
    clear, plain = Panel(clear=1.0), Panel(clear=0.0)
    fill = torch.full((1,), EMOTIONS.index("fear"))
    shown = Shown(torch.zeros(1, 20, 2), fill, fill, torch.ones(1), fill, torch.zeros(1))
    fear = EMOTIONS.index("fear")
    assert float(appearance(shown, clear)[0, fear]) > 0.98
    assert float(appearance(shown, plain)[0, fear]) == pytest.approx(0.63, abs=0.01)
