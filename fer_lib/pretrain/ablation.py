"""What each critic adds: the eight autoencoders of the paper's Table 2, read out alike (chapter 05)."""

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.chapters.helpers import choose
from fer_lib.metrics import ccc
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain.adversarial import TASKS
from fer_lib.pretrain.adversarial_losses import affect_loss
from fer_lib.pretrain.autoencoder import PKAutoencoder, to_arousal_valence
from fer_lib.pretrain.discriminators import AffectCritic
from fer_lib.pretrain.keep import recipe_of, trained_encoder
from fer_lib.provenance import code_key
from fer_lib.train.device import device
from fer_lib.train.parts import load_parts
from fer_lib.train.randomness import seeded
from fer_lib.train.repeats import repeat

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

SWITCHES = ("d_prior", "d_real", "d_em")
NAMES = {"d_prior": "D_prior", "d_real": "D_real", "d_em": "D_em"}
SMALL = {"width": 0.125, "size": 32, "epochs": 3, "faces": 900, "batch_size": 16, "identity": False}
TINY = SMALL | {"epochs": 1, "faces": 256}
STEPS, LOOK, RATE = 300, 20, 3e-3


def variants() -> dict[str, dict[str, bool]]:
    """The eight ablations, named as the paper's table names them, with their switches.

    Example:
        >>> list(variants())[:3]
        ['PK base', 'PK base + D_prior', 'PK base + D_real']
        >>> variants()["PK base + D_em"]
        {'d_prior': False, 'd_real': False, 'd_em': True}
    """
    chosen = sorted(product((False, True), repeat=3), key=lambda on: (sum(on), [not one for one in on]))
    return {_name(on): dict(zip(SWITCHES, on, strict=True)) for on in chosen}


def _name(on: tuple[bool, ...]) -> str:
    if all(on):
        return "PK all"
    return " + ".join(
        ["PK base", *(NAMES[switch] for switch, there in zip(SWITCHES, on, strict=True) if there)]
    )


def changes(profile: str) -> dict[str, Any]:
    """What the ablations change of a profile's recipe: in the small profiles they are smaller still,
    and do without the identity loss, which costs a third of the time and is no critic."""
    found: dict[str, Any] = choose(profile, smoke=TINY, quick=SMALL, full={})
    return found


def study(
    seeds: Iterable[int], *, profile: str, dataset: str = "world:affectnet", data_root: str = ""
) -> "pd.DataFrame":
    """Train the eight autoencoders with each seed and read them out.

    A seed gives all eight the same first weights, where they share them, and the same order of faces. Each
    training is kept by itself (see ``trained_encoder``), and so are the rows of a seed: a study that was
    stopped goes on where it was. With FER_PROCESSES, seeds run side by side.

    Args:
        seeds: distinct integers.
        profile: "smoke", "quick" or "full"; see :func:`changes`.
        dataset: world or corpus with valence and arousal.
        data_root: folder of a real corpus.

    Returns:
        model, metric, seed, value. The metrics are those of :func:`readout`, and "uniformity" (mean
        Kolmogorov-Smirnov distance of the test codes' dimensions).
    """
    parts = parts_of(profile, dataset, data_root)

    def run(seed: int) -> list[dict[str, Any]]:
        rows = []
        for name in variants():
            model = whole_of(name, seed, profile=profile, dataset=dataset, data_root=data_root)
            found = readout(model, parts, seed)
            found["uniformity"] = float(uniformity(codes_of(model, parts.test).numpy()).mean())
            rows += [{"model": name, "metric": m, "value": v} for m, v in found.items()]
        return rows

    key = artifacts.key(
        code=code_key(__name__), recipe=recipe_of("pk", profile, **changes(profile)), variants=variants(),
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)],
    )  # fmt: skip
    rows = repeat(run, seeds, folder=artifacts.home() / "ablations" / key, processes=None)
    return rows[["model", "metric", "seed", "value"]]


def parts_of(profile: str, dataset: str = "world:affectnet", data_root: str = "") -> "Parts":
    """The faces that the eight learn from and are tested on."""
    recipe = recipe_of("pk", profile, **changes(profile))
    limits = (recipe["faces"], None if recipe["faces"] is None else max(64, 2 * recipe["faces"] // 3))
    return load_parts(dataset, TASKS, root=data_root or None, size=recipe["size"], limits=limits)


def whole_of(
    name: str, seed: int, *, profile: str, dataset: str = "world:affectnet", data_root: str = ""
) -> PKAutoencoder:
    """One of the eight autoencoders of :func:`study`, from the shelf."""
    given: dict[str, Any] = {"dataset": dataset, "data_root": data_root, "seed": seed}
    switched: dict[str, Any] = changes(profile) | variants()[name]
    done = trained_encoder("pk", profile=profile, **given, **switched)
    assert isinstance(done.whole, PKAutoencoder)
    return done.whole


@torch.no_grad()
def pictures_and_maps(model: PKAutoencoder, face: Any, wishes: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """One face and its edits, and how strongly the encoder's last map answers to each; as the paper's Fig. 2.

    Args:
        model: a trained autoencoder.
        face: a FaceSet of one picture.
        wishes: (K, 2), arousal first.

    Returns:
        uint8 (1 + K, 3, S, S), the face as the model gets it and its edits; and (1 + K, h, w), the mean of
        the map over its channels.
    """
    model.eval()
    image = prepare(face.batch(np.arange(1)), model.encoder.input_spec)
    pictures = torch.cat([image, model.edit(image.expand(len(wishes), -1, -1, -1), wishes)])
    maps = model.encoder(pictures).mean(1)
    return ((pictures + 1) * 127.5).round().clamp(0, 255).byte().numpy(), maps.numpy()


@torch.no_grad()
def codes_of(model: PKAutoencoder, faces: Any, *, batch_size: int = 256) -> Tensor:
    """Codes (N, latent) of a face set, in evaluation mode, on the CPU."""
    where = device()
    model.to(where).eval()
    found = []
    for index in np.array_split(np.arange(len(faces)), -(-len(faces) // batch_size)):
        images = prepare(faces.batch(index).to(where), model.encoder.input_spec)
        found.append(model.encode(images).cpu())
    model.cpu()
    return torch.cat(found)


def reader(model: PKAutoencoder, parts: "Parts", seed: int) -> AffectCritic:
    """Train a decision layer on the codes of a frozen encoder.

    The layer has D_em's topology, is trained on the training faces with D_em's loss (Adam, 300 steps over
    all of them), and stops where it does best on the validation faces.

    Args:
        model: a trained autoencoder; it is not changed.
        parts: faces with valence and arousal.
        seed: of the layer's first weights.
    """
    codes = {name: codes_of(model, getattr(parts, name)) for name in ("train", "validation")}
    wanted = {name: to_arousal_valence(getattr(parts, name).targets()) for name in codes}
    with seeded(seed):
        layer = AffectCritic(model.latent)
    optimizer = torch.optim.Adam(layer.parameters(), lr=RATE)
    best, kept = -np.inf, layer.state_dict()
    for step in range(STEPS):
        loss = affect_loss(layer(codes["train"]), wanted["train"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % LOOK == LOOK - 1:
            with torch.no_grad():
                value = float(np.mean(_ccc(layer(codes["validation"]), wanted["validation"])))
            if value > best:
                best, kept = value, {name: weight.clone() for name, weight in layer.state_dict().items()}
    layer.load_state_dict(kept)
    return layer


def readout(model: PKAutoencoder, parts: "Parts", seed: int) -> dict[str, float]:
    """CCC on the test faces of a decision layer, the same for every autoencoder, with D_em or without.

    Args:
        model: a trained autoencoder; it is not changed.
        parts: faces with valence and arousal.
        seed: of the layer's first weights; see :func:`reader`.

    Returns:
        "ccc_arousal" and "ccc_valence"; and "own_arousal" and "own_valence" of D_em itself where there is
        one.
    """
    layer, wanted = reader(model, parts, seed), to_arousal_valence(parts.test.targets())
    codes, found = codes_of(model, parts.test), dict[str, float]()
    for name, critic in (("ccc", layer), ("own", model.d_em)):
        if critic is not None:
            with torch.no_grad():
                arousal, valence = _ccc(critic(codes), wanted)
            found |= {f"{name}_arousal": float(arousal), f"{name}_valence": float(valence)}
    return found


def _ccc(pred: Tensor, target: Tensor) -> np.ndarray:
    return np.asarray(ccc(pred.numpy(), target.numpy()))


def effects(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What each critic adds: paired differences of autoencoders that differ in it alone, over all seeds.

    With S seeds there are 4 S pairs a critic: one for each choice of the other two and each seed.

    Args:
        rows: model (a name of :func:`variants`), metric, seed, value.

    Returns:
        critic, metric, mean, low, high (95 %, Student's t), pairs.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    table = rows.set_index(["metric", "model", "seed"])["value"].sort_index()
    lines = []
    for metric, switch in product(dict.fromkeys(rows["metric"]), SWITCHES):
        pairs = []
        for on in variants().values():
            if on[switch]:
                names = [_name(tuple((on | {switch: there}).values())) for there in (True, False)]
                pairs.append([table[metric, name].to_numpy(float) for name in names])
        there, absent = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
        d = paired_difference(there, absent)
        lines.append(
            {
                "critic": NAMES[switch],
                "metric": metric,
                "mean": d.mean,
                "low": d.low,
                "high": d.high,
                "pairs": d.n,
            }
        )
    return pd.DataFrame(lines)


def claims(ours: "pd.DataFrame") -> "pd.DataFrame":
    """What each critic adds, ours beside the paper's, and whether our runs bear it out.

    Args:
        ours: rows of :func:`study` with the metrics "ccc_arousal" and "ccc_valence".

    Returns:
        critic, output, mean, low, high, published (the same mean of differences over the paper's single
        runs), verdict: "yes" where our interval lies above 0, "no" where it lies below, else "undecided".
    """
    from fer_lib.results import published

    printed = published("p-affmem", "Table 2")
    printed = printed[printed["encoder"] == "pk"].rename(columns={"row": "model"}).assign(seed=0)
    theirs = effects(printed).set_index(["critic", "metric"])["mean"]
    found = effects(ours[ours["metric"].isin(["ccc_arousal", "ccc_valence"])])
    places = zip(found["critic"], found["metric"], strict=True)
    found["published"] = [float(theirs[place]) for place in places]
    found["verdict"] = [_verdict(low, high) for low, high in zip(found["low"], found["high"], strict=True)]
    found["output"] = found.pop("metric").str.removeprefix("ccc_")
    return found[["critic", "output", "mean", "low", "high", "published", "verdict"]]


def _verdict(low: float, high: float) -> str:
    return "yes" if low > 0 else "no" if high < 0 else "undecided"


def uniformity(codes: np.ndarray) -> np.ndarray:
    """Kolmogorov-Smirnov distance of each dimension of codes (N, D) from the uniform law on [-1, 1]: (D,).

    0 is a perfect fit, 1 the worst there can be.

    Example:
        >>> even = np.linspace(-1, 1, 1001)[:, None]
        >>> bool(uniformity(even)[0] < 0.002), uniformity(np.zeros((10, 1)))[0].item()
        (True, 0.5)
    """
    ordered = np.sort(np.asarray(codes, dtype=float), axis=0)
    law = (np.clip(ordered, -1, 1) + 1) / 2
    count = len(ordered)
    above = np.arange(1, count + 1)[:, None] / count - law
    below = law - np.arange(count)[:, None] / count
    return np.maximum(above, below).max(0)
