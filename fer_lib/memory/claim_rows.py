"""Errors of memory and prior, person by person, as rows that the scoreboard pairs (chapter 10).

The unit is the video, which shows one person: its place among the sorted names stands in ``seed``. Over six
utterances of one person a CCC is hardly defined, so a video has errors of its own, and of the CCC over all
videos its share by the jackknife.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.memory.films import AXES
from fer_lib.memory.printed import OWN
from fer_lib.memory.scoring import PRIOR, by_utterance, by_video, truth_of
from fer_lib.metrics import ccc

if TYPE_CHECKING:
    import pandas as pd

PAINTED = 25
"""Frames that the memory paints; later it lives on what it sees (``paint_until`` of `AffectiveMemory`)."""


def person_rows(rows: "pd.DataFrame", dataset: str, profile: str) -> list[dict[str, object]]:
    """Result rows of every video: "Table 3, by video", "Table 3, jackknife" and "Fig 3, by video".

    Args:
        rows: of ``fer_lib.memory.study.study``, with the setting "memory".
        dataset: its name.
        profile: of the run.

    Returns:
        "Table 3, by video": the RMSE over utterances of the prior and of each setting. "Table 3, jackknife":
        each video's pseudo-value of the CCC over the utterances of all videos, of the prior and the memory,
        see `pseudo_values`; none of a single video. "Fig 3, by video": the prior's and the memory's RMSE over
        frames, while the memory paints ("start") and after, and the mean activity of the memory in the first
        and in the second half of the video. Each is the mean over seeds. What a short video has no frames for
        is left out.

    Raises:
        ValueError: there is no setting "memory" among the rows.
    """
    from fer_lib import results

    if "memory" not in set(rows["setting"]):
        raise ValueError(
            f"rows must hold the setting 'memory'; got {sorted(set(rows['setting']))}. Run it too."
        )
    number = {name: k for k, name in enumerate(sorted(rows["video"].unique()))}
    about: dict[str, Any] = {"paper": "p-affmem", "dataset": dataset, "encoder": "pk", "regime": "online"}
    made = []
    for one in by_video(rows).itertuples():
        sides = {OWN.get(str(one.setting), str(one.setting)): one.memory}
        if one.setting == "memory":
            sides[OWN[PRIOR]] = one.prior
        told = {
            "table": "Table 3, by video",
            "column": str(one.axis).capitalize(),
            "metric": f"rmse_{one.axis}",
        }
        made += [
            results.row(row=name, seed=number[one.video], value=value, profile=profile, **told, **about)
            for name, value in sides.items()
        ]
    memory = rows[rows["setting"] == "memory"]
    further = {("Table 3, jackknife", *place): value for place, value in _shares(memory).items()}
    further |= {("Fig 3, by video", *place): value for place, value in _along(memory).items()}
    for (table, video, name, column, metric), value in further.items():
        made.append(results.row(
            table=table, row=name, column=column, metric=metric, seed=number[video], value=value,
            profile=profile, **about,
        ))  # fmt: skip
    return made


def pseudo_values(pred: Any, target: Any, groups: Any) -> dict[Any, float]:
    r"""Each group's share of a CCC over all of them, by the jackknife.

    .. math:: p_i = n \rho_c - (n - 1) \rho_{c,-i}

    with :math:`\rho_{c,-i}` the CCC without group i. Student's interval of the mean of p is that of the CCC
    over groups, and differences of two predictions' p are paired.

    Args:
        pred, target: (N,).
        groups: of each, (N,); 2 groups or more.

    Returns:
        Group -> pseudo-value. Their mean is the CCC with most of its bias taken away.

    Raises:
        ValueError: a single group.

    Example:
        >>> found = pseudo_values([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0], ["a", "a", "b", "b"])
        >>> {group: round(value, 6) for group, value in found.items()}
        {'a': 1.0, 'b': 1.0}

    Reference: Efron (1979). Chapter 16.
    """
    pred, target, groups = (np.asarray(one) for one in (pred, target, groups))
    names = list(dict.fromkeys(groups.tolist()))
    n, whole = len(names), float(ccc(pred, target))
    if n < 2:
        raise ValueError(f"groups must hold 2 or more; got {n}. Without its only group nothing is left.")
    return {
        name: n * whole - (n - 1) * float(ccc(pred[groups != name], target[groups != name])) for name in names
    }


def _shares(rows: "pd.DataFrame") -> dict[tuple[str, str, str, str], float]:
    """(video, row, column, metric) -> pseudo-value of the CCC, the mean over seeds; {} of a single video."""
    found: dict[tuple[str, str, str, str], list[float]] = {}
    told = by_utterance(rows)
    if told["video"].nunique() < 2:
        return {}
    for _, part in told.groupby("seed", sort=False):
        for axis in AXES:
            for name, column in ((OWN[PRIOR], f"prior_{axis}"), (OWN["memory"], axis)):
                shares = pseudo_values(part[column], part[f"told_{axis}"], part["video"])
                for video, value in shares.items():
                    place = (video, name, axis.capitalize(), f"ccc_{axis}")
                    found.setdefault(place, []).append(value)
    return {place: float(np.mean(values)) for place, values in found.items()}


def _along(rows: "pd.DataFrame") -> dict[tuple[str, str, str, str], float]:
    """(video, row, column, metric) -> mean over seeds, of the parts of each video that have frames."""
    import pandas as pd

    lines = []
    for (video, _), part in rows.groupby(["video", "seed"], sort=False):
        truth, half = truth_of(part), len(part) // 2
        for when, which in (("start", slice(0, PAINTED)), ("after the start", slice(PAINTED, None))):
            for axis in AXES:
                for name, column in ((OWN[PRIOR], f"prior_{axis}"), (OWN["memory"], axis)):
                    wrong = (part[column] - truth[axis])[which] ** 2
                    place = (video, name, f"{axis.capitalize()}, {when}", f"rmse_{axis}")
                    lines.append((*place, wrong.mean() ** 0.5))
        # the first frame meets paintings of itself
        for when, which in (("first half", slice(1, half)), ("second half", slice(max(1, half), None))):
            lines.append((video, OWN["memory"], when, "activity", part["activity"][which].mean()))
    keys = ["video", "row", "column", "metric"]
    table = pd.DataFrame(lines, columns=[*keys, "value"]).dropna(subset=["value"])
    return table.groupby(keys, sort=False)["value"].mean().to_dict()
