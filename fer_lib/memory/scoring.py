"""What a memory adds to its prior: by utterance, by video, and along one video (chapter 10)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.memory.films import AXES
from fer_lib.metrics import bootstrap_interval, ccc, paired_difference

if TYPE_CHECKING:
    import pandas as pd

PRIOR = "prior"


def by_utterance(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Mean answers over the frames of each utterance, beside its label.

    Args:
        rows: of ``fer_lib.memory.study.study``.

    Returns:
        setting, seed, video, utterance, told_..., prior_... and the memory's valence and arousal.
    """
    keys = ["setting", "seed", "video", "utterance"]
    columns = [f"{kind}{axis}" for kind in ("told_", "prior_", "") for axis in AXES]
    return rows.groupby(keys, sort=False)[columns].mean().reset_index()


def scores(rows: "pd.DataFrame", *, resamples: int = 400) -> "pd.DataFrame":
    """CCC over all utterances of all videos: the prior first, then each memory.

    Args:
        rows: of the study.
        resamples: of the bootstrap over videos.

    Returns:
        setting, axis, mean (the CCC), low, high.
    """
    import pandas as pd

    told, lines = by_utterance(rows), []
    first = told[told["setting"] == told["setting"].iloc[0]]
    tables = [
        (PRIOR, first, "prior_"),
        *((name, part, "") for name, part in told.groupby("setting", sort=False)),
    ]
    for name, part, kind in tables:
        for axis in AXES:
            found = bootstrap_interval(
                ccc, part[f"{kind}{axis}"], part[f"told_{axis}"], groups=part["video"], resamples=resamples
            )
            lines.append(
                {"setting": name, "axis": axis, "mean": found.value, "low": found.low, "high": found.high}
            )
    return pd.DataFrame(lines)


def gains(rows: "pd.DataFrame", *, resamples: int = 400) -> "pd.DataFrame":
    """CCC of each memory minus the prior's, with intervals over videos: whole videos are drawn.

    Returns:
        setting, axis, mean, low, high, verdict: "yes" (it helps) where the interval lies above 0, "no" where
        it lies below, else "undecided".
    """
    import pandas as pd

    lines = []
    for name, part in by_utterance(rows).groupby("setting", sort=False):
        lines += [{"setting": name} | line for line in _differences(part, "prior_{}", resamples)]
    return pd.DataFrame(lines)


def _differences(part: "pd.DataFrame", rival: str, resamples: int) -> "list[dict[str, Any]]":
    """CCC minus that of the columns called ``rival``, a line an axis."""
    lines = []
    for axis in AXES:
        found = bootstrap_interval(
            _gain, part[axis], part[rival.format(axis)], part[f"told_{axis}"],
            groups=part["video"], resamples=resamples,
        )  # fmt: skip
        line = {"axis": axis, "mean": found.value, "low": found.low, "high": found.high}
        lines.append(line | {"verdict": verdict(found.low, found.high)})
    return lines


def against(rows: "pd.DataFrame", setting: str, *, resamples: int = 400) -> "pd.DataFrame":
    """CCC of one setting minus that of each other one, with intervals over videos.

    Args:
        rows: of the study.
        setting: the one that the others are compared to.
        resamples: of the bootstrap over videos.

    Returns:
        setting (the other), axis, mean, low, high, verdict: "yes" where ``setting`` is better.

    Raises:
        ValueError: the setting is not among the rows.
    """
    import pandas as pd

    told = by_utterance(rows)
    if setting not in set(told["setting"]):
        raise ValueError(f"setting must be among the rows'; got {setting!r}. Choose another.")
    keys, lines = ["seed", "video", "utterance"], []
    one = told[told["setting"] == setting]
    for name, part in told[told["setting"] != setting].groupby("setting", sort=False):
        pair = one.merge(part, on=keys, suffixes=("", "_other"), validate="one_to_one")
        lines += [{"setting": name} | line for line in _differences(pair, "{}_other", resamples)]
    return pd.DataFrame(lines)


def _gain(one: np.ndarray, other: np.ndarray, label: np.ndarray) -> float:
    return float(ccc(one, label) - ccc(other, label))


def by_video(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Root mean squared error of each video's utterances, of prior and memory (mean over seeds).

    Returns:
        setting, axis, video, prior, memory.
    """
    import pandas as pd

    told = by_utterance(rows)
    parts = []
    for axis in AXES:
        errors = told[["setting", "seed", "video"]].assign(
            axis=axis,
            prior=(told[f"prior_{axis}"] - told[f"told_{axis}"]) ** 2,
            memory=(told[axis] - told[f"told_{axis}"]) ** 2,
        )
        runs = errors.groupby(["setting", "axis", "video", "seed"], sort=False)[["prior", "memory"]].mean()
        parts.append(np.sqrt(runs).groupby(level=[0, 1, 2], sort=False).mean().reset_index())
    return pd.concat(parts, ignore_index=True)


def fewer_errors(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Prior's error minus memory's, paired by video: above 0 the memory is better.

    Returns:
        setting, axis, mean, low, high (t interval over videos), better (share of the videos), verdict.
    """
    import pandas as pd

    lines = []
    for (name, axis), part in by_video(rows).groupby(["setting", "axis"], sort=False):
        found = paired_difference(part["prior"], part["memory"])
        line = {"setting": name, "axis": axis, "mean": found.mean, "low": found.low, "high": found.high}
        line["better"] = float((part["memory"] < part["prior"]).mean())
        lines.append(line | {"verdict": verdict(found.low, found.high)})
    return pd.DataFrame(lines)


def within(rows: "pd.DataFrame") -> "pd.DataFrame":
    """How well answers follow each person's own changes: mean CCC over the frames of one video.

    Returns:
        setting, axis, prior, memory (means over videos), mean, low, high (memory minus prior, t interval over
        videos), verdict, answers (different ones a video, mean), commonest (share of the frames that get the
        most frequent answer, mean).
    """
    import pandas as pd

    runs = []
    for (name, video, seed), part in rows.groupby(["setting", "video", "seed"], sort=False):
        truth = truth_of(part)
        for axis in AXES:
            answer = part[axis].round(9)
            line = {"setting": name, "video": video, "seed": seed, "axis": axis, "answers": answer.nunique()}
            line["commonest"] = answer.value_counts(normalize=True).iloc[0]
            for kind, column in (("prior", f"prior_{axis}"), ("memory", axis)):
                line[kind] = float(ccc(part[column].to_numpy(), truth[axis]))
            runs.append(line)
    numbers = ["prior", "memory", "answers", "commonest"]
    videos = pd.DataFrame(runs).groupby(["setting", "axis", "video"], sort=False)[numbers].mean()
    lines = []
    for (name, axis), part in videos.groupby(level=[0, 1], sort=False):
        found = paired_difference(part["memory"], part["prior"])
        line = {"setting": name, "axis": axis} | part.mean().to_dict()
        line |= {"mean": found.mean, "low": found.low, "high": found.high}
        lines.append(line | {"verdict": verdict(found.low, found.high)})
    return pd.DataFrame(lines)


def truth_of(rows: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Truth of each frame by axis; a corpus has none, there the utterance's label takes its place."""
    return {axis: rows[f"true_{axis}"].fillna(rows[f"told_{axis}"]).to_numpy() for axis in AXES}


def so_far(rows: "pd.DataFrame", *, least: int = 20) -> "pd.DataFrame":
    """CCC of prior and memory over all frames of one video up to each, against the truth of the frame.

    A corpus has no truth of a frame; there the utterance's label takes its place.

    Args:
        rows: of one video, setting and seed, in order.
        least: frames before the first value.

    Returns:
        second, prior_valence, prior_arousal, memory_valence, memory_arousal.
    """
    import pandas as pd

    truth, lines = truth_of(rows), []
    for end in range(least, len(rows) + 1):
        line = {"second": rows["second"].iloc[end - 1]}
        for axis in AXES:
            for name, column in (("prior", f"prior_{axis}"), ("memory", axis)):
                line[f"{name}_{axis}"] = float(ccc(rows[column].to_numpy()[:end], truth[axis][:end]))
        lines.append(line)
    return pd.DataFrame(lines)


def choose(rows: "pd.DataFrame") -> str:
    """The setting with the highest mean CCC of both axes; give it validation videos, never the test's."""
    found = scores(rows, resamples=2)
    means = found[found["setting"] != PRIOR].groupby("setting", sort=False)["mean"].mean()
    return str(means.idxmax())


def verdict(low: float, high: float) -> str:
    """ "yes", "no" or "undecided", by where an interval lies to 0."""
    return "yes" if low > 0 else "no" if high < 0 else "undecided"
