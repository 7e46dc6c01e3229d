"""Pre-training by painting: the Prior-Knowledge autoencoder and its critics (chapter 05)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from fer_lib.chapters.helpers import choose
from fer_lib.encoders import make_encoder
from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.files import digest, tensors_of
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain.adversarial_losses import WEIGHTS, IdentityFeatures, reconstruction_loss
from fer_lib.pretrain.adversarial_steps import Steps
from fer_lib.pretrain.autoencoder import LATENT, PKAutoencoder, to_arousal_valence
from fer_lib.pretrain.discriminators import start_by_inputs
from fer_lib.pretrain.resuming import check_rows, run_epochs
from fer_lib.processes import Team, sharing
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import alone, device, make_team
from fer_lib.train.randomness import epoch_seed, seeded

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

TASKS = ("valence_arousal",)
SMALL_VGG = {"width": 0.125, "size": 32, "stored": 32}
CHECKED = 240  # validation faces that are painted after each epoch
SWITCHES = ("latent", "d_em", "d_prior", "d_real", "identity", "labels_after", "reconstruction")


def recipe(profile: str) -> dict[str, Any]:
    """What an autoencoder is trained with, by profile; "full" is the paper's.

    Small profiles take few steps, and larger ones: 0.001 instead of 0.0002. Their networks are narrow, and
    start from weights drawn by the number of inputs (see ``start_by_inputs``); their face network for the
    identity loss is small as well.
    """
    return {
        "width": choose(profile, smoke=0.125, quick=0.25, full=1.0),
        "size": choose(profile, smoke=32, quick=48, full=96),
        "faces": choose(profile, smoke=256, quick=3000, full=None),
        "epochs": choose(profile, smoke=2, quick=6, full=50),
        "learning_rate": choose(profile, smoke=1e-3, quick=1e-3, full=2e-4),
        "batch_size": choose(profile, smoke=32, quick=32, full=48),
        "face_network": choose(profile, smoke=SMALL_VGG, quick=SMALL_VGG, full={}) | {"profile": profile},
        "start": choose(profile, smoke="inputs", quick="inputs", full="paper"),
        "weights": dict(WEIGHTS),
        "latent": LATENT,
        "d_em": True,
        "d_prior": True,
        "d_real": True,
        "identity": True,
        "labels_after": "all",
        "reconstruction": "l1",
    }


def rebuild(recipe: dict[str, Any], encoder: Encoder) -> PKAutoencoder:
    """An untrained autoencoder around an encoder, as a recipe says.

    Raises:
        ValueError: an option out of range.
    """
    return PKAutoencoder(encoder, **{name: recipe[name] for name in SWITCHES})


def train(
    recipe: dict[str, Any],
    parts: "Parts",
    seed: int,
    *,
    faces_by: Encoder | None = None,
    checkpoint: Path | None = None,
) -> "tuple[Encoder, pd.DataFrame, nn.Module]":
    """Train an autoencoder with its critics; the last epoch is kept.

    Started by ``torchrun``, the processes share each batch and learn what one would have learned from it, but
    for rounding, see ``fer_lib.processes``.

    Args:
        recipe: see :func:`recipe`.
        parts: faces with valence and arousal; the validation part is only looked at.
        seed: of weights, order and the codes drawn from the cube.
        faces_by: a frozen encoder for the identity loss; None takes :func:`face_network`.
        checkpoint: file to resume from and to write after each epoch; None keeps nothing.

    Returns:
        The encoder; one row an epoch with the mean of every loss, "validation" (reconstruction) and
        "seconds"; and the whole autoencoder. All in evaluation mode on the CPU.

    Raises:
        ValueError: an option out of range, fewer faces or a smaller batch than two and than one a process,
            or a checkpoint of another training.
        FloatingPointError: a loss is not finite; names epoch, batch and loss. ``error.model`` holds the
            autoencoder as it was after the last good epoch.
    """
    import pandas as pd

    check_rows("faces", {"parts.train": len(parts.train), "batch_size": recipe["batch_size"]})
    if recipe["identity"]:
        faces_by = faces_by or face_network(recipe)
    with seeded(seed):
        encoder = make_encoder("pk", width=recipe["width"], size=recipe["size"])
        model = rebuild(recipe, encoder)
    if recipe["start"] == "inputs":
        with seeded(epoch_seed(seed, 0, "start")):  # encoder, code and G come first: alike with any critics
            start_by_inputs(model)
    features = IdentityFeatures(faces_by) if faces_by is not None and model.identity else None
    team = make_team()
    laid_out(model, features)
    team.alike(*(network for network in (model, features) if network is not None))
    steps = Steps(model, features, learning_rate=recipe["learning_rate"], weights=recipe["weights"])
    training = Training(steps, parts, recipe, seed, team=team)
    judge = None if features is None else digest(tensors_of(features))
    rows = run_epochs(training, parts, recipe, seed, checkpoint=checkpoint, judge=judge)
    model.cpu().to(memory_format=torch.contiguous_format).eval()
    return model.encoder, pd.DataFrame(rows), model


def face_network(recipe: dict[str, Any], *, seed: int = 0) -> Encoder:
    """The network of the identity loss: a VGG that learned to tell the people of a synthetic world apart.

    Its faces are the world's also where the autoencoder learns from a corpus, for few corpora say who is who.
    Another seed gives another network, for judging. Of several processes the first to come trains it, as one
    process does, and the others wait.
    """
    from fer_lib.pretrain.keep import trained_encoder

    with alone():
        return trained_encoder("vggface", seed=seed, **recipe["face_network"]).encoder


def laid_out(*networks: nn.Module | None) -> None:
    """Move networks to the device, in place, with channels last: a third faster on CPUs."""
    for network in networks:
        if network is not None:
            network.to(device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class StepsOf(Protocol):
    """What :class:`Training` needs of the steps it takes."""

    model: PKAutoencoder
    optimizers: dict[str, torch.optim.Optimizer]

    def batch(self, images: Tensor, affect: Tensor, generator: torch.Generator) -> dict[str, Tensor]: ...


class Training:
    """Epochs of an autoencoder that lies on the device.

    Args:
        steps: what happens with a batch.
        parts: faces with valence and arousal; the validation part is only looked at.
        recipe: of which the batch size is taken.
        seed: of the order and of the codes drawn from the cube.
        team: the processes that share each batch; None for this one alone.
    """

    def __init__(
        self,
        steps: StepsOf,
        parts: "Parts",
        recipe: dict[str, Any],
        seed: int,
        *,
        team: Team | None = None,
    ) -> None:
        where, self.team = device(), team or Team()
        self.steps, self.model, self.optimizers = steps, steps.model, steps.optimizers
        self.faces = DeviceFaces(parts.train, where)
        self.check = DeviceFaces(parts.validation, where)
        self.batch_size, self.seed = recipe["batch_size"], seed
        self.resumed()

    def resumed(self) -> None:
        """The weights are good: they are the first, or those of a checkpoint."""
        self.good = tensors_of(self.model)

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the faces."""
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, epoch, "cube"))
        order = torch.Generator().manual_seed(epoch_seed(self.seed, epoch, "order"))
        self.model.train()
        losses = []
        for index in torch.randperm(len(self.faces), generator=order).split(self.batch_size):
            if len(index) >= self.team.least:
                share = self.team.share(len(index))
                with sharing(share):
                    own = self.batch(self.faces, index[share.rows])
                    losses.append(self.steps.batch(*own, generator))
        means = self.means_of(losses, epoch)
        self.good = tensors_of(self.model)
        seconds = time.perf_counter() - started
        return {"epoch": epoch + 1, **means, "validation": self.validate(), "seconds": seconds}

    def batch(self, faces: DeviceFaces, index: Tensor) -> tuple[Tensor, Tensor]:
        """Prepared pictures and their arousal and valence."""
        images = prepare(faces.images(index), self.model.encoder.input_spec)
        return images.contiguous(memory_format=torch.channels_last), to_arousal_valence(
            faces.targets_of(index)
        )

    def means_of(self, losses: list[dict[str, Tensor]], epoch: int) -> dict[str, float]:
        """Mean of each loss; goes back to the last good epoch where one is not finite."""
        means = {}
        for name in losses[0]:
            values = self.team.mean(torch.stack([loss[name] for loss in losses])).float().cpu()
            bad = (~values.isfinite()).nonzero()
            if len(bad):
                self.model.load_state_dict(self.good)
                batch = int(bad[0]) + 1
                error = FloatingPointError(
                    f"loss {name} must be finite; got {values[batch - 1].item()} in epoch {epoch + 1}, batch "
                    f"{batch} of {len(values)}. Lower the learning rate."
                )
                error.model = self.model  # type: ignore[attr-defined]
                raise error
            means[name] = values.mean().item()
        return means

    @torch.no_grad()
    def validate(self) -> float:
        """Reconstruction loss of held-back faces."""
        self.model.eval()
        index = torch.arange(min(CHECKED, len(self.check)))
        images, affect = self.batch(self.check, index)
        painted = self.model.edit(images, affect)
        return reconstruction_loss(painted, images, kind=self.model.reconstruction).item()
