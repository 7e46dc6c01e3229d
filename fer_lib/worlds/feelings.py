"""What faces can show: the eight emotions, and the further states that some corpora ask for.

The seven further states have no agreed prototype. Theirs are ours, after what studies of learners and of
acted affect report: boredom by drooping lids (FABO's own list of signs; D'Mello and Graesser, 2010),
puzzlement and uncertainty by a lowered brow with tight lids or one raised brow (Craig et al., 2008),
frustration by brows and dimples (Grafsgaard et al., 2013), anxiety by a stretched or bitten mouth (FABO).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS, PROTOTYPES, from_intensities

EMOTIONS: tuple[str, ...] = tuple(PROTOTYPES)

Variant = dict[int, float]

STATES: dict[str, tuple[Variant, ...]] = {
    "anxiety": (
        {1: 0.6, 4: 0.35, 20: 0.65, 25: 0.3, 23: 0.3},
        {1: 0.5, 2: 0.3, 24: 0.8, 17: 0.5},
    ),
    "boredom": (
        {43: 0.62, 15: 0.25},
        {43: 0.50, 17: 0.5, 24: 0.3},
        {43: 0.45, 18: 0.45, 14: 0.3},
    ),
    "puzzlement": (
        {4: 0.75, 7: 0.6, 18: 0.6},
        {4: 0.55, 2: 0.6, 14: 0.5},
        {4: 0.7, 7: 0.45, 23: 0.4, 17: 0.3},
    ),
    "curiosity": (
        {1: 0.65, 2: 0.75, 25: 0.2},
        {2: 0.6, 1: 0.5, 5: 0.3, 12: 0.25},
        {1: 0.4, 2: 0.5, 18: 0.4, 5: 0.25},
    ),
    "uncertainty": (
        {4: 0.5, 14: 0.6, 15: 0.4},
        {1: 0.6, 4: 0.4, 17: 0.7, 24: 0.3},
        {4: 0.4, 7: 0.4, 18: 0.5},
    ),
    "excitement": (
        {1: 0.7, 2: 0.7, 5: 0.5, 12: 0.8, 25: 0.8, 26: 0.7},
        {6: 0.6, 12: 0.9, 25: 0.9, 27: 0.6, 5: 0.3},
    ),
    "frustration": (
        {4: 0.8, 14: 0.6, 24: 0.5},
        {4: 0.7, 10: 0.5, 17: 0.6},
        {4: 0.6, 7: 0.5, 23: 0.7, 43: 0.2},
    ),
}
FEELINGS: tuple[str, ...] = (*EMOTIONS, *STATES)


def lexicon(
    weights: Mapping[str, tuple[float, ...]], own: Mapping[str, tuple[tuple[float, Variant], ...]]
) -> tuple[Tensor, Tensor]:
    """All ways of showing all feelings: action units (F,V,A) and shares (F,V) that sum to 1 a feeling.

    Args:
        weights: of a feeling's usual variants, where they are not alike.
        own: a dialect's further variants, each with its weight.

    Raises:
        ValueError: a feeling that is unknown, or another number of weights than of variants.
    """
    usual = {**PROTOTYPES, **STATES}
    for name in (*weights, *own):
        if name not in usual:
            raise ValueError(f"dialect must name known feelings; got {name!r}. Choose from {FEELINGS}.")
    ways = {name: [*usual[name], *(way for _, way in own.get(name, ()))] for name in FEELINGS}
    most = max(map(len, ways.values()))
    units, shares = torch.zeros(len(FEELINGS), most, len(NUMBERS)), torch.zeros(len(FEELINGS), most)
    for k, name in enumerate(FEELINGS):
        given = weights.get(name, (1.0,) * len(usual[name]))
        if len(given) != len(usual[name]):
            rule = f"variants of {name} must have {len(usual[name])} weights"
            raise ValueError(f"{rule}; got {len(given)}. Give one for each prototype.")
        given = (*given, *(weight for weight, _ in own.get(name, ())))
        shares[k, : len(given)] = torch.tensor(given) / sum(given)
        units[k, : len(ways[name])] = torch.cat([from_intensities(way)[:, :, 0] for way in ways[name]])
    return units, shares
