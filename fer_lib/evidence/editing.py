"""Edited faces against the truth: the same person, drawn by the world with that affect (chapter 05)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import worlds
from fer_lib.augment import Augmentation
from fer_lib.encoders import FaceChannel
from fer_lib.heads import build_model
from fer_lib.metrics import bootstrap_interval, ccc
from fer_lib.preprocess.inputs import prepare
from fer_lib.provenance import code_key
from fer_lib.train import Settings, fit, folder_of, seeded
from fer_lib.worlds import camera
from fer_lib.worlds.regions import chunks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from fer_lib.encoders.contract import Encoder
    from fer_lib.heads import FaceModel
    from fer_lib.pretrain.autoencoder import PKAutoencoder
    from fer_lib.train import Parts

RADIUS = 0.65  # of the ring of affects asked for
LATTICE = 21  # wishes along each axis from which the renderer's candidate faces come
GALLERY_SEED = 5


def ring(radius: float = RADIUS, count: int = 8) -> Tensor:
    """Affects to ask for: the middle, and points of a circle around it; (1 + count, 2), arousal first.

    Example:
        >>> (ring(0.5, 4).round(decimals=2) + 0.0).tolist()
        [[0.0, 0.0], [0.0, 0.5], [0.5, 0.0], [0.0, -0.5], [-0.5, 0.0]]
    """
    angle = torch.arange(count) * 2 * torch.pi / count
    circle = radius * torch.stack([angle.sin(), angle.cos()], 1)
    return torch.cat([torch.zeros(1, 2), circle]) + 0.0


def grid(steps: int = 5, radius: float = 0.9) -> Tensor:
    """A square of affects, (steps^2, 2), arousal first: arousal falls from row to row, valence rises along.

    Example:
        >>> grid(2, 1.0).tolist()
        [[1.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]]
    """
    line = torch.linspace(-radius, radius, steps)
    arousal, valence = torch.meshgrid(line.flip(0), line, indexing="ij")
    return torch.stack([arousal.flatten(), valence.flatten()], 1)


@dataclass(frozen=True)
class Drawn:
    """The same N people with A affects each, as their world draws them.

    Args:
        images: uint8 (N, A, 3, S, S).
        reached: (N, A, 2), arousal first: what the world's rule reads off each face; not every affect asked
            for can be shown by a face.
        gallery: uint8 (N, 3, S, S), the same people at rest in a scene of their own, for telling who is who.
    """

    images: np.ndarray
    reached: Tensor
    gallery: np.ndarray


def draw_truth(faces: Any, wanted: Tensor) -> Drawn:
    """Draw the people of some pictures of a world again, in their scenes, with other affects.

    Of some hundred combinations of action units, with the person's own gains and habits, the one is taken
    whose affect by the world's rule is nearest to the wish.

    Args:
        faces: a FaceSet of N pictures of a world.
        wanted: (A, 2), arousal first.

    Raises:
        KeyError: not a world.
    """
    world = worlds.WORLDS[faces.name.removeprefix("world:")]
    side = faces.pixels.shape[-1]
    bank = _bank()
    images = np.zeros((len(faces), len(wanted), 3, side, side), np.uint8)
    gallery, reached = (
        np.zeros((len(faces), 3, side, side), np.uint8),
        torch.zeros(len(faces), len(wanted), 2),
    )
    generator = torch.Generator().manual_seed(GALLERY_SEED)
    for place, drawn, rows in chunks_of(world, faces):
        for at, row in zip(place, torch.as_tensor(rows).tolist(), strict=True):
            person, scene = drawn.people.take(slice(row, row + 1)), drawn.scene.take(torch.tensor([row]))
            units = (bank * person["gain"][..., None] + person["habit"][..., None]).clamp(0, 1)
            valence, arousal = worlds.affect(units, **world.dialect.reading)
            shown = torch.stack([arousal, valence], 1)
            best = torch.cdist(wanted, shown).argmin(1)
            reached[at] = shown[best]
            again = torch.zeros(len(wanted), dtype=torch.long)
            images[at] = _paint(person.take(again), units[best], scene.take(again), side)
            calm = worlds.sample_scene(1, generator, world.style)
            gallery[at] = _paint(person, units[:1], calm, side)[0]
    return Drawn(images, reached, gallery)


def _bank() -> Tensor:
    """Faces to choose from, (M, A, 2); the first is at rest."""
    line = torch.linspace(-1, 1, LATTICE)
    valence, arousal = (axis.flatten() for axis in torch.meshgrid(line, line, indexing="ij"))
    found = torch.unique(worlds.express(valence, arousal), dim=0)
    return torch.cat([torch.zeros_like(found[:1]), found])


def _paint(people: Any, units: Tensor, scene: Any, side: int) -> np.ndarray:
    return camera.to_uint8(worlds.render(people, units, scene, size=side).images).numpy()


@torch.no_grad()
def paint_edits(model: "PKAutoencoder", faces: Any, wanted: Tensor) -> np.ndarray:
    """What an autoencoder makes of the wishes: uint8 (N, A, 3, S, S) for ``wanted`` (A, 2), arousal first."""
    images = prepare(faces.batch(np.arange(len(faces))), model.encoder.input_spec)
    codes = model.encode(images)
    edits = [model.decode(codes, one.expand(len(codes), 2)) for one in wanted]
    return as_pixels(torch.stack(edits, 1))


def as_pixels(images: Tensor) -> np.ndarray:
    """Pictures in [-1, 1] as uint8."""
    return ((images + 1) * 127.5).round().clamp(0, 255).byte().numpy()


def train_judge(parts: "Parts", *, epochs: int, width: float = 0.125, seed: int = 0) -> "FaceModel":
    """A FaceChannel that reads valence and arousal: it has never seen a painted face, nor the autoencoder.

    It is trained once and kept.

    Args:
        parts: what the autoencoder learned from, too; the validation part chooses the epoch.
        epochs: passes over the training faces.
        width: of the FaceChannel.
        seed: of weights, order and augmentation.
    """
    settings = Settings(
        batch_size=32, learning_rate=3e-3, augmentation=Augmentation(rotate_deg=6, zoom=0.06, shift=0.04)
    )
    side = 16 * (parts.train.pixels.shape[-1] // 16)
    with seeded(seed):
        model = build_model(FaceChannel, parts.train, hidden=(64,), width=width, size=side, dropout=0.0)
    place = folder_of(parts, settings, judge="affect", code=code_key(__name__), width=width, epochs=epochs)
    held = place / f"judge_{seed}.safetensors"
    fit(model, parts.train, parts.validation, epochs=epochs, seed=seed, settings=settings, checkpoint=held)
    return model


@torch.no_grad()
def judged(judge: "FaceModel", images: np.ndarray) -> Tensor:
    """What a judge reads off pictures uint8 (..., 3, S, S): (..., 2), arousal first, as everywhere here."""
    judge.cpu().eval()
    flat = torch.from_numpy(images.reshape(-1, *images.shape[-3:]))
    found = judge.predict(judge(prepare(flat, judge.encoder.input_spec)))
    return found.flip(-1).reshape(*images.shape[:-3], 2)


def affect_reached(read: Tensor, wanted: Tensor) -> dict[str, float]:
    """How far the judge's reading follows what was asked for.

    Args:
        read: (N, A, 2) the judge's reading, arousal first.
        wanted: (N, A, 2), or (A, 2) for all alike.

    Returns:
        For "arousal" and "valence": the concordance "ccc_...", the correlation "r_..." and "slope_...", the
        rise of the reading by a rise of 1 of the wish (least squares).
    """
    asked = wanted.expand_as(read).reshape(-1, 2).numpy().astype(float)
    seen = read.reshape(-1, 2).numpy().astype(float)
    found = {}
    agreement = np.asarray(ccc(seen, asked))  # (2,)
    for k, name in enumerate(("arousal", "valence")):
        covariance = np.cov(asked[:, k], seen[:, k])
        spread = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
        found[f"ccc_{name}"] = float(agreement[k])
        found[f"r_{name}"] = float(covariance[0, 1] / spread) if spread > 0 else 0.0
        found[f"slope_{name}"] = float(covariance[0, 1] / covariance[0, 0])
    return found


def compare_edits(
    read: "Mapping[str, Tensor]", asked: "Mapping[str, Tensor]", kept: "Mapping[str, np.ndarray]"
) -> "pd.DataFrame":
    """Affect reached and identity kept of several kinds of pictures, with 95 % intervals over people.

    Args:
        read: kind to the judge's reading (N, A, 2), arousal first.
        asked: kind to what was asked for, (N, A, 2) or (A, 2).
        kept: kind to each person's :func:`identity_kept`, (N,).

    Returns:
        pictures, measure, mean, low, high; the measures are the concordance of arousal and of valence, and
        identity.
    """
    import pandas as pd

    lines = []
    for kind, seen in read.items():
        wish = asked[kind].expand_as(seen)
        measures = {"identity kept": bootstrap_interval(np.mean, np.asarray(kept[kind], dtype=float))}
        for k, name in enumerate(("arousal reached (CCC)", "valence reached (CCC)")):
            pair = (seen[..., k].numpy().astype(float), wish[..., k].numpy().astype(float))
            measures[name] = bootstrap_interval(_agreement, *pair)  # a row is a person with all pictures
        for name in sorted(measures):
            found = measures[name]
            ends = {"mean": found.value, "low": found.low, "high": found.high}
            tidy = {end: round(float(value), 9) + 0.0 for end, value in ends.items()}  # no minus zero
            lines.append({"pictures": kind, "measure": name} | tidy)
    return pd.DataFrame(lines)


def gains(before: Tensor, after: Tensor, asked: Tensor) -> "pd.DataFrame":
    """How much more of the same wishes reaches the judge, with 95 % intervals over people.

    Args:
        before: (N, A, 2) the judge's readings of the one kind of pictures, arousal first.
        after: those of the other kind, of the same people.
        asked: (A, 2) or (N, A, 2).

    Returns:
        output ("arousal", "valence"), mean, low, high of the difference of concordances; verdict: "more"
        where the interval lies above 0, "less" where it lies below, else "not told apart".
    """
    import pandas as pd

    wish, lines = asked.expand_as(after), []
    for k, name in enumerate(("arousal", "valence")):
        three = [one[..., k].numpy().astype(float) for one in (before, after, wish)]
        found = bootstrap_interval(lambda b, a, w: _agreement(a, w) - _agreement(b, w), *three)
        low, high = float(found.low), float(found.high)
        verdict = "more" if low > 0 else "less" if high < 0 else "not told apart"
        mean = float(found.value)
        lines.append({"output": name, "mean": mean, "low": low, "high": high, "verdict": verdict})
    return pd.DataFrame(lines)


def _agreement(read: np.ndarray, asked: np.ndarray) -> float:
    return float(ccc(read.ravel(), asked.ravel()))


@torch.no_grad()
def identity_kept(encoder: "Encoder", images: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """How often a picture is nearer to its own person than to another: (N,) in [0, 1]; 0.5 is chance.

    Nearness is the cosine between a face network's maps. For each person: the mean over their pictures of the
    share of the other people in the gallery who are farther away than themselves.

    Args:
        encoder: a network trained to tell people apart.
        images: uint8 (N, A, 3, S, S).
        gallery: uint8 (N, 3, S, S), one other picture of each person, in the same order.

    Raises:
        ValueError: fewer than two people.
    """
    if len(gallery) < 2:
        raise ValueError(f"gallery must hold 2 people; got {len(gallery)}. Nobody to be mistaken for.")
    query = _features(encoder, images.reshape(-1, *images.shape[-3:])).reshape(*images.shape[:2], -1)
    known = _features(encoder, gallery)
    near = torch.einsum("nad,md->nam", query, known)  # (N, A, N)
    own = torch.diagonal(near, dim1=0, dim2=2).T[..., None]  # (N, A, 1)
    others = ~torch.eye(len(gallery), dtype=torch.bool)[:, None, :].expand_as(near)
    beaten = (own > near).double() + 0.5 * (own == near).double()
    return ((beaten * others).sum(-1) / (len(gallery) - 1)).mean(1).numpy()


def _features(encoder: "Encoder", images: np.ndarray) -> Tensor:
    maps = encoder.eval()(prepare(torch.from_numpy(np.ascontiguousarray(images)), encoder.input_spec))
    flat = maps.flatten(1)
    return torch.nn.functional.normalize(flat - flat.mean(0), dim=1)
