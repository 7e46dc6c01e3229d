"""Affects that a memory has painted: pairs off a lattice, in an order that the seed draws (chapter 10)."""

import numpy as np

FINE = 201  # values from -1 to 1 in steps of 0.01


class Lattice:
    """Pairs (valence, arousal) over [-1, 1]^2, each once in random order, and then all anew.

    Args:
        side: values of each of the two, at least 2: 201 are steps of .01, 7 a coarse grid.
        seed: of the order.
        drawn: pairs to leave out at the start, for one who goes on.

    Example:
        >>> Lattice(2, seed=0).draw(4).tolist()
        [[1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(self, side: int = FINE, *, seed: int = 0, drawn: int = 0) -> None:
        self.values, self.drawn = np.linspace(-1, 1, side), drawn
        self._random, self._rounds = np.random.default_rng(seed), 0
        self._cells = np.empty(0, dtype=np.int64)

    def draw(self, count: int) -> np.ndarray:
        """The next pairs, (count, 2)."""
        side = len(self.values)
        pairs = np.empty((count, 2))
        for row in range(count):
            rounds, place = divmod(self.drawn, side**2)
            while self._rounds <= rounds:  # one who goes on draws the orders of earlier rounds too
                self._cells, self._rounds = self._random.permutation(side**2), self._rounds + 1
            pairs[row] = self.values[list(divmod(int(self._cells[place]), side))]
            self.drawn += 1
        return pairs
