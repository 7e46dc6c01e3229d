"""Errors of memory and prior, person by person, as rows that the scoreboard pairs (chapter 10).

The unit is the video, which shows one person: its place among the sorted names stands in ``seed``. Errors,
and no CCC: over six utterances of one person a CCC is hardly defined.
"""

from typing import TYPE_CHECKING, Any

from fer_lib.memory.films import AXES
from fer_lib.memory.printed import OWN
from fer_lib.memory.scoring import PRIOR, by_video, truth_of

if TYPE_CHECKING:
    import pandas as pd

PAINTED = 25
"""Frames that the memory paints; later it lives on what it sees (``paint_until`` of `AffectiveMemory`)."""


def person_rows(rows: "pd.DataFrame", dataset: str, profile: str) -> list[dict[str, object]]:
    """Result rows of every video: "Table 3, by video" and "Fig 3, by video".

    Args:
        rows: of ``fer_lib.memory.study.study``, with the setting "memory".
        dataset: its name.
        profile: of the run.

    Returns:
        "Table 3, by video": the RMSE over utterances of the prior and of each setting. "Fig 3, by video": the
        prior's and the memory's RMSE over frames, while the memory paints ("start") and after, and the mean
        activity of the memory in the first and in the second half of the video; each the mean over seeds.
        What a short video has no frames for is left out.

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
    for (video, name, column, metric), value in _along(rows[rows["setting"] == "memory"]).items():
        made.append(results.row(
            table="Fig 3, by video", row=name, column=column, metric=metric, seed=number[video], value=value,
            profile=profile, **about,
        ))  # fmt: skip
    return made


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
