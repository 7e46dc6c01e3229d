"""Centring and scaling of each colour, as the makers of published weights did it."""

import torch
from torch import Tensor, nn

NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "vggface": ((129.186 / 255, 104.762 / 255, 93.594 / 255), (1 / 255, 1 / 255, 1 / 255)),
}
"""Name -> mean and scale of red, green and blue, for images in [0, 1].

"imagenet": mean and standard deviation of ImageNet, for weights with torchvision's names. "vggface": grey
levels 0-255 less the mean of the faces that VGG-Face learned from.
"""


class Normalise(nn.Module):
    """Subtract each colour's mean and divide by its scale: (B, 3, H, W) in [0, 1] to the same shape.

    It learns nothing and keeps nothing in its state: the name is all there is to remember.

    Args:
        name: a key of `NORMALISATIONS`.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> Normalise("imagenet")(torch.full((1, 3, 1, 1), 0.456))[0, 1].item()
        0.0
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in NORMALISATIONS:
            known = ", ".join(NORMALISATIONS)
            raise ValueError(f"normalisation must be one of {known}; got {name!r}. Choose one of these.")
        mean, scale = (torch.tensor(values)[:, None, None] for values in NORMALISATIONS[name])
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.scale
