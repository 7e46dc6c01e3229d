"""Emotion-GCN: classifiers of expressions and regressors of affects that a graph makes of their names."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders.contract import Encoder
from fer_lib.graph.adjacency import ordered
from fer_lib.graph.convolution import GraphConvolution
from fer_lib.heads.joint import ViewsHead
from fer_lib.heads.model import FaceModel


class GraphHead(ViewsHead):
    r"""Expression and affect from one vector of features, by weights that depend on each other.

    .. math:: x = \max_{places} f(I), \qquad W = \mathrm{GCN}(Z, A) \in R^{(K + 2) \times C}, \qquad
        \hat y = \mathrm{softmax}(W_{1..K}\, x), \quad (\hat v, \hat a) = W_{K+1, K+2}\, x

    Between graph convolutions stands a LeakyReLU(.2), behind the last none; there is no bias. Rows of W are
    in the order of the graph's nodes, outputs in that of the classes.

    Args:
        feature_shape: (C, h, w) of the map.
        classes: names, in the order of the targets.
        adjacency: (K + 2, K + 2), see ``emotion_adjacency``; a constant.
        words: Z, (K + 2, d), vectors of the nodes, constant; None is one-hot: no knowledge but the graph's.
        hidden: units of each graph convolution but the last; () is a GCN of one layer.
        affect: "ccc" or "mse".
        **options: ``class_loss``, ``side_loss``, ``affect_weight``; see ``fer_lib.heads.JointHead``.

    Raises:
        ValueError: shapes that do not fit, or another way for the affect.

    Reference: Antoniadis (2021), section 6.3. Chapter 15.
    """

    adjacency: Tensor
    words: Tensor
    places: Tensor

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        classes: Sequence[str],
        adjacency: Any,
        words: Tensor | None = None,
        *,
        hidden: tuple[int, ...] = (512,),
        affect: str = "ccc",
        **options: Any,
    ) -> None:
        count = len(classes)
        if affect not in ("ccc", "mse"):
            raise ValueError(f"affect must be ccc or mse for a graph; got {affect!r}. Choose one.")
        super().__init__(count, affect=affect, **options)
        adjacency = torch.as_tensor(adjacency, dtype=torch.float32)
        words = torch.eye(count + 2) if words is None else words.float()
        if adjacency.shape != (count + 2,) * 2 or words.ndim != 2 or len(words) != count + 2:
            raise ValueError(
                f"adjacency must be {(count + 2,) * 2} and words ({count + 2}, d) for {count} classes; got "
                f"{tuple(adjacency.shape)} and {tuple(words.shape)}. Make them from the same classes."
            )
        self.register_buffer("adjacency", adjacency)
        self.register_buffer("words", words)
        nodes = ordered(classes)
        self.register_buffer("places", torch.tensor([nodes.index(name) for name in classes]))
        sizes = (words.shape[1], *hidden, feature_shape[0])
        self.layers = nn.ModuleList(GraphConvolution(*pair) for pair in pairwise(sizes))

    def weights(self) -> Tensor:
        """W, (K + 2, C): classifiers in the order of the classes, then those of valence and arousal."""
        nodes = self.words
        for number, layer in enumerate(self.layers):
            nodes = layer(self.adjacency, F.leaky_relu(nodes, 0.2) if number else nodes)
        return torch.cat([nodes[:-2][self.places], nodes[-2:]])

    def outputs_of(self, features: Tensor, shared: Tensor) -> Tensor:
        return shared @ self.weights().T


class EmotionGCN(FaceModel):
    """An encoder with a `GraphHead`: the whole of Emotion-GCN, for any encoder of the contract.

    Args:
        backbone: such as ``DenseNet121``, ``BReGNeXt`` or ``FaceChannel``.
        word_vectors: (K + 2, d), from ``read_glove``; None is one-hot.
        classes: names, in the order of the targets.
        adjacency: (K + 2, K + 2), of the training set.
        **options: of `GraphHead`.

    Example:
        >>> from fer_lib.encoders import FaceChannel
        >>> from fer_lib.graph import EXPRESSIONS, emotion_adjacency
        >>> graph = emotion_adjacency(torch.full((9, 9), 0.5))
        >>> model = EmotionGCN(FaceChannel(width=0.125, size=32), None, EXPRESSIONS, graph, hidden=(16,))
        >>> model(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 9])

    Reference: Antoniadis (2021), Fig. 6.3.2. Chapter 15.
    """

    def __init__(
        self,
        backbone: Encoder,
        word_vectors: Tensor | None,
        classes: Sequence[str],
        adjacency: Any,
        **options: Any,
    ) -> None:
        head = GraphHead(backbone.feature_shape, classes, adjacency, word_vectors, **options)
        super().__init__(backbone, head)
