"""A world that is turned, shifted or zoomed by a known amount: does a Face-STN undo it? (chapter 08)"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.adapt.adapting import adapt
from fer_lib.adapt.face_stn import FaceSTN, affine_grid, face_stn, sample
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import Decision, FaceModel
from fer_lib.provenance import code_key
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

READINGS = ("angle_deg", "zoom", "right", "down")
ENTRIES = ("t11", "t12", "t13", "t21", "t22", "t23")


@dataclass(frozen=True)
class Motion:
    """Where a picture goes: turned about its middle, made larger, shifted, in this order.

    Args:
        angle_deg: clockwise, as seen on the screen.
        zoom: above 1 makes the face larger.
        right: shift, as a share of the picture's side.
        down: likewise.

    Raises:
        ValueError: a zoom of 0 or less.
    """

    angle_deg: float = 0.0
    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def __post_init__(self) -> None:
        if not self.zoom > 0:
            raise ValueError(f"zoom must be above 0; got {self.zoom}. 1 keeps the size.")

    def undoing(self) -> Tensor:
        """The theta of a Face-STN that brings the picture back, (2, 3).

        A point p of the upright picture lies at zoom * R p + 2 (right, down) of the moved one. So the sampler
        must look there: the map that undoes the motion is the motion itself.

        Example:
            >>> Motion(right=0.25).undoing().tolist()
            [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]
        """
        turn = np.deg2rad(self.angle_deg)
        c, s = self.zoom * np.cos(turn), self.zoom * np.sin(turn)
        rows = [[c, -s, 2 * self.right], [s, c, 2 * self.down]]
        return torch.tensor(rows, dtype=torch.float32) + 0.0  # no -0


def read_theta(theta: Tensor) -> dict[str, np.ndarray]:
    """Which motion a theta (..., 2, 3) undoes: the angle, zoom and shift nearest to it.

    Returns:
        One array (...) each: angle_deg in (-180, 180], zoom (the root of the area's change), right, down, and
        shear, how far the map is from turning and zooming alone (0: not at all).

    Example:
        >>> found = read_theta(Motion(angle_deg=30, zoom=1.2, down=-0.1).undoing())
        >>> [round(float(found[name]), 4) + 0.0 for name in (*READINGS, "shear")]
        [30.0, 1.2, 0.0, -0.1, 0.0]
    """
    t = theta.detach().cpu().double().numpy()
    a, b, c, d = t[..., 0, 0], t[..., 0, 1], t[..., 1, 0], t[..., 1, 1]
    return {
        "angle_deg": np.degrees(np.arctan2(c - b, a + d)),
        "zoom": np.sqrt(np.abs(a * d - b * c)),
        "right": t[..., 0, 2] / 2,
        "down": t[..., 1, 2] / 2,
        "shear": np.hypot(a - d, b + c) / 2,
    }


def moved(faces: Any, motion: Motion) -> Any:
    """The same faces with the same labels, each picture moved; what comes in from outside repeats the edge.

    Args:
        faces: a FaceSet.
        motion: of every picture.

    Returns:
        A FaceSet without truth, whose landmarks would no longer hold.
    """
    back = torch.eye(3)
    back[:2] = motion.undoing()
    theta = torch.linalg.inv(back)[None, :2]
    parts = []
    for index in np.array_split(np.arange(len(faces)), max(1, len(faces) // 128)):
        images = faces.batch(index).float()
        grid = affine_grid(theta, *images.shape[2:]).expand(len(images), -1, -1, -1)
        parts.append(sample(images, grid, beyond="border").round().clamp(0, 255).to(torch.uint8).numpy())
    name = artifacts.key(motion=asdict(motion), of=faces.fingerprint, code=code_key(__name__))
    pixels, rows = np.concatenate(parts), np.arange(len(faces))
    return replace(faces, pixels=pixels, rows=rows, truth=None, fingerprint=name, origin=name)


def thetas(model: FaceModel, faces: Any) -> Tensor:
    """What a model's Face-STN chooses for each face, (N, 2, 3), or for each frame of each clip in turn."""
    stage = "map" if model.plug_in.reads == "map" else "units"
    features = features_of(model.encoder, faces, stage)
    parts = np.array_split(np.arange(len(faces)), max(1, len(faces) // 128))
    batches = (features.batch(index) for index in parts)
    with torch.no_grad():
        maps = (one[0] if isinstance(one, tuple) else one for one in batches)
        found = [model.plug_in.cpu().theta(one.flatten(0, -4)) for one in maps]
    return torch.cat(found)


class FixedSTN(FaceSTN):
    """A Face-STN that is told its theta and learns nothing.

    Told the truth, it does what the best of all plug-ins would do; told the identity, it hands the map on
    twice and shows what a wider input alone is worth.

    Args:
        plug_in: what it stands in for.
        theta: (2, 3).

    Example:
        >>> twice = FixedSTN(FaceSTN((8, 4, 4)), Motion().undoing())
        >>> twice.feature_shape, sum(p.numel() for p in twice.parameters())
        ((16, 4, 4), 0)
    """

    def __init__(self, plug_in: FaceSTN, theta: Tensor) -> None:
        super().__init__(plug_in.map_shape, filters=1, hidden=1, concat=plug_in.concat)
        self.localisation = torch.nn.Sequential()
        self.reads = plug_in.reads  # type: ignore[misc]
        self.feature_shape, self._forward = plug_in.feature_shape, type(plug_in).forward
        self.register_buffer("fixed", theta)

    def theta(self, features: Tensor) -> Tensor:
        """The theta it was given, for each face."""
        return self.get_buffer("fixed").expand(len(features), 2, 3)

    def forward(self, features: Tensor, last_conv: Any = None, units: Tensor | None = None) -> Tensor:
        """Do as the plug-in does that it stands in for."""
        return self._forward(self, features, last_conv, units)


def recover(
    encoder: Encoder,
    parts: Parts,
    motions: Mapping[str, Motion],
    seeds: Sequence[int],
    *,
    epochs: int,
    head: Decision | None = None,
    settings: Settings | None = None,
) -> "pd.DataFrame":
    """Move a world by a known amount, adapt with a Face-STN on frozen features, and read theta.

    ``layer`` tells who else may adapt: "old" keeps the decision layer that was trained on the upright
    faces, so that only the plug-in can mend anything; "new" trains another one on the moved faces.

    Args:
        encoder: trained on upright faces.
        parts: upright faces.
        motions: name to what is done to all three sets.
        seeds: of decision layer and plug-in.
        epochs: of each training.
        head, settings: see ``fer_lib.adapt.adapt``.

    Returns:
        One row a motion, seed and setting: motion, layer, plug_in ("none", "truth" for a theta that is told,
        "alone", "beside" for both maps), at ("map" or "trunk"), score (mean of the metrics of the moved test
        faces), and what theta undoes, as a mean over the test faces: angle_deg, zoom, right, down, shear, and
        spread_deg, its standard deviation over faces; t11 to t23 are the mean theta. Finished seeds are kept
        and not run again.
    """
    key = artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), epochs=epochs, head=asdict(head or Decision()),
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)],
        motions={name: asdict(motion) for name, motion in motions.items()},
        settings=None if settings is None else settings.as_dict(),
    )  # fmt: skip
    sets = {name: _moved_parts(parts, motion) for name, motion in motions.items()}

    def run(seed: int) -> list[dict[str, Any]]:
        training: dict[str, Any] = {"head": head, "settings": settings, "epochs": epochs}
        upright = adapt(encoder, parts.train, parts.validation, test=parts.test, seeds=[seed], **training)
        old = upright.models[seed]
        rows = [_row("upright", "old", "none", "", upright.rows["value"].mean())]
        for name, motion in motions.items():
            rows += [row | {"motion": name} for row in _one_motion(old, sets[name], motion, seed, training)]
        return rows

    return repeat(run, seeds, folder=artifacts.home() / "motions" / key, processes=None)


def _moved_parts(parts: Parts, motion: Motion) -> Parts:
    return Parts(*(moved(faces, motion) for faces in (parts.train, parts.validation, parts.test)))


def _one_motion(
    old: FaceModel, parts: Parts, motion: Motion, seed: int, training: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    yield _row("", "old", "none", "", _score(old, parts.test))
    for at in ("map", "trunk"):
        told = FixedSTN(face_stn(old.encoder, at=at, concat=False), motion.undoing())
        yield _row("", "old", "truth", at, _score(FaceModel(old.encoder, old.head, told), parts.test))
        model = learn_theta(old, parts, at=at, seed=seed, **training)
        yield _row("", "old", "alone", at, _score(model, parts.test), thetas(model, parts.test))
    makes: dict[str, Any] = {"none": None, "alone": partial(face_stn, concat=False), "beside": face_stn}
    for plug_in, make in makes.items():
        done = adapt(
            old.encoder,
            parts.train,
            parts.validation,
            test=parts.test,
            plug_in=make,
            seeds=[seed],
            **training,
        )
        found = None if make is None else thetas(done.models[seed], parts.test)
        yield _row("", "new", plug_in, "map" if make else "", done.rows["value"].mean(), found)


def learn_theta(
    old: FaceModel,
    parts: Parts,
    *,
    seed: int,
    epochs: int,
    at: str = "map",
    head: Decision | None = None,
    settings: Settings | None = None,
) -> FaceModel:
    """Train a Face-STN alone, between an encoder and a decision layer that both stay as they are.

    Args:
        old: a model without a plug-in.
        parts: what to learn from.
        seed, epochs, settings: of the training.
        at: see ``fer_lib.adapt.face_stn.face_stn``.
        head: not used; the decision layer is that of ``old``.
    """
    copy = deepcopy(old)
    with seeded(seed):
        model = FaceModel(copy.encoder.freeze(), copy.head, face_stn(copy.encoder, at=at, concat=False))
    model.head.requires_grad_(False)
    stage = model.frozen_stage()
    train, validation = (
        features_of(model.encoder, faces, stage) for faces in (parts.train, parts.validation)
    )
    settings = settings or Settings(batch_size=32, learning_rate=2e-3)
    fit(model.tail(), train, validation, epochs=epochs, seed=seed, settings=settings)
    return model.eval()


def _score(model: FaceModel, faces: Any) -> float:
    stage = model.frozen_stage()
    tail: Any = model.tail()
    answers = predict(tail, features_of(model.encoder, faces, stage))
    return float(np.mean(list(evaluate(answers, faces).values())))


def _row(
    motion: str, layer: str, plug_in: str, at: str, score: float, found: Tensor | None = None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "motion": motion,
        "layer": layer,
        "plug_in": plug_in,
        "at": at,
        "score": float(score),
    }
    if found is None:
        return row | dict.fromkeys((*READINGS, "shear", "spread_deg", *ENTRIES), float("nan"))
    read = read_theta(found)
    row |= {n: float(v.mean()) for n, v in read.items()} | {"spread_deg": float(read["angle_deg"].std())}
    return row | dict(zip(ENTRIES, found.double().mean(0).flatten().tolist(), strict=True))
