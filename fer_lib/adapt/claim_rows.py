"""Rows that the scoreboard pairs, of the plug-ins' chapters: all settings (08), controls and shares (09)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.adapt.ciao_study import LABEL_SETS
from fer_lib.adapt.comparing import TRANSFER

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = ("eyes", "brows", "mouth")
"""Parts of the face that tell about affect, as the renderer knows them."""


def setting_rows(rows: "pd.DataFrame", names: Mapping[str, str]) -> list[dict[str, object]]:
    """Chapter 08: every setting of Figs 9 to 11 on the corpora that are adapted to; values in 0..1.

    Args:
        rows: from ``fer_lib.adapt.comparing.headline``.
        names: key of an encoder to its name.
    """
    from fer_lib import results

    regimes = {"All layers": "all", "Last conv": "last_conv", "Face-STN": "face-stn"}
    return [
        results.row(
            paper="face-stn", table="Figs 9-11, chapter 8", row=names[one.encoder], column=one.setting,
            dataset=one.dataset, encoder=one.encoder, regime=regimes.get(one.setting, one.setting.lower()),
            metric=one.metric, seed=one.seed, value=one.value, seconds=one.seconds, device=one.device,
        )
        for one in rows[rows["corpus"].isin(TRANSFER)].itertuples()
    ]  # fmt: skip


def step_rows(rows: "pd.DataFrame") -> list[dict[str, object]]:
    """Chapter 09: a frozen PK plain, squashed and with CIAO, runs of one plan; accuracies in per cent.

    Args:
        rows: from ``fer_lib.adapt.ciao_study.of_the_paper``, of ``ciao_plans.controls``.
    """
    from fer_lib import results

    return [
        results.row(
            paper="ciao", table="Table I, steps", row="PK DL", dataset=one.dataset, encoder=one.encoder,
            column=LABEL_SETS[one.labels].columns[one.metric], regime=one.setting, metric=one.metric,
            value=one.value * (100 if one.metric == "accuracy" else 1), seed=one.seed, seconds=one.seconds,
            device=one.device,
        )
        for one in rows.itertuples()
    ]  # fmt: skip


def share_rows(
    shares: Mapping[str, Sequence["pd.DataFrame"]], seeds: Sequence[int], dataset: str
) -> list[dict[str, object]]:
    """Chapter 09: saliency on eyes, brows and mouth together, in per cent of a face's; mean over faces.

    Args:
        shares: "plain" and "CIAO" to a frame a seed, of ``fer_lib.saliency.region_shares``.
        seeds: in the order of the frames.
        dataset: name of the faces' corpus.

    Returns:
        A row a version and seed; none where the parts are not seen in any face.
    """
    from fer_lib import results

    about: dict[str, Any] = {"paper": "ciao", "table": "Fig 3, shares", "row": "eyes, brows and mouth"}
    about |= {"column": "share", "dataset": dataset, "encoder": "pk", "metric": "saliency_share"}
    made = []
    for name, regime in (("plain", "decision"), ("CIAO", "decision+ciao")):
        for seed, one in zip(seeds, shares[name], strict=True):
            value = 100 * one[list(LOOKED_AT)].sum(axis=1, skipna=False).mean()
            if np.isfinite(value):
                made.append(results.row(**about, regime=regime, seed=seed, value=float(value)))
    return made
