"""Our numbers beside those that the paper of the affective memory prints (chapter 10)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.memory.films import AXES
from fer_lib.memory.scoring import PRIOR
from fer_lib.memory.study import codes_of, prior_answers
from fer_lib.metrics import bootstrap_interval, ccc
from fer_lib.pretrain.autoencoder import PKAutoencoder

if TYPE_CHECKING:
    import pandas as pd


def beside(found: "pd.DataFrame", rows: Mapping[str, str], *, table: str) -> "pd.DataFrame":
    """Our CCCs beside a table of the paper, one row a model.

    Args:
        found: setting, axis, mean, low, high, as :func:`scores` gives them.
        rows: the paper's row to our setting; what the paper alone has stays empty on our side.
        table: "Table 2" or "Table 3" of P-AffMem.

    Returns:
        table, model, and for arousal and valence ours (with its interval, in words) and the paper's.
    """
    import pandas as pd

    from fer_lib.results import published

    theirs = published("p-affmem", table)
    printed = theirs.set_index(["row", "column"])["value"]
    ours = {(line["setting"], line["axis"]): line for line in found.to_dict("records")}
    lines = []
    for row in dict.fromkeys(theirs["row"]):
        line: dict[str, Any] = {"table": table, "model": row}
        for axis in ("arousal", "valence"):
            own = ours.get((rows.get(row, ""), axis))
            told = "" if own is None else f"{own['mean']:.2f} [{own['low']:.2f}, {own['high']:.2f}]"
            line |= {axis: told, f"{axis}, paper": printed[row, axis.capitalize()]}
        lines.append(line)
    return pd.DataFrame(lines)


def result_rows(found: "pd.DataFrame", *, dataset: str, profile: str) -> list[dict[str, object]]:
    """Scores as rows of ``fer_lib.results``: Table 3 of P-AffMem, pooled over seeds."""
    from fer_lib import results

    return [
        results.row(
            paper="p-affmem", table="Table 3", row=line["setting"], column=line["axis"].capitalize(),
            dataset=dataset, encoder="pk", regime="online", metric=f"ccc_{line['axis']}", value=line["mean"],
            profile=profile,
        )
        for line in found.to_dict("records")
    ]  # fmt: skip


def of_prior(prior: PKAutoencoder, faces: Any, *, resamples: int = 400) -> "pd.DataFrame":
    """CCC of the prior's own reading of single pictures, with intervals over pictures.

    Args:
        prior: with D_em.
        faces: a FaceSet with valence and arousal.
        resamples: of the bootstrap.

    Returns:
        setting ("prior"), axis, mean, low, high.
    """
    import pandas as pd

    read = prior_answers(prior, codes_of(prior, faces.batch(np.arange(len(faces)))))
    lines, told = [], faces.targets().double().numpy()
    for k, axis in enumerate(AXES):
        found = bootstrap_interval(ccc, read[:, k], told[:, k], resamples=resamples)
        lines.append(
            {"setting": PRIOR, "axis": axis, "mean": found.value, "low": found.low, "high": found.high}
        )
    return pd.DataFrame(lines)
