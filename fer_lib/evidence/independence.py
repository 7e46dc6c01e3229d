"""Does what is shown tell anything about who shows it, or where? In a fair world it must not (chapter 01)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TRAITS = (
    "age", "male", "skin_tone", "glasses", "beard",
    "yaw_deg", "pitch_deg", "roll_deg", "light_azimuth_deg", "light_key", "exposure",
)  # fmt: skip
SCENE = ("light_key", "light_azimuth_deg", "exposure")  # two scenes never share all three


def association(
    truth: "pd.DataFrame", *, traits: Sequence[str] = TRAITS, shown: str = "prototype"
) -> "pd.DataFrame":
    r"""Share of each trait's variance that the shown expression explains, and how much chance explains.

    .. math:: \eta^2 = \frac{\sum_k n_k (\bar x_k - \bar x)^2}{\sum_i (x_i - \bar x)^2}

    Frames of a clip, and clips of a video that repeat a feeling in one scene, are not drawn anew: each
    feeling counts once a scene. Under independence the ratio of mean squares follows (nearly) an F
    distribution with K - 1 and n - K degrees of freedom.

    Args:
        truth: of a world, N rows.
        traits: numeric columns; those that do not vary, or that the world lacks, are left out.
        shown: column with the expression.

    Returns:
        A row a trait: trait, share (eta squared, 0 to 1), expected (under independence), p, n.

    Example:
        >>> import pandas as pd
        >>> truth = pd.DataFrame({"prototype": ["a", "a", "b", "b"], "age": [1.0, 3.0, 4.0, 6.0]})
        >>> float(association(truth, traits=["age"]).loc[0, "share"].round(3))
        0.692

    Reference:
        Fisher (1925), the correlation ratio and its distribution. Chapter 01.
    """
    import pandas as pd
    from scipy.special import fdtrc

    rows = truth.drop_duplicates("clip") if "clip" in truth else truth
    scene = [name for name in SCENE if name in truth]
    rows = rows.drop_duplicates([*scene, shown]) if scene else rows
    kinds, kind = np.unique(rows[shown].astype(str), return_inverse=True)
    count, n = np.bincount(kind), len(rows)
    lines = []
    for trait in traits:
        x = rows[trait].to_numpy(float) if trait in rows else np.zeros(n)
        total = ((x - x.mean()) ** 2).sum()
        if total < 1e-12 or len(kinds) < 2 or n <= len(kinds):
            continue
        means = np.bincount(kind, weights=x) / count
        share = float((count * (means - x.mean()) ** 2).sum() / total)
        ratio = (share / (len(kinds) - 1)) / max((1 - share) / (n - len(kinds)), 1e-300)
        p = float(fdtrc(len(kinds) - 1, n - len(kinds), ratio))
        lines.append((trait, share, (len(kinds) - 1) / (n - 1), p, n))
    return pd.DataFrame(lines, columns=["trait", "share", "expected", "p", "n"])


def adjusted(p: np.ndarray) -> np.ndarray:
    """Holm's p values: the chance that the smallest of so many is as small, step by step.

    Example:
        >>> adjusted(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(stepped, 1)
    return out


def fairness(truths: "dict[str, pd.DataFrame]") -> "pd.DataFrame":
    """Every world's strongest association between expression and trait.

    Args:
        truths: by world.

    Returns:
        A row a world: world, n (pictures, or scenes of clips), traits (how many were tested), trait (the
        strongest), share, expected, p (adjusted by Holm over all worlds and traits).
    """
    import pandas as pd

    frames = [association(truth).assign(world=world) for world, truth in truths.items()]
    every = pd.concat(frames, ignore_index=True)
    every["p"] = adjusted(every["p"].to_numpy())
    every["excess"] = every["share"] / every["expected"]
    strongest = every.loc[every.groupby("world", sort=False)["excess"].idxmax()]
    tested = every.groupby("world", sort=False).size().rename("traits").reset_index()
    columns = ["world", "n", "traits", "trait", "share", "expected", "p"]
    return strongest.merge(tested, on="world")[columns].reset_index(drop=True)
