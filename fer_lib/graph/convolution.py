"""A layer for the nodes of a graph."""

import math

import torch
from torch import Tensor, nn


class GraphConvolution(nn.Module):
    r"""Every node takes in its neighbours, then all pass through the same matrix.

    .. math:: H' = A H W

    The activation is not part of it. Weights start uniform in :math:`\pm 1 / \sqrt{F'}`, as in Kipf's code.

    Args:
        in_features, out_features: F and F', at least 1.
        bias: add a number to each output feature.

    Example:
        >>> layer = GraphConvolution(2, 3)
        >>> layer(torch.eye(4), torch.ones(4, 2)).shape
        torch.Size([4, 3])

    Reference: Kipf and Welling (2017); Antoniadis (2021), eq. 6.1.2. Chapter 15.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = False) -> None:
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"in_features and out_features must be at least 1; got {in_features}, {out_features}. Give "
                "the numbers a node has."
            )
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        for values in self.parameters():
            nn.init.uniform_(values, -1 / math.sqrt(out_features), 1 / math.sqrt(out_features))

    def forward(self, adjacency: Tensor, nodes: Tensor) -> Tensor:
        """Map nodes (N, F) over a graph (N, N) to (N, F')."""
        found = adjacency @ (nodes @ self.weight)
        return found if self.bias is None else found + self.bias
