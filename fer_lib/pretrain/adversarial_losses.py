"""The losses of the Prior-Knowledge autoencoder, one function each, and the activations of the identity loss.

All are means over the batch, so none depends on its size. Adversarial losses are written on logits: for a
logit t, the cross-entropy of "real" is softplus(-t) and that of "made" is softplus(t).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders.contract import Encoder
from fer_lib.preprocess.inputs import prepare

WEIGHTS = {"reconstruction": 1.0, "affect": 0.02, "identity": 0.3, "prior": 0.01, "realism": 0.01}
"""lambda 1 to 5 of the paper's equation 6."""
LAYERS = 5  # of the face network that the identity loss compares


def reconstruction_loss(pred: Tensor, target: Tensor, *, kind: str = "l1") -> Tensor:
    """Mean absolute ("l1") or mean squared ("mse") error over all pixels and channels; eq. 1.

    Example:
        >>> reconstruction_loss(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])).item()
        1.5
    """
    return F.l1_loss(pred, target) if kind == "l1" else F.mse_loss(pred, target)


def identity_loss(pred: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Sum over layers of the mean absolute difference of their activations; eq. 2.

    Args:
        pred: activations of a face network for the painted pictures, one tensor a layer.
        target: those for the originals.

    Raises:
        ValueError: not the same number of layers.

    Example:
        >>> one, two = torch.zeros(1, 2), torch.ones(1, 3)
        >>> identity_loss([one, two], [one + 1, two + 2]).item()
        3.0
    """
    if len(pred) != len(target) or not pred:
        raise ValueError(
            f"pred and target must hold the same layers; got {len(pred)} and {len(target)}. Use one network."
        )
    return torch.stack([F.l1_loss(p, t) for p, t in zip(pred, target, strict=True)]).sum()


def affect_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of arousal plus that of valence, of (B, 2) each; eq. 3.

    Example:
        >>> affect_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.5]])).item()
        1.25
    """
    return ((pred - target) ** 2).mean(0).sum()


def fooling_loss(logits: Tensor) -> Tensor:
    """What a maker pays when a critic is not fooled: cross-entropy of its logits (B,) with "real".

    Equations 4 and 5 let the maker minimise log(1 - D), whose gradient dies while the critic is sure. This is
    the form that does not saturate, -log D (Goodfellow et al., 2014).

    Example:
        >>> round(fooling_loss(torch.zeros(4)).item(), 4)
        0.6931
    """
    return F.softplus(-logits).mean()


def critic_loss(real: Tensor, made: Tensor) -> Tensor:
    """What a critic pays: cross-entropy of real things with "real" and of made ones with "made"; eqs. 4, 5.

    Args:
        real: logits (B,) of codes from the cube, or of photographs.
        made: logits (B,) of codes of faces, or of painted pictures.

    Example:
        >>> round(critic_loss(torch.zeros(3), torch.zeros(3)).item(), 4)
        1.3863
    """
    return F.softplus(-real).mean() + F.softplus(made).mean()


def total_loss(parts: Mapping[str, Tensor], weights: Mapping[str, float] = WEIGHTS) -> Tensor:
    """Weighted sum of the parts there are; eq. 6.

    Args:
        parts: losses by name, any of the keys of `WEIGHTS`.
        weights: lambda of each.

    Example:
        >>> round(total_loss({"reconstruction": torch.tensor(0.5), "affect": torch.tensor(1.0)}).item(), 3)
        0.52
    """
    return torch.stack([weights[name] * value for name, value in parts.items()]).sum()


class IdentityFeatures(nn.Module):
    """The first five activations of a frozen face network: pictures in [-1, 1] to a list of maps.

    The paper takes a VGG trained to recognise people. Any encoder will do whose trunk is a row of layers with
    that many activations; it is frozen, moved to evaluation mode, and never changes.

    Args:
        encoder: the face network.
        layers: number of activations to compare.

    Raises:
        ValueError: a trunk with fewer activations.
    """

    def __init__(self, encoder: Encoder, *, layers: int = LAYERS) -> None:
        super().__init__()
        self.spec = encoder.input_spec
        trunk = _in_a_row(encoder.trunk)
        ends = [k for k, layer in enumerate(trunk) if isinstance(layer, nn.ReLU | nn.LeakyReLU)]
        if len(ends) < layers:
            raise ValueError(
                f"encoder must have {layers} activations in a row in its trunk; got {len(ends)} in "
                f"{encoder.options.get('name', type(encoder).__name__)}. Use VGGFace or FaceChannel."
            )
        starts = [0, *(end + 1 for end in ends)]
        parts = [trunk[a : b + 1] for a, b in zip(starts, ends[:layers], strict=False)]
        self.parts = nn.ModuleList(nn.Sequential(*part) for part in parts)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "IdentityFeatures":
        """Stay in evaluation mode, whatever is asked."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps, found = prepare((images + 1) / 2, self.spec), []
        for part in self.parts:
            maps = part(maps)
            found.append(maps)
        return found


def _in_a_row(module: nn.Module) -> list[nn.Module]:
    """The layers of a Sequential, and of those within it; anything else counts as one layer."""
    if not isinstance(module, nn.Sequential):
        return [module]
    return [layer for child in module for layer in _in_a_row(child)]
