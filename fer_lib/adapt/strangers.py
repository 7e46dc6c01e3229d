"""What an adapted model says of people it did not learn from, photo by photo and person by person."""

from typing import TYPE_CHECKING

import numpy as np

from fer_lib.adapt.study import Adaptation

if TYPE_CHECKING:
    import pandas as pd


def strangers(runs: Adaptation, model: str) -> "pd.DataFrame":
    """Predictions for each photo, averaged over the runs that had not learned from its person.

    Args:
        runs: from `fer_lib.adapt.study`.
        model: name of the regime, or "as it is".

    Returns:
        A row a photo that was tested: path, frame (of clips), subject (if known), expression, predicted
        (names), right, times (runs that tested it), and a column ``p_<class>`` for each class: mean
        probabilities.
    """
    import pandas as pd

    kept = []
    for seed, parts in runs.parts.items():
        faces, pred = parts.test, runs.comparison.predictions[model, seed]
        known = faces.table[[c for c in ("path", "frame", "subject") if c in faces.table]].copy()
        if "path" not in known:
            known.insert(0, "path", [f"row {row}" for row in faces.rows])
        known["expression"] = [faces.classes[k] for k in faces.table["expression"]]
        known[[f"p_{one}" for one in faces.classes]] = pred
        kept.append(known)
    whole = pd.concat(kept, ignore_index=True)
    by_photo = whole.groupby([c for c in ("path", "frame") if c in whole], sort=True)
    table = by_photo.first().reset_index()
    chances = [column for column in table if column.startswith("p_")]
    table[chances] = by_photo[chances].mean().to_numpy()
    predicted = table[chances].idxmax(axis=1).str.removeprefix("p_")
    place = table.columns.get_loc("expression") + 1
    table.insert(place, "predicted", predicted)
    table.insert(place + 1, "right", (predicted == table["expression"]).to_numpy())
    table.insert(place + 2, "times", by_photo.size().to_numpy())
    return table


def by_person(before: "pd.DataFrame", after: "pd.DataFrame") -> "pd.DataFrame":
    """Share of photos read right, of each person.

    Args:
        before: from `strangers`, as the model came.
        after: the same photos, adapted.

    Returns:
        A row a person, the least changed last: subject, photos, before, after, gain. Where people are not
        known, all photos are one person's.
    """
    import pandas as pd

    who = after["subject"] if "subject" in after else pd.Series("everybody", index=after.index)
    table = pd.DataFrame({"subject": who, "before": before["right"], "after": after["right"]})
    people = table.groupby("subject").agg(
        photos=("after", "size"), before=("before", "mean"), after=("after", "mean")
    )
    people["gain"] = people["after"] - people["before"]
    return people.sort_values("gain", ascending=False).reset_index()


def errors(table: "pd.DataFrame") -> tuple[np.ndarray, tuple[str, ...]]:
    """Confusion matrix (K, K), true class down and predicted across, and the K names."""
    names = tuple(column.removeprefix("p_") for column in table if column.startswith("p_"))
    place = {name: k for k, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (table["expression"].map(place), table["predicted"].map(place)), 1)
    return counts, names
