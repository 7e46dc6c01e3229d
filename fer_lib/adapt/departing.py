"""How far the grid of a trained Face-STN lies from the regular one, and whether faces agree (chapter 08)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.adapt.motion import read_theta, thetas

if TYPE_CHECKING:
    import pandas as pd

OUT_OF_SIGHT = 0.5  # share of the side
IDENTITY = torch.eye(2, 3)


def departure(theta: Tensor) -> np.ndarray:
    r"""How far theta (..., 2, 3) moves the places of a picture: root mean square, as a share of its side.

    With :math:`A` the left square of :math:`\theta` less the identity and b its last column, a place p that
    is even over the picture moves by :math:`A p + b`, and

    .. math:: \tfrac12 \sqrt{\mathrm{E} \lVert A p + b \rVert^2}
        = \tfrac12 \sqrt{\tfrac13 \lVert A \rVert_F^2 + \lVert b \rVert^2},

    since each coordinate of p has the variance 1/3, and the side is 2 units long. In a map of w cells one
    cell is 1/w.

    Example:
        >>> from fer_lib.adapt.motion import Motion
        >>> shifted, turned = Motion(right=0.25).undoing(), Motion(angle_deg=30).undoing()
        >>> departure(torch.stack([IDENTITY, shifted, turned])).round(3).tolist()
        [0.0, 0.25, 0.211]
    """
    gap = theta.detach().cpu().double() - IDENTITY.double()
    moved = (gap[..., :2] ** 2).sum((-2, -1)) / 3 + (gap[..., 2] ** 2).sum(-1)
    return moved.sqrt().div(2).numpy()


def out_of_sight(right: Any, down: Any) -> Any:
    """Whether a grid that is shifted so far has left the map, so that hardly anything of it is read."""
    return np.hypot(right, down) > OUT_OF_SIGHT


def theta_numbers(model: Any, faces: Any) -> dict[str, float]:
    """What the Face-STN of a trained model does to some faces, in a few numbers.

    Args:
        model: a ``FaceModel``; one without a Face-STN gives nothing.
        faces: a FaceSet, or a SequenceSet, each of whose frames counts.

    Returns:
        departure: root mean square over the faces, of which ``alike`` is that of the mean theta and ``own``
        that of the faces around it (departure ** 2 = alike ** 2 + own ** 2); angle_deg, zoom, right, down of
        the mean theta; lost: 1.0 where that has left the map, see `out_of_sight`.
    """
    if not hasattr(model.plug_in, "theta"):
        return {}
    found = thetas(model, faces).double()
    middle = found.mean(0)
    read = {name: float(value) for name, value in read_theta(middle).items() if name != "shear"}
    return {
        "departure": float(np.sqrt(np.mean(departure(found) ** 2))),
        "alike": float(departure(middle)),
        "own": float(np.sqrt(np.mean(departure(found - middle + IDENTITY) ** 2))),
        **read,
        "lost": float(out_of_sight(read["right"], read["down"])),
    }


def departures(rows: "pd.DataFrame", names: Mapping[str, str]) -> "pd.DataFrame":
    """How far theta departs from the identity in each corpus, over the seeds whose grid is still in sight.

    Args:
        rows: of ``run_grid(..., also=theta_numbers)``; rows without a Face-STN are left out.
        names: corpus, such as "jaffe", to what it is called.

    Returns:
        corpus, dataset, encoder, then mean, low, high of the departure, alike and own as means, and in_sight
        and seeds. NaN where no grid is in sight; no interval with a single one.
    """
    import pandas as pd

    from fer_lib.metrics import mean_interval

    runs = rows[rows["plug_in"] == "stn"].drop_duplicates(["dataset", "encoder", "seed"])
    lines = []
    for (dataset, encoder), part in runs.groupby(["dataset", "encoder"], sort=False):
        seen = part[part["lost"] == 0]
        line = {"corpus": names.get(dataset.removeprefix("world:"), dataset), "dataset": dataset}
        line |= {"encoder": encoder} | dict.fromkeys(("mean", "low", "high"), np.nan)
        if len(seen) > 1:
            found = mean_interval(seen["departure"].to_numpy(float))
            line |= {"mean": found.value, "low": max(0.0, found.low), "high": found.high}
        elif len(seen):
            line["mean"] = seen["departure"].item()
        line |= {"alike": seen["alike"].mean(), "own": seen["own"].mean()}
        lines.append(line | {"in_sight": len(seen), "seeds": len(part)})
    return pd.DataFrame(lines)
