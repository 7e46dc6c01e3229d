"""What codes keep of a face and what they drop, asked of the world, which knows what it drew (chapter 06)."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.encoders import CPC, InputSpec
from fer_lib.preprocess import prepare
from fer_lib.pretrain import keep, predictive
from fer_lib.pretrain.probes import probe, probe_rows, task_of
from fer_lib.train.comparison import Comparison
from fer_lib.train.device import device
from fer_lib.train.parallel import ahead
from fer_lib.train.parts import Parts
from fer_lib.train.randomness import seeded
from fer_lib.train.repeats import repeat

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet
    from fer_lib.encoders import Encoder
    from fer_lib.pretrain.predictive import PredictiveCoder

DRAWN = {
    "head yaw": "yaw_deg",
    "head pitch": "pitch_deg",
    "light from": "light_azimuth_deg",
    "exposure": "exposure",
    "skin tone": "skin_tone",
    "age": "age",
}
"""Name of a property -> column of a world's truth."""


def properties_of(faces: "FaceSet") -> dict[str, np.ndarray]:
    """What is known of each face: numbers as float64 (N,), the expression as int64 (N,).

    Args:
        faces: any set. Of a world the truth is taken: valence and arousal as drawn, not as rated. Of a
            corpus: its labels, and brightness and contrast, which can be measured.

    Returns:
        By name; only what every face of the set has.
    """
    known = faces.table if faces.truth is None else faces.truth
    found = {name: known[name].to_numpy(float) for name in ("valence", "arousal") if name in known}
    if "expression" in faces.table and (faces.table["expression"] >= 0).all():
        found["expression"] = faces.table["expression"].to_numpy(np.int64)
    if faces.truth is not None:
        found |= {name: faces.truth[column].to_numpy(float) for name, column in DRAWN.items()}
    else:
        pixels = faces.images.reshape(len(faces), -1).astype(float) / 255
        found |= {"brightness": pixels.mean(1), "contrast": pixels.std(1)}
    return {name: values for name, values in found.items() if not np.isnan(values).any()}


def shared_properties(parts: Parts) -> dict[str, tuple[np.ndarray, ...]]:
    """What is known of the faces of all three sets: name to the values of train, validation and test."""
    three = [properties_of(faces) for faces in (parts.train, parts.validation, parts.test)]
    return {name: tuple(one[name] for one in three) for name in three[0] if all(name in one for one in three)}


def thirds(values: np.ndarray) -> np.ndarray:
    """Which third of [-1, 1] a value lies in: 0 low, 1 middle, 2 high, int64 (N,).

    Example:
        >>> thirds(np.array([-0.9, 0.0, 0.4])).tolist()
        [0, 1, 2]
    """
    return np.digitize(values, [-1 / 3, 1 / 3]).astype(np.int64)


def sequence_titles(faces: "FaceSet", rows: Tensor) -> list[str]:
    """Name sequences by what their faces share: mean valence and arousal, or the class most have.

    Args:
        faces: the set that the rows index.
        rows: long (R, T).
    """
    values = faces.targets().numpy()[rows.numpy()]  # (R, T) or (R, T, 2 or K)
    if faces.task == "valence_arousal":
        return [f"v {one[:, 0].mean():+.1f}, a {one[:, 1].mean():+.1f}" for one in values]
    if faces.task == "distribution":
        values = values.argmax(2)
    return [faces.classes[int(np.bincount(one).argmax())] for one in values]


@torch.no_grad()
def codes_of(coder: "PredictiveCoder", faces: "FaceSet", *, batch_size: int = 256) -> np.ndarray:
    """Codes z of all faces, float32 (N, code), in evaluation mode."""
    where = device()
    coder.to(where).eval()  # its encoder may have been moved without it
    spec = coder.encoder.input_spec
    pieces = [
        coder.code(prepare(faces.batch(index).to(where), spec)).cpu().numpy()
        for index in np.array_split(np.arange(len(faces)), -(-len(faces) // batch_size))
    ]
    return np.concatenate(pieces)


def who(features: Mapping[str, np.ndarray], person: np.ndarray, *, seed: int = 0) -> "pd.DataFrame":
    """Can the person be read off features? Half of everybody's pictures teach, the others ask.

    Args:
        features: name of an encoder to its features (N, ...) of pictures of a few people.
        person: (N,) labels of any kind.
        seed: draws the halves; a quarter of the pictures chooses the penalty.

    Returns:
        Rows of :func:`fer_lib.pretrain.probes.probe_rows` for the property "person".
    """
    number = np.unique(person, return_inverse=True)[1].ravel().astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(number))
    order = order[np.argsort(number[order], kind="stable")]  # person by person, in random order within
    place = np.arange(len(order)) % 4
    three = [np.sort(order[np.isin(place, kept)]) for kept in ((0, 2), (1,), (3,))]
    cut = {name: [np.asarray(part)[rows] for rows in three] for name, part in features.items()}
    return probe_rows(cut, {"person": [number[rows] for rows in three]}, seed=seed)


def with_people(
    rows: "pd.DataFrame",
    encoders: "Mapping[str, Encoder]",
    coders: "Mapping[str, PredictiveCoder]",
    *,
    size: int,
) -> "pd.DataFrame":
    """Add probes for the person to probe rows, asked of the ten people of the world of JAFFE.

    Args:
        rows: from `probe_rows`.
        encoders: whose maps are probed, by the names in the rows.
        coders: whose codes are probed, likewise.
        size: side of the pictures.
    """
    import pandas as pd

    from fer_lib.adapt import features_of
    from fer_lib.datasets import load
    from fer_lib.datasets.splitting import people_of

    faces = load("world:jaffe", split="all", size=size)
    features = {name: features_of(one, faces, "map").arrays[0] for name, one in encoders.items()}
    features |= {name: codes_of(coder, faces) for name, coder in coders.items()}
    return pd.concat([rows, who(features, people_of(faces))], ignore_index=True)


def shrunk(parts: Parts, size: int) -> Parts:
    """Grey copies of all faces with another side, in memory: small studies need not shrink them each time."""

    def small(faces: "FaceSet") -> "FaceSet":
        images = prepare(faces.batch(np.arange(len(faces))), InputSpec(size, channels=1))
        pixels = (images * 255).round().byte().numpy()
        name = f"{faces.fingerprint} {size}"
        return dataclasses.replace(
            faces, pixels=pixels, rows=np.arange(len(faces)), fingerprint=name, origin=name
        )

    return Parts(small(parts.train), small(parts.validation), small(parts.test))


def coding_study(
    variants: Mapping[str, Mapping[str, Any]],
    parts: Parts,
    seeds: Iterable[int],
    *,
    recipe: Mapping[str, Any],
    properties: Sequence[str] = ("valence", "arousal", "head yaw", "skin tone"),
) -> Comparison:
    """Train coders whose recipes differ in one thing, with the same seeds, and probe their codes.

    Each coder is kept when it is trained: a study that is stopped goes on where it was. With FER_PROCESSES,
    coders train side by side.

    Args:
        variants: name to the entries of the recipe that it changes; ``{"epochs": 0}`` is an untrained coder.
        parts: sets; probes learn on the first, choose their penalty on the second, report on the third.
        seeds: distinct.
        recipe: what all share.
        properties: to probe for; those that the faces lack are left out.

    Returns:
        Rows (seed, model, metric, value, seconds) where a metric is a property and its value the
        score of a probe of the code; histories; the coders as models.
    """
    import pandas as pd

    known = shared_properties(parts)
    wanted = [name for name in properties if name in known]
    sets = (parts.train, parts.validation, parts.test)
    histories, coders, seeds = [], {}, list(seeds)
    whole = [{**recipe, **changes} for changes in variants.values()]
    ahead([partial(_trained, one, parts, seed) for seed in seeds for one in whole])  # opened below

    def run(seed: int) -> list[dict[str, Any]]:
        rows = []
        for name, changes in variants.items():
            coder, history = _trained({**recipe, **changes}, parts, seed)
            histories.append(history.assign(model=name, seed=seed))
            coders[name, seed] = coder
            codes = [codes_of(coder, faces) for faces in sets]  # type: ignore[arg-type]
            about = {"model": name, "seconds": float(history.get("seconds", default=np.zeros(1)).sum())}
            for one in wanted:
                pairs = zip(codes, known[one], strict=True)
                found = probe(*pairs, task=task_of(known[one][0]))  # type: ignore[arg-type, call-arg]
                rows.append(about | {"metric": one, "value": float(found["score"])})
        return rows

    rows = repeat(run, seeds)
    return Comparison(rows, pd.concat(histories, ignore_index=True), coders)  # type: ignore[arg-type]


def _trained(recipe: Mapping[str, Any], parts: Parts, seed: int) -> "tuple[PredictiveCoder, pd.DataFrame]":
    """A coder and its history, from the shelf; trained first where nobody has."""
    import pandas as pd

    if recipe["epochs"]:
        whole = dict(recipe)
        place = artifacts.build_once(
            keep.SHELF, keep.shelf_key("cpc", whole, parts, seed),
            lambda folder: keep.save_trained(folder, *predictive.train(whole, parts, seed)),
        )  # fmt: skip
        found = keep.open_trained(predictive, place, whole, parts.train.name)
        return found.whole, found.history  # type: ignore[return-value]
    with seeded(seed):  # the same first weights as the trained ones have
        encoder = CPC(width=recipe["width"], size=recipe["size"])
        return predictive.rebuild(dict(recipe), encoder), pd.DataFrame()
