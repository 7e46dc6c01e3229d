"""One batch of adversarial training: four optimisers, each with parameters and a loss of its own.

Several processes can share the batch, see ``fer_lib.processes``. All losses here are means over rows, so each
process computes them of its own rows and weighs them; codes from the cube are drawn for the whole batch.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

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
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.processes import average_gradients, share_of, weighed
from fer_lib.train.device import mixed

BETAS = (0.5, 0.999)


class Steps:
    """The optimisers of an autoencoder and its critics, and what each minimises.

    A batch is coded and painted once. First each critic takes a step on what came out, then encoder, code and
    generator take theirs against the critics as they are now; no step changes what another owns.

    Args:
        model: see :class:`PKAutoencoder`.
        features: of the identity loss; needed where ``model.identity`` is set.
        learning_rate: of all four optimisers (Adam, betas 0.5 and 0.999).
        weights: lambda of each part of the painters' loss.

    Raises:
        ValueError: identity without features.
    """

    def __init__(
        self,
        model: PKAutoencoder,
        features: IdentityFeatures | None,
        *,
        learning_rate: float = 2e-4,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        if model.identity and features is None:
            raise ValueError("features must be given for the identity loss; got None. Or set identity=False.")
        self.model, self.features = model, features if model.identity else None
        self.weights = dict(weights)
        owned = {"painters": model.painters()}
        owned |= {name: list(critic.parameters()) for name, critic in model.critics.items()}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(own, lr=learning_rate, betas=BETAS) for name, own in owned.items()
        }

    def batch(self, images: Tensor, affect: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Take one step of each optimiser.

        Args:
            images: prepared pictures (B, 3, S, S) in [-1, 1], B at least 2.
            affect: (B, 2) = (arousal, valence).
            generator: of the CPU; draws the codes from the cube.

        Returns:
            Detached losses: the parts of the painters' loss and "total", and one named for each critic.
        """
        with mixed():
            codes, painted = self.model(images, affect)
        losses = self.critics_step(images, affect, codes.detach(), painted.detach(), generator)
        return losses | self.painters_step(images, affect, codes, painted)

    def critics_step(
        self, images: Tensor, affect: Tensor, codes: Tensor, painted: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Each critic learns from codes and pictures that are constants to it."""
        with mixed():
            found = self.paid(images, affect, codes, painted, generator)
        losses = {name: weighed(loss) for name, loss in found.items()}
        for name, loss in losses.items():
            descend(self.optimizers[name], loss)
        return {name: loss.detach() for name, loss in losses.items()}

    def paid(
        self, images: Tensor, affect: Tensor, codes: Tensor, painted: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """What each critic that is switched on pays."""
        model, losses = self.model, {}
        if model.d_em is not None:
            losses["d_em"] = affect_loss(model.d_em(codes), affect)
        if model.d_prior is not None:
            share = share_of(len(codes))
            drawn = torch.rand(share.whole, codes.shape[1], generator=generator)
            cube = (2 * drawn[share.rows] - 1).to(codes.device, codes.dtype, non_blocking=True)
            losses["d_prior"] = critic_loss(model.d_prior(cube), model.d_prior(codes))
        if model.d_real is not None:
            real = model.d_real(images, affect)
            losses["d_real"] = critic_loss(real, model.d_real(painted, affect))
        return losses

    def painters_step(
        self, images: Tensor, affect: Tensor, codes: Tensor, painted: Tensor
    ) -> dict[str, Tensor]:
        """Encoder, code and generator learn together; the critics judge and stay as they are."""
        with still(*self.model.critics.values()):
            with mixed():
                found = self.parts_of(images, affect, codes, painted)
            parts = {name: weighed(loss) for name, loss in found.items()}
            total = total_loss(parts, self.weights)
            descend(self.optimizers["painters"], total)
        return {name: value.detach() for name, value in {**parts, "total": total}.items()}

    def parts_of(self, images: Tensor, affect: Tensor, codes: Tensor, painted: Tensor) -> dict[str, Tensor]:
        """The parts of equation 6 that are switched on."""
        model = self.model
        parts = {"reconstruction": reconstruction_loss(painted, images, kind=model.reconstruction)}
        if model.d_em is not None:
            parts["affect"] = affect_loss(model.d_em(codes), affect)
        if self.features is not None:
            with torch.no_grad():
                wanted = self.features(images)
            parts["identity"] = identity_loss(self.features(painted), wanted)
        if model.d_prior is not None:
            parts["prior"] = fooling_loss(model.d_prior(codes))
        if model.d_real is not None:
            parts["realism"] = fooling_loss(model.d_real(painted, affect))
        return parts


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimiser down the gradient of a loss, of the whole batch where processes share it."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(optimizer)
    optimizer.step()


@contextmanager
def still(*critics: nn.Module) -> Iterator[None]:
    """Inside the block critics take no gradient, and their BatchNorm normalises by the batch as ever but
    keeps no account of it: weights and running statistics stay bit for bit."""
    norms = [m for c in critics for m in c.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    for critic in critics:
        critic.requires_grad_(False)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for critic in critics:
            critic.requires_grad_(True)
        for norm in norms:
            norm.track_running_stats = True
