"""How far a reader gets that sees no face, only the picture: what leaks between frames of a film (ch. 11)."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from fer_lib.metrics import rmse
from fer_lib.sampling.twins import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

PENALTIES = np.logspace(-1, 5, 13)


def scene_rows(faces: "FaceSet", *, folding: str = "frames", seed: int = 0, side: int = 16) -> "pd.DataFrame":
    """Read people by a linear model on blurred pixels: it knows walls and light, and no muscle.

    Ridge regression on the picture shrunk to ``side`` x ``side``; its penalty is chosen within the training
    frames (leave one out).

    Args:
        faces: frames of people, as for `fer_lib.sampling.personal.study`.
        folding: "frames" or "clips", as there.
        seed: deals the folds, as there.
        side: of the shrunk picture.

    Returns:
        Rows with the columns of the study, of the condition "pixels".
    """
    import pandas as pd
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from fer_lib.datasets import folds

    pixels = torch.from_numpy(np.array(faces.images)).float() / 255
    small = F.adaptive_avg_pool2d(pixels, side).flatten(1).numpy()
    targets, people = faces.targets().numpy(), faces.table["subject"].to_numpy()
    counts: dict[str, int] = {}
    rows = []
    for fold in folds(faces, folding, seed=seed):
        person = str(people[fold.test[0]])
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))
        answers = model.fit(small[fold.train], targets[fold.train]).predict(small[fold.test])
        number = counts.get(person, 0)
        told = {"person": person, "fold": number, "seed": seed, "folding": folding}
        counts[person] = number + 1
        for k, dimension in enumerate(DIMENSIONS):
            error = float(rmse(answers[:, k], targets[fold.test, k]))
            rows.append(
                told
                | {
                    "dimension": dimension, "condition": "pixels", "strategy": "", "share": 1.0,
                    "labels": len(fold.train), "rmse": error,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
