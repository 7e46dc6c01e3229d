"""VGG-16's convolutions, for weights that were learned from faces (chapters 05 and 09)."""

import re
from pathlib import Path

from torch import nn

from fer_lib.encoders.chain import Chain
from fer_lib.encoders.contract import Encoder, InputSpec, reset_convolutions
from fer_lib.encoders.scaling import check_scale, scaled
from fer_lib.encoders.weights import State, fill, find_weights

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # channels at width 1
STRIDE = 2 ** len(BLOCKS)
PUBLISHED = "VGG16_Weights.IMAGENET1K_V1"
BY_BLOCK = re.compile(r"(?:features\.)?conv_?(\d)_(\d)\.(weight|bias)")


class VGGFace(Encoder):
    """VGG-16's convolutions: colour faces to (512, 3, 3), in thirteen 3 x 3 convolutions and five poolings.

    Each convolution has a ReLU, none has BatchNorm. At width 1 it holds 14,714,688 numbers, and its map of a
    96 x 96 face has 4,608 entries. Weights learned from faces are not part of the library: give a file, or
    take ``fer_lib.pretrain.trained_encoder("vggface", ...)``, which learns to tell the people of a synthetic
    world apart.

    A file may name its tensors as torchvision does ("features.0.weight") or by block and convolution
    ("conv1_1.weight", "conv_1_1.weight"), as ports of VGG-Face do; its decision layers are left aside. Ports
    differ in the order of the colours: red, green, blue is taken.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 32.
        weights: "none" starts at random; "imagenet" asks torchvision for its weights; else a file's path.
        normalisation: what is subtracted from and divides the images in [0, 1]: "imagenet" or "vggface"; None
            goes by the names in the file, "vggface" for those by block.

    Raises:
        ValueError: width, size or normalisation outside these, or weights at another width than 1.
        DataError: weights that are missing, damaged, or of another network; names the tensors.

    Example:
        >>> encoder = VGGFace(width=0.25)
        >>> encoder.feature_shape, encoder.num_parameters  # at width 1: 14714688
        ((128, 3, 3), 920784)

    Reference:
        Simonyan and Zisserman (2015), configuration D; Parkhi, Vedaldi and Zisserman (2015), "Deep Face
        Recognition"; Barros and Sciutti (2022), "CIAO!", section III.A. Chapter 09.
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        size: int = 96,
        weights: str | Path = "none",
        normalisation: str | None = None,
    ) -> None:
        check_scale(
            width, size, stride=STRIDE, smallest=STRIDE, usual=96, why=f"{len(BLOCKS)} poolings halve it"
        )
        blocks = [[scaled(channels, width) for channels in block] for block in BLOCKS]
        state = find_weights(weights, PUBLISHED, width=width)
        by_block = state is not None and any(BY_BLOCK.fullmatch(name) for name in state)
        normalisation = normalisation or ("vggface" if by_block else "imagenet")
        chain = Chain(_layers(blocks))
        fill(chain, renamed(state) if state else state, weights)
        super().__init__(
            *chain.cut(normalisation),
            input_spec=InputSpec(size, channels=3),
            feature_shape=(blocks[-1][-1], size // STRIDE, size // STRIDE),
            options=dict(name="vggface", width=width, size=size, normalisation=normalisation),
        )


def renamed(state: State) -> State:
    """Tensors named by block and convolution under torchvision's names; others as they are."""
    places, at = {}, 0
    for i, block in enumerate(BLOCKS, start=1):
        for j in range(1, len(block) + 1):
            places[i, j] = at
            at += 2  # a convolution and its ReLU
        at += 1  # pooling

    def new(name: str) -> str:
        found = BY_BLOCK.fullmatch(name)
        if found is None or (int(found[1]), int(found[2])) not in places:
            return name
        return f"features.{places[int(found[1]), int(found[2])]}.{found[3]}"

    return {new(name): value for name, value in state.items()}


def _layers(blocks: list[list[int]]) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for block in blocks:
        for wider in block:
            layers += [nn.Conv2d(channels, wider, 3, padding=1), nn.ReLU()]
            channels = wider
        layers.append(nn.MaxPool2d(2))
    features = nn.Sequential(*layers)
    reset_convolutions(features)
    return features
