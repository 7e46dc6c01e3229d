"""Nodes that come and go, and the edges between them: arrays that grow, and ages by pair."""

import numpy as np

FIRST_ROOM = 64


class Graph:
    """Undirected graph whose nodes carry a weight vector, a habituation counter, a label and a number.

    Nodes are rows 0 ... size - 1. One that is removed is replaced by the last, so that rows stay dense; its
    edges follow. Room is doubled when it runs out, so that a node costs little on average.

    Args:
        dimensions: D, of a weight vector.
        labels: L, of a label; 0 where nodes have none.
    """

    def __init__(self, dimensions: int, labels: int = 0) -> None:
        self.size, self.born = 0, 0
        self._weights = np.empty((FIRST_ROOM, dimensions))
        self._habituation = np.empty(FIRST_ROOM)
        self._labels = np.empty((FIRST_ROOM, labels))
        self._ids = np.empty(FIRST_ROOM, dtype=np.int64)
        self.neighbours: list[dict[int, int]] = []  # of each node: age of the edge by the node it leads to

    @property
    def weights(self) -> np.ndarray:
        """(n, D), a view."""
        return self._weights[: self.size]

    @property
    def habituation(self) -> np.ndarray:
        """(n,), a view."""
        return self._habituation[: self.size]

    @property
    def labels(self) -> np.ndarray:
        """(n, L), a view."""
        return self._labels[: self.size]

    @property
    def ids(self) -> np.ndarray:
        """(n,), a view: how many nodes were born before each."""
        return self._ids[: self.size]

    def edges(self) -> np.ndarray:
        """(E, 2) pairs i < j, in order."""
        pairs = sorted((i, j) for i, others in enumerate(self.neighbours) for j in others if i < j)
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def ages(self) -> np.ndarray:
        """(E,) ages, in the order of :meth:`edges`."""
        return np.array([self.neighbours[i][j] for i, j in self.edges()], dtype=np.int64)

    def widen_labels(self, labels: int) -> None:
        """Give every node an unknown label of ``labels`` numbers."""
        self._labels = np.full((len(self._weights), labels), np.nan)

    def add(self, weights: np.ndarray, label: np.ndarray | float = np.nan) -> int:
        """Append a node that never won; gives its row."""
        if self.size == len(self._weights):
            for name in ("_weights", "_habituation", "_labels", "_ids"):
                old = getattr(self, name)
                new = np.empty((2 * len(old), *old.shape[1:]), dtype=old.dtype)
                new[: self.size] = old
                setattr(self, name, new)
        row = self.size
        self._weights[row], self._habituation[row], self._labels[row] = weights, 1.0, label
        self._ids[row] = self.born
        self.size, self.born = row + 1, self.born + 1
        self.neighbours.append({})
        return row

    def connect(self, i: int, j: int) -> None:
        """Join two nodes by an edge of age 0, or make their edge young again.

        Raises:
            ValueError: a node with itself.
        """
        if i == j:
            raise ValueError(f"an edge must join two nodes; got {i} twice. Give two.")
        self.neighbours[i][j] = self.neighbours[j][i] = 0

    def disconnect(self, i: int, j: int) -> None:
        """Take an edge away, where there is one."""
        self.neighbours[i].pop(j, None)
        self.neighbours[j].pop(i, None)

    def age(self, node: int, limit: int | None) -> int:
        """Make all edges of a node older by 1; those past the limit go, and with them nodes left alone.

        Returns:
            How many nodes went. Rows may have changed.
        """
        mine = self.neighbours[node]
        for other in mine:
            mine[other] = self.neighbours[other][node] = mine[other] + 1
        if limit is None:
            return 0
        old = [other for other, age in mine.items() if age > limit]
        for other in old:
            self.disconnect(node, other)
        alone = sorted((other for other in old if not self.neighbours[other]), reverse=True)
        for other in alone:
            self.remove(other)
        return len(alone)

    def remove(self, node: int) -> None:
        """Take a node and its edges away; the last node takes its row."""
        for other in list(self.neighbours[node]):
            self.disconnect(node, other)
        last = self.size - 1
        if node != last:
            for array in (self._weights, self._habituation, self._labels, self._ids):
                array[node] = array[last]
            self.neighbours[node] = self.neighbours[last]
            for other in self.neighbours[node]:
                self.neighbours[other][node] = self.neighbours[other].pop(last)
        self.neighbours.pop()
        self.size = last

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything there is, for a file."""
        return {
            "weights": self.weights.copy(), "habituation": self.habituation.copy(),
            "labels": self.labels.copy(), "ids": self.ids.copy(), "born": np.array(self.born),
            "edges": self.edges(), "ages": self.ages(),
        }  # fmt: skip

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Graph":
        """The graph of :meth:`arrays`.

        Raises:
            ValueError: arrays that do not belong together.
        """
        weights, labels, edges = arrays["weights"], arrays["labels"], arrays["edges"]
        if edges.size and not 0 <= edges.min() <= edges.max() < len(weights):
            raise ValueError(f"edges must join nodes in [0, {len(weights)}); got others. Save it anew.")
        if not len(weights) == len(arrays["habituation"]) == len(arrays["ids"]):
            raise ValueError(f"arrays must be of {len(weights)} nodes each; got others. Save it anew.")
        graph = cls(weights.shape[1], labels.shape[1])
        for vector, label in zip(weights, labels, strict=True):
            graph.add(vector, label)
        graph.habituation[:], graph.ids[:] = arrays["habituation"], arrays["ids"]
        graph.born = int(arrays["born"])
        for (i, j), age in zip(edges.tolist(), arrays["ages"].tolist(), strict=True):
            graph.connect(i, j)
            graph.neighbours[i][j] = graph.neighbours[j][i] = age
        return graph
