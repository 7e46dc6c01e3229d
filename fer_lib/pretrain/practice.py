"""Practice in granting wishes: a painter learns to show what it is asked for (chapter 05; no paper's idea).

The losses of the autoencoder only ever ask for the affect that a face has. Where the code holds that affect,
the generator may overhear the wish and lose nothing. Here half of each batch is painted with the affect of
another face, and encoder and D_em, which stay as they are, must read the wish off the painting.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib import artifacts
from fer_lib.chapters.helpers import choose
from fer_lib.pretrain import adversarial, keep
from fer_lib.pretrain.adversarial_losses import (
    WEIGHTS,
    IdentityFeatures,
    affect_loss,
    critic_loss,
    fooling_loss,
    identity_loss,
    reconstruction_loss,
    total_loss,
)
from fer_lib.pretrain.adversarial_steps import BETAS, descend, still
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.provenance import code_key

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

PRACTICE = {
    **{name: WEIGHTS[name] for name in ("reconstruction", "identity", "realism")},
    "kept": WEIGHTS["identity"] / 2,  # of the identity loss where the face is to change
    "granted": 0.15,
}
"""Weights of the generator's loss: those of equation 6, and two of our own, chosen on validation faces."""
MOVED = 24  # a painting is read after a shift of up to a 24th of its side


class PracticeSteps:
    """The optimisers of generator and D_real while they practise; all other networks stay as they are.

    Args:
        model: a trained autoencoder with D_em. Its encoder, code and D_em are frozen here, in place.
        features: of the identity loss; None leaves it out.
        learning_rate: of both optimisers (Adam, betas 0.5 and 0.999).
        weights: of each part of the generator's loss, with the keys of `PRACTICE`.

    Raises:
        ValueError: an autoencoder without D_em.
    """

    def __init__(
        self,
        model: PKAutoencoder,
        features: IdentityFeatures | None,
        *,
        learning_rate: float = 2e-4,
        weights: Mapping[str, float] = PRACTICE,
    ) -> None:
        if model.d_em is None:
            raise ValueError("model must have D_em; got None. Only D_em can tell whether a wish is granted.")
        for part in (model.encoder, model.code, model.d_em):
            part.requires_grad_(False)
        self.model, self.features, self.weights = model, features, dict(weights)
        owned = {"painter": model.generator, "d_real": model.d_real}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(part.parameters(), lr=learning_rate, betas=BETAS)
            for name, part in owned.items()
            if part is not None
        }

    def batch(self, images: Tensor, affect: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Paint the first half with its own affect, the others with their neighbour's; take one step each.

        Args:
            images: prepared pictures (B, 3, S, S) in [-1, 1], B at least 2.
            affect: (B, 2) = (arousal, valence).
            generator: of the CPU; moves the paintings before they are read.

        Returns:
            Detached losses: the parts of the generator's loss and "total", and "d_real" where there is one.
        """
        model, own, losses = self.model, len(images) // 2, {}
        told = torch.cat([affect[:own], affect.roll(1, 0)[own:]])
        with torch.no_grad():
            codes = model.encode(images)
        painted = model.decode(codes, told)
        if model.d_real is not None:
            pays = critic_loss(model.d_real(images, affect), model.d_real(painted.detach(), told))
            descend(self.optimizers["d_real"], pays)
            losses["d_real"] = pays.detach()
        with still(*([] if model.d_real is None else [model.d_real])):
            parts = self.parts_of(images, painted, told, own, generator)
            total = total_loss(parts, self.weights)
            descend(self.optimizers["painter"], total)
        return losses | {name: value.detach() for name, value in {**parts, "total": total}.items()}

    def parts_of(
        self, images: Tensor, painted: Tensor, told: Tensor, own: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """What the generator pays: the first ``own`` pictures are to return, the others to change."""
        model = self.model
        assert model.d_em is not None
        seen = moved(painted[own:], generator)
        parts = {
            "reconstruction": reconstruction_loss(painted[:own], images[:own], kind=model.reconstruction),
            "granted": affect_loss(model.d_em(model.encode(seen)), told[own:]),
        }
        if self.features is not None:
            with torch.no_grad():
                wanted = self.features(images)
            found = self.features(painted)
            for name, rows in (("identity", slice(None, own)), ("kept", slice(own, None))):
                parts[name] = identity_loss([one[rows] for one in found], [one[rows] for one in wanted])
        if model.d_real is not None:
            parts["realism"] = fooling_loss(model.d_real(painted, told))
        return parts


def moved(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (B, C, S, S), half of them mirrored, all shifted alike by a few pixels; the edge is repeated.

    What is painted must be legible from elsewhere too: dots that suit the places where the encoder's strides
    look do not pay.

    Example:
        >>> moved(torch.zeros(2, 3, 48, 48), torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3, 48, 48])
    """
    side = images.shape[-1]
    most = max(1, side // MOVED)
    flip = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
    down, right = torch.randint(2 * most + 1, (2,), generator=generator).tolist()
    turned = torch.where(flip[:, None, None, None], images.flip(3), images)
    return F.pad(turned, [most] * 4, mode="replicate")[..., down : down + side, right : right + side]


def practise(
    model: PKAutoencoder,
    recipe: dict[str, Any],
    parts: "Parts",
    seed: int,
    *,
    epochs: int,
    weights: Mapping[str, float] = PRACTICE,
) -> "pd.DataFrame":
    """Let a trained autoencoder practise, in place; its encoder stays as it is to the bit.

    Args:
        model: with D_em.
        recipe: that it was trained with.
        parts: faces that it was trained on.
        seed: of order and moves.
        epochs: passes over the training faces.
        weights: see :class:`PracticeSteps`.

    Returns:
        One row an epoch: the mean of every loss, "validation" (reconstruction) and "seconds".

    Raises:
        FloatingPointError: a loss is not finite, see :func:`fer_lib.pretrain.adversarial.train`.
    """
    import pandas as pd

    features = IdentityFeatures(adversarial.face_network(recipe)) if model.identity else None
    adversarial.laid_out(model, features)
    steps = PracticeSteps(model, features, learning_rate=recipe["learning_rate"], weights=weights)
    training = adversarial.Training(steps, parts, recipe, seed)
    rows = [training.epoch(epoch) for epoch in range(epochs)]
    model.cpu().to(memory_format=torch.contiguous_format).eval()
    return pd.DataFrame(rows)


def practised(
    *,
    profile: str,
    dataset: str = "world:affectnet",
    data_root: str = "",
    seed: int = 0,
    passes: int | None = None,
    granted: float = PRACTICE["granted"],
    **changes: Any,
) -> keep.Trained:
    """Open an autoencoder that has practised, from the shelf; trained first where nobody has.

    Args:
        profile: "smoke", "quick" or "full"; gives the recipe and the passes.
        dataset: world or corpus with valence and arousal.
        data_root: folder of a real corpus.
        seed: of the autoencoder and of the practice.
        passes: epochs of practice; None takes the profile's.
        granted: weight of the wish. 0 is the control: as much further training, but nobody reads the wish.
        **changes: entries of the autoencoder's recipe.

    Raises:
        ValueError: an autoencoder without D_em, or an entry that there is not.
    """
    recipe = keep.recipe_of("pk", profile, **changes)
    if not recipe["d_em"]:
        raise ValueError("d_em must be on for practice; got False. Only D_em can tell whether it helps.")
    count: int = choose(profile, smoke=1, quick=3, full=10) if passes is None else passes
    given: dict[str, Any] = {"dataset": dataset, "data_root": data_root, "seed": seed}
    parts = keep.parts_for(adversarial, recipe, dataset, data_root)
    weights = PRACTICE | {"granted": granted}
    key = artifacts.key(
        name="pk, practised", recipe=recipe, passes=count, weights=weights, seed=seed,
        code=code_key(__name__), train=parts.train.fingerprint, validation=parts.validation.fingerprint,
    )  # fmt: skip

    def make(place: Path) -> None:
        whole = keep.trained_encoder("pk", profile=profile, **given, **changes).whole
        assert isinstance(whole, PKAutoencoder)
        history = practise(whole, recipe, parts, seed, epochs=count, weights=weights)
        keep.save_trained(place, whole.encoder, history, whole)

    return keep.open_trained(
        adversarial, artifacts.build_once(keep.SHELF, key, make), recipe | {"practice": count}, dataset
    )
