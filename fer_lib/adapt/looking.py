"""What the comparisons of chapter 08 say, in a few rows: verdicts, effort, and motions that were undone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.adapt.comparing import SETTINGS, differences
from fer_lib.adapt.frozen import features_of
from fer_lib.adapt.motion import READINGS

if TYPE_CHECKING:
    import pandas as pd

WAYS = {
    ("old", "alone", "map"): "old layer",
    ("old", "alone", "trunk"): "old layer, earlier map",
    ("new", "alone", "map"): "new layer, moved map alone",
    ("new", "beside", "map"): "new layer, both maps",
}
"""(decision layer, what is handed on, where) -> in words."""

OTHERS = {
    ("old", "none", ""): "old layer, no plug-in",
    ("old", "truth", "map"): "old layer, told",
    ("old", "truth", "trunk"): "old layer, told, earlier map",
    ("new", "none", ""): "new layer, no plug-in",
}


VERDICTS = ("higher", "lower", "not told apart")


def count_verdicts(rows: "pd.DataFrame", claims: Mapping[str, tuple[str, str]]) -> "pd.DataFrame":
    """What paired differences say of each claim: pair by pair, and over all pairs at once.

    A pair is a corpus's metric with an encoder. Over all pairs, a seed's differences are averaged first, and
    the interval is that over the seeds: it speaks for these corpora and encoders, not for others.

    Args:
        rows: of ``fer_lib.adapt.comparing.headline``.
        claims: claim to the setting that is said to be the better, and the other.

    Returns:
        claim, pairs, higher, lower, not_told_apart (numbers of pairs), and mean, low, high of the difference
        over all pairs.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for claim, (one, other) in claims.items():
        found = differences(rows, one, other)["verdict"].value_counts()
        told = {name.replace(" ", "_"): int(found.get(name, 0)) for name in VERDICTS}
        line = {"claim": claim, "pairs": int(found.sum()), **told}
        table = rows.pivot(index="seed", columns=["panel", "encoder", "setting"], values="value")
        table = table.swaplevel(0, 2, axis=1).sort_index(axis=1)
        numbers = dict.fromkeys(("mean", "low", "high"), float("nan"))
        if line["pairs"] and len(table) > 1:
            gaps = (table[one] - table[other]).dropna(axis=1, how="all").mean(axis=1).to_numpy(float)
            gap = paired_difference(gaps, np.zeros_like(gaps))
            numbers = {"mean": gap.mean, "low": gap.low, "high": gap.high}
        lines.append(line | numbers)
    return pd.DataFrame(lines)


def effort(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What a setting costs and gives, as a mean over the panels on which all settings ran.

    Args:
        rows: of ``fer_lib.adapt.comparing.headline``.

    Returns:
        encoder, setting, trained (numbers), seconds, score (as a share of All layers' mean score).
    """
    import pandas as pd

    lines = []
    for encoder, part in rows.groupby("encoder", sort=False):
        whole = part.groupby("panel")["setting"].transform("nunique") == len(SETTINGS)
        means = part[whole].groupby(["panel", "setting"])[["value", "trained", "seconds"]].mean()
        scores = means["value"].unstack("setting").mean() if len(means) else {}
        for name, costs in means.groupby("setting")[["trained", "seconds"]].mean().iterrows():
            lines.append(
                (encoder, name, costs["trained"], costs["seconds"], scores[name] / scores["All layers"])
            )
    return pd.DataFrame(lines, columns=["encoder", "setting", "trained", "seconds", "score"])


def flat_features(model: Any, faces: Any) -> np.ndarray:
    """What a decision layer reads of some faces, one row a face (N, D); of an encoder, its map.

    Args:
        model: a ``FaceModel``, or an encoder.
        faces: a FaceSet.
    """
    import torch

    encoder, rows = getattr(model, "encoder", model), np.arange(len(faces))
    stage = "map" if model is encoder else model.frozen_stage()
    with torch.no_grad():
        if stage == "images":
            parts = np.array_split(rows, max(1, len(rows) // 128))
            found = [model.cpu().features(model.prepare(faces.batch(index))) for index in parts]
            return torch.cat(found).flatten(1).numpy()
        kept: Any = features_of(encoder, faces, stage).batch(rows)
        return (kept if model is encoder else model.cpu().features(kept, stage)).flatten(1).numpy()


def recovery(outcome: "pd.DataFrame") -> "pd.DataFrame":
    """What theta undoes, by motion, way of asking and seed.

    Args:
        outcome: of ``fer_lib.adapt.motion.recover``.

    Returns:
        motion, setting (see `WAYS`), reading, seed, value (mean over the test faces), lost: whether the grid
        lies more than half a picture away, so that hardly anything of the map is left.
    """
    import pandas as pd

    parts = []
    for way, name in WAYS.items():
        chosen = _way(outcome, way)
        lost = np.hypot(chosen["right"], chosen["down"]) > 0.5
        for reading in READINGS:
            part = chosen[["motion", "seed"]].assign(setting=name, reading=reading, value=chosen[reading])
            parts.append(part.assign(lost=lost))
    return pd.concat(parts, ignore_index=True)


def motion_scores(outcome: "pd.DataFrame") -> "pd.DataFrame":
    """Scores on the moved faces: one row a motion and way, with what was undone of the motion's own reading.

    Args:
        outcome: of ``fer_lib.adapt.motion.recover``.

    Returns:
        motion, who_adapts, mean, low, high, seeds. The first row is that of upright faces.
    """
    import pandas as pd

    from fer_lib.results import summarise

    names = OTHERS | WAYS
    keys = zip(outcome["layer"], outcome["plug_in"], outcome["at"], strict=True)
    frame = outcome.assign(who_adapts=[names[key] for key in keys], value=outcome["score"])
    found = summarise(frame, by=["motion", "who_adapts"])
    order = {name: k for k, name in enumerate(names.values())}
    place = found["motion"].map({name: k for k, name in enumerate(dict.fromkeys(found["motion"]))})
    by = pd.DataFrame({"motion": place, "who": found["who_adapts"].map(order)})
    return found.loc[by.sort_values(["motion", "who"]).index].reset_index(drop=True)


def _way(outcome: "pd.DataFrame", way: tuple[str, str, str]) -> "pd.DataFrame":
    layer, plug_in, at = way
    return outcome[(outcome["layer"] == layer) & (outcome["plug_in"] == plug_in) & (outcome["at"] == at)]
