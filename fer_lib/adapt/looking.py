"""What the comparisons of chapter 08 say, in a few rows: verdicts, effort, and motions that were undone."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.adapt.comparing import SETTINGS, differences
from fer_lib.adapt.departing import out_of_sight
from fer_lib.adapt.frozen import features_of
from fer_lib.adapt.motion import ENTRIES, READINGS

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
CONFIDENCES = (0.95, 0.9, 0.99)  # the first decides; where another would decide otherwise, it is by a thread


def count_verdicts(rows: "pd.DataFrame", claims: Mapping[str, tuple[Any, ...]]) -> "pd.DataFrame":
    """What paired differences say of each claim: pair by pair, and over all pairs at once.

    A pair is a corpus's metric with an encoder. Over all pairs, a seed's differences are averaged first, and
    the interval is that over the seeds: it speaks for these corpora and encoders, not for others.

    Args:
        rows: of ``fer_lib.adapt.comparing.headline``.
        claims: claim to the setting that is said to be the better, the other, and, where the claim is that
            it keeps up, by how much it may be below.

    Returns:
        claim, pairs, higher, lower, not_told_apart (numbers of pairs), mean, low, high of the difference
        over all pairs, and verdict: "holds" where that interval lies above 0 (or minus the margin), "does not
        hold" below it, else "open"; "by a thread" where intervals of 90 % or 99 % say otherwise.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for claim, (one, other, *margin) in claims.items():
        counts = differences(rows, one, other)["verdict"].value_counts()
        told = {name.replace(" ", "_"): int(counts.get(name, 0)) for name in VERDICTS}
        line = {"claim": claim, "pairs": int(counts.sum()), **told}
        table = rows.pivot(index="seed", columns=["panel", "encoder", "setting"], values="value")
        table = table.swaplevel(0, 2, axis=1).sort_index(axis=1)
        numbers: dict[str, Any] = dict.fromkeys(("mean", "low", "high"), float("nan"))
        numbers["verdict"] = "not run"
        if line["pairs"] and len(table) > 1:
            gaps = (table[one] - table[other]).dropna(axis=1, how="all").mean(axis=1).to_numpy(float)
            found = [paired_difference(gaps, np.zeros_like(gaps), confidence=level) for level in CONFIDENCES]
            numbers = {name: getattr(found[0], name) for name in ("mean", "low", "high")}
            numbers["verdict"] = _verdict(found, -sum(margin))
        lines.append(line | numbers)
    return pd.DataFrame(lines)


def _verdict(found: list[Any], bar: float) -> str:
    told = ["holds" if gap.low > bar else "does not hold" if gap.high < bar else "open" for gap in found]
    return told[0] if len(set(told)) == 1 else f"{told[0]}, by a thread"


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


def share_table(
    shares: Mapping[str, Mapping[str, Sequence["pd.DataFrame"]]], steps: Mapping[str, tuple[str, str]]
) -> "pd.DataFrame":
    """How much of the saliency lies on each part of the face before and after a step, seed by seed.

    Args:
        shares: world to setting to the frames of ``fer_lib.saliency.region_shares``, one a seed.
        steps: name to the settings before and after; a world without one of them is left out.

    Returns:
        world, step, region, area (share of the picture), before, after (shares, means over seeds), and
        change, low, high: the paired difference with its 95 % interval over seeds.
    """
    import pandas as pd

    from fer_lib.saliency import share_changes

    lines = []
    for world, settings in shares.items():
        for step, (before, after) in steps.items():
            if not {before, after} <= set(settings):
                continue
            one, other = settings[before], settings[after]
            changes = share_changes(other, one).set_index("region")
            for region in (name for name in changes.index if not name.endswith("_density")):
                change = changes.loc[region]
                areas = [(frame[region] / frame[f"{region}_density"]).mean() for frame in one]
                means = [float(np.mean([frame[region].mean() for frame in part])) for part in (one, other)]
                line = [world, step, region, float(np.mean(areas)), *means]
                lines.append([*line, change["mean"], change["low"], change["high"]])
    columns = ["world", "step", "region", "area", "before", "after", "change", "low", "high"]
    return pd.DataFrame(lines, columns=columns).dropna(subset=["area"]).reset_index(drop=True)


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
        lost = out_of_sight(chosen["right"], chosen["down"])
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


def undone_in_words(low: float, high: float, *, still: float, truth: float) -> str:
    """What an interval of a reading says of a motion: how much of it was undone.

    Args:
        low, high: of the interval; NaN says nothing.
        still: the reading where nothing is moved.
        truth: the reading that undoes the motion.

    Example:
        >>> undone_in_words(0.1, 0.2, still=0, truth=0.25), undone_in_words(0.9, 1.1, still=1, truth=0.7)
        ('a part of it', 'nothing that can be told from standing still')
    """
    if not low <= high or (low <= still <= high and low <= truth <= high):
        return "nobody can say how much"
    if low <= still <= high:
        return "nothing that can be told from standing still"
    if low <= truth <= high:
        return "all of it, within the interval"
    ends = sorted((still, truth))
    return "a part of it" if ends[0] < low and high < ends[1] else "something else"


def mean_theta(outcome: "pd.DataFrame", motion: str, setting: str, seed: int) -> np.ndarray:
    """The mean theta (2, 3) over the test faces that one seed learned, as `recovery` names the settings.

    Args:
        outcome: of ``fer_lib.adapt.motion.recover``.
        motion, setting, seed: one of each.
    """
    way = next(way for way, name in WAYS.items() if name == setting)
    chosen = _way(outcome, way)
    one = chosen[(chosen["motion"] == motion) & (chosen["seed"] == seed)]
    return one[list(ENTRIES)].to_numpy(float).reshape(2, 3)


def _way(outcome: "pd.DataFrame", way: tuple[str, str, str]) -> "pd.DataFrame":
    layer, plug_in, at = way
    return outcome[(outcome["layer"] == layer) & (outcome["plug_in"] == plug_in) & (outcome["at"] == at)]
