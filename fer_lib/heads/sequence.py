"""The decision layer for clips: a recurrent layer over the frames, dense layers on its last state."""

from math import prod

from torch import Tensor, nn

from fer_lib.heads.dense import DenseHead, Loss


class SequenceHead(DenseHead):
    """Decision layer that reads the frames of a clip one after the other.

    A gated recurrent unit (GRU) takes the flattened map of each frame; its state after the last frame goes
    through dense layers like those of :class:`DenseHead`. With x_t the map and h_t the state, each layer does

        r = sigmoid(W_r x_t + b_r + U_r h + c_r),   z = sigmoid(W_z x_t + b_z + U_z h + c_z),
        n = tanh(W_n x_t + b_n + r * (U_n h + c_n)),   h_t = (1 - z) * n + z * h,   h = h_(t-1), h_0 = 0.

    Args:
        feature_shape: (C, h, w) of the map of one frame, or any shape behind batch and frames.
        outputs: number of classes, states, or values (2: valence, arousal).
        gru: units of each recurrent layer, at least 1.
        layers: recurrent layers, each reading the states of the one before, at least 1.
        hidden: units of each dense layer behind them; () for none.
        kind, loss: see :class:`DenseHead`.

    Raises:
        ValueError: fewer than one unit or layer, or what :class:`DenseHead` refuses.

    Example:
        >>> head = SequenceHead((256, 4, 4), 2, gru=64, hidden=(128,), kind="valence_arousal")
        >>> sum(p.numel() for p in head.parameters())  # 3 x 64 x (4096 + 64 + 2), 64 x 128 + 128, 128 x 2 + 2
        807682

    Reference:
        Barros and Sciutti (2022), section IV.A and Table 6, whose table calls the layer an LSTM. Chapter 07.
    """

    reads_sequences = True

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        outputs: int,
        *,
        gru: int = 64,
        layers: int = 1,
        hidden: tuple[int, ...] = (128,),
        kind: str = "softmax",
        loss: Loss | None = None,
    ) -> None:
        for name, value in (("gru", gru), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1; got {value}. Use DenseHead for single images.")
        super().__init__((gru,), outputs, hidden=hidden, kind=kind, loss=loss)
        self.gru = nn.GRU(prod(feature_shape), gru, num_layers=layers, batch_first=True)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, T, C, h, w) to raw outputs (B, outputs): logits, or values.

        Raises:
            ValueError: features without frames.
        """
        if features.ndim < 3:
            raise ValueError(
                f"features must be of clips, (B, T, ...); got {tuple(features.shape)}. Join frames with "
                "as_sequences, or use DenseHead."
            )
        _, states = self.gru(features.flatten(2))  # (layers, B, gru), after the last frame
        return super().forward(states[-1])
