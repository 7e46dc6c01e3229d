"""The Prior-Knowledge autoencoder: a face becomes a code, and a code with an affect becomes a face."""

import torch
from torch import Tensor, nn

from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.scaling import scaled
from fer_lib.pretrain.discriminators import (
    KERNEL,
    AffectCritic,
    PictureCritic,
    PriorCritic,
    check_frame,
    start_small,
)

LATENT = 50
START = 1024  # channels of the map that G starts with, at width 1
HALVES = (512, 256, 128, 64)  # transposed convolutions of stride 2
LAST = 32  # transposed convolution of stride 1, before the one that paints
COPIES = 50  # of each affect value beside the code
RECONSTRUCTIONS = ("l1", "mse")


def to_arousal_valence(targets: Tensor) -> Tensor:
    """Targets of a FaceSet, (..., 2) = (valence, arousal), in the paper's order: (arousal, valence).

    This is the one place where the order changes; everything in this room speaks the paper's.

    Example:
        >>> to_arousal_valence(torch.tensor([[0.5, -1.0]])).tolist()
        [[-1.0, 0.5]]
    """
    return targets.flip(-1)


class Generator(nn.Module):
    """G: a code (B, latent) and an affect (B, 2) = (arousal, valence) to pictures (B, 3, S, S) in [-1, 1].

    A dense layer to a small map, four transposed convolutions 5x5 that double its side, one that keeps it,
    and one that paints; ReLU between, tanh at the end.

    Args:
        size: side of the pictures in pixels, a multiple of 16.
        latent: length of the code.
        width: factor on all channels but the three that are painted.
        copies: how often each affect value is repeated beside the code, so that two numbers are not drowned
            by fifty.

    Reference:
        Barros, Parisi and Wermter (2019), section 2.1.1; chapter 05.
    """

    def __init__(
        self, size: int = 96, *, latent: int = LATENT, width: float = 1.0, copies: int = COPIES
    ) -> None:
        super().__init__()
        check_frame(size, width)
        self.copies, channels, side = copies, scaled(START, width), size // 16
        self.start = nn.Sequential(
            nn.Linear(latent + 2 * copies, channels * side * side),
            nn.ReLU(),
            nn.Unflatten(1, (channels, side, side)),
        )
        layers: list[nn.Module] = []
        for wide in HALVES:
            out = scaled(wide, width)
            doubled = nn.ConvTranspose2d(channels, out, KERNEL, stride=2, padding=2, output_padding=1)
            layers += [doubled, nn.ReLU()]
            channels = out
        out = scaled(LAST, width)
        layers += [nn.ConvTranspose2d(channels, out, KERNEL, padding=2), nn.ReLU()]
        layers += [nn.ConvTranspose2d(out, 3, KERNEL, padding=2), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        start_small(self, width=width)

    def forward(self, codes: Tensor, affect: Tensor) -> Tensor:
        told = affect.repeat_interleave(self.copies, dim=1)  # (B, 2 copies)
        return self.layers(self.start(torch.cat([codes, told], 1)))


class PKAutoencoder(nn.Module):
    """Encoder, code, generator, and those of the three critics that are switched on.

    Args:
        encoder: of colour pictures in [-1, 1], such as ``PriorKnowledge``; its ``width`` option scales G and
            D_real as well. The two critics of the code are small and keep their size.
        latent: length of the code z, whose values lie in [-1, 1].
        d_em, d_prior, d_real: which critics take part; the eight choices are the rows of the paper's Table 2.
        identity: whether the loss on a face network's activations takes part.
        labels_after: see :class:`~fer_lib.pretrain.discriminators.PictureCritic`.
        reconstruction: "l1" (2019), or "mse" (2022).

    Raises:
        ValueError: an encoder of other pictures, or a choice there is not.

    Reference:
        Barros, Parisi and Wermter (2019), section 2.1; Barros and Sciutti (2022), section III.B; chapter 05.

    Example:
        >>> from fer_lib.encoders import make_encoder
        >>> model = PKAutoencoder(make_encoder("pk", width=0.125, size=32))
        >>> z = model.encode(torch.zeros(2, 3, 32, 32))
        >>> tuple(z.shape), tuple(model.decode(z, torch.zeros(2, 2)).shape)
        ((2, 50), (2, 3, 32, 32))
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        latent: int = LATENT,
        d_em: bool = True,
        d_prior: bool = True,
        d_real: bool = True,
        identity: bool = True,
        labels_after: str = "all",
        reconstruction: str = "l1",
    ) -> None:
        super().__init__()
        spec, width = encoder.input_spec, float(encoder.options.get("width", 1.0))
        if (spec.channels, spec.low, spec.high) != (3, -1.0, 1.0):
            raise ValueError(
                f"encoder must take colour pictures in [-1, 1]; got {spec}. The generator's tanh paints "
                "such pictures; use PriorKnowledge."
            )
        if reconstruction not in RECONSTRUCTIONS:
            raise ValueError(
                f"reconstruction must be one of {', '.join(RECONSTRUCTIONS)}; got {reconstruction!r}. "
                "The paper of 2019 takes l1."
            )
        channels, height, across = encoder.feature_shape
        self.encoder, self.latent, self.identity = encoder, latent, identity
        self.reconstruction = reconstruction
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * across, latent), nn.Tanh())
        start_small(self.code, width=width)
        self.generator = Generator(spec.size, latent=latent, width=width)
        self.d_em = AffectCritic(latent) if d_em else None
        self.d_prior = PriorCritic(latent) if d_prior else None
        self.d_real = PictureCritic(spec.size, width=width, labels_after=labels_after) if d_real else None

    def encode(self, images: Tensor) -> Tensor:
        """Codes (B, latent) in [-1, 1] of prepared pictures (B, 3, S, S)."""
        return self.code(self.encoder(images))

    def decode(self, codes: Tensor, arousal_valence: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in [-1, 1] of codes (B, latent) and arousal_valence (B, 2).

        Raises:
            ValueError: not one pair a code.
        """
        if arousal_valence.shape != (len(codes), 2):
            raise ValueError(
                f"arousal_valence must be one pair a code, ({len(codes)}, 2); got "
                f"{tuple(arousal_valence.shape)}. Repeat one pair with expand."
            )
        return self.generator(codes, arousal_valence.to(codes))

    def edit(self, images: Tensor, arousal_valence: Tensor) -> Tensor:
        """The same faces with another affect: :meth:`decode` of :meth:`encode`."""
        return self.decode(self.encode(images), arousal_valence)

    def forward(self, images: Tensor, arousal_valence: Tensor) -> tuple[Tensor, Tensor]:
        """Codes and pictures."""
        codes = self.encode(images)
        return codes, self.decode(codes, arousal_valence)

    @property
    def critics(self) -> dict[str, nn.Module]:
        """The critics that take part, by name."""
        named = {"d_em": self.d_em, "d_prior": self.d_prior, "d_real": self.d_real}
        return {name: critic for name, critic in named.items() if critic is not None}

    def painters(self) -> list[nn.Parameter]:
        """What one optimiser trains together: encoder, code and generator."""
        return [
            p
            for part in (self.encoder, self.code, self.generator)
            for p in part.parameters()
            if p.requires_grad
        ]
