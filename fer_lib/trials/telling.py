"""What a finished run tells: scores and predictions of the reported faces, embeddings, what has learned."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.adapt.frozen import FeatureSet
from fer_lib.adapt.regimes import learned
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import FaceModel
from fer_lib.heads.joint import ViewsHead
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import Fit
from fer_lib.train.predict import raw_outputs
from fer_lib.trials.keeping import HEAD, write


def changed(model: FaceModel, encoder: Encoder) -> dict[str, Tensor]:
    """The decision layer, and what of the encoder is no longer as it was lent; names as in the model."""
    before = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    return {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(HEAD) or not torch.equal(value.cpu(), before[name].cpu())
    }


def write_run(
    place: Path, *, model: FaceModel, sets: list[Any], done: Fit, encoder: Encoder, most: int
) -> None:
    """Fill the folder of a run with what a trained model tells of the faces.

    Args:
        place: the folder.
        model: trained.
        sets: to learn from, to choose by and to report; pictures, or cached features.
        done: what the training gave.
        encoder: as it was lent.
        most: of so many training faces, drawn once, the embeddings are kept; of fewer, all.
    """
    learner: Any = model if model.frozen_stage() == "images" else model.tail()
    scores, arrays = _told(model.head, learner, sets)
    rows = np.arange(len(sets[0]))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    arrays |= {
        "train_rows": rows,
        "train_embeddings": _embeddings(model.head, learner, sets[0], rows),
        "validation_embeddings": _embeddings(model.head, learner, sets[1]),
        "embeddings": _embeddings(model.head, learner, sets[2]),
    }
    about = {"validation": done.best_score, "trained": learned(model), "seconds": done.seconds}
    write(place, scores, about | {"device": done.device}, arrays, changed(model, encoder))


@torch.no_grad()
def _told(head: ViewsHead, learner: Any, sets: list[Any]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores of the reported faces, and what was predicted for them."""
    outputs = raw_outputs(learner, DeviceFaces(sets[2], device()), 256)
    probabilities = head.predict(outputs).cpu().numpy()
    affect = np.full((len(outputs), 2), np.nan, dtype=np.float32)
    scores = evaluate(probabilities, sets[2])
    if head.affect in ("mse", "ccc"):
        affect = head.predict_affect(outputs).cpu().numpy()
        both = sets[2].faces if isinstance(sets[2], FeatureSet) else sets[2]
        scores |= evaluate(affect, both.values())
    return scores, {"probabilities": probabilities, "affect": affect}


@torch.no_grad()
def _embeddings(head: ViewsHead, learner: Any, faces: Any, rows: np.ndarray | None = None) -> np.ndarray:
    """What the classifier reads of each face, or of some, float32 (N, D)."""
    batches, found = DeviceFaces(faces, device()), []
    whole, start = (learner, "images") if isinstance(learner, FaceModel) else (learner.model, learner.start)
    for index in torch.from_numpy(np.arange(len(faces)) if rows is None else rows).split(256):
        inputs = learner.prepare(batches.images(index))
        found.append(head.embeddings(whole.features(inputs, start)).float().cpu())
    return torch.cat(found).numpy()
