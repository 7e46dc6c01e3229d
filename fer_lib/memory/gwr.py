"""A self-organising network that grows where it is needed: prototypes joined by edges (chapter 10)."""

from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fer_lib.memory import files
from fer_lib.memory.graph import Graph
from fer_lib.memory.inputs import check_labels, check_one, check_size
from fer_lib.memory.parameters import check_parameters
from fer_lib.memory.rule import Step, activity_of, learn

FORM = "fer_lib.memory.1"
BLOCK = 2**21  # distances at once, at most


class GrowWhenRequired(BaseEstimator):
    r"""Grow-When-Required network with habituation, labels of its nodes, and a modulated update.

    For an input x the winner b and the second nearest s are found and joined. The activity is
    :math:`a = \exp(-\lVert x - w_b \rVert)`. Where it is below ``activity_threshold`` although the winner has
    often won (its counter h below ``habituation_threshold``), a node is inserted midway between x and b.
    Otherwise the counters of b and its neighbours fall, :math:`\Delta h = \tau \kappa (1 - h) - \tau`, from 1
    towards :math:`1 - 1/\kappa`, and then they move,
    :math:`\Delta w = \epsilon\, h\, (x - w)\, (1 - a)`, each by its own activity.

    Chosen where sources differ: the papers' table gives .087 and .032 as tau and kappa, with which a counter
    falls below 0 at once; here they are the learning rates. Habituate, then move. An input that inserts moves
    nothing. Edges of the winner age by 1 a step and go when older than ``max_age``, with nodes left alone.

    Args:
        activity_threshold: t_a in (0, 1]; higher inserts more.
        habituation_threshold: t_h in (0, 1].
        tau_b, tau_n: how fast counters of winner and neighbours fall, in (0, 1).
        kappa: above 1; counters end at 1 - 1 / kappa.
        eps_b, eps_n: learning rates of winner and neighbours, in [0, 1].
        gamma: how far the winner's label moves to a given one, in [0, 1].
        max_age: of an edge in steps of its ends, at least 1; None keeps every edge.
        max_nodes: bound of the network, at least 2. There, inputs move nodes only.
        squared: the printed form of the activity, exp(-||x - w||^2).
        modulated: the factor 1 - a (P-AffMem, eq. 8); False is the plain network.
        epochs: passes of :meth:`fit` over the data.
        shuffle: draw the order of each pass of :meth:`fit` anew.
        random_state: seed of these orders.

    Attributes:
        nodes_: (n, D) prototypes.
        edges_: (E, 2) pairs i < j, in order.
        labels_: (n, L) of the nodes, NaN where none was given; None before any label was seen.
        habituation_: (n,) counters.
        ids_: (n,) number of each node in the order of birth; indices change when a node goes, these do not.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = np.concatenate([rng.normal(m, 0.1, (50, 2)) for m in (0, 5)])
        >>> net = GrowWhenRequired(activity_threshold=0.8, random_state=0).fit(X, X[:, 0])
        >>> net.predict([[0, 0], [5, 5]]).round()
        array([0., 5.])

    Reference: Marsland, Shapiro and Nehmzow (2002); Barros, Parisi and Wermter (2019), section 2.2.
    """

    def __init__(
        self,
        *,
        activity_threshold: float = 0.4,
        habituation_threshold: float = 0.2,
        tau_b: float = 0.3,
        tau_n: float = 0.1,
        kappa: float = 1.05,
        eps_b: float = 0.087,
        eps_n: float = 0.032,
        gamma: float = 0.4,
        max_age: int | None = 50,
        max_nodes: int = 10_000,
        squared: bool = False,
        modulated: bool = True,
        epochs: int = 10,
        shuffle: bool = True,
        random_state: Any = None,
    ) -> None:
        self.activity_threshold, self.habituation_threshold = activity_threshold, habituation_threshold
        self.tau_b, self.tau_n, self.kappa = tau_b, tau_n, kappa
        self.eps_b, self.eps_n, self.gamma = eps_b, eps_n, gamma
        self.max_age, self.max_nodes = max_age, max_nodes
        self.squared, self.modulated = squared, modulated
        self.epochs, self.shuffle, self.random_state = epochs, shuffle, random_state

    @property
    def nodes_(self) -> np.ndarray:
        """(n, D) prototypes."""
        return self._net().weights.copy()

    @property
    def edges_(self) -> np.ndarray:
        """(E, 2) pairs i < j of joined nodes."""
        return self._net().edges()

    @property
    def labels_(self) -> np.ndarray | None:
        """(n, L) labels of the nodes; None before any label was seen."""
        labels = self._net().labels
        return labels.copy() if labels.shape[1] else None

    @property
    def habituation_(self) -> np.ndarray:
        """(n,) counters in [1 - 1 / kappa, 1]."""
        return self._net().habituation.copy()

    @property
    def ids_(self) -> np.ndarray:
        """(n,) numbers in the order of birth."""
        return self._net().ids.copy()

    def _net(self) -> Graph:
        if not hasattr(self, "_graph"):
            raise AttributeError("the network must be fitted first; it has no nodes. Call fit.")
        return self._graph

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Forget everything and learn from several passes over the data.

        Args:
            X: (N, D) inputs, N >= 1.
            y: (N,) or (N, L) labels; NaN rows have none. None for no labels at all.

        Raises:
            ValueError: a parameter out of its range, inputs that are not finite numbers or above 1e150, or
                labels as in :meth:`partial_fit`.
        """
        check_parameters(self)
        X, y = self._checked(X, y, reset=True)
        self._graph = Graph(X.shape[1], 0 if y is None else y.shape[1])
        random = check_random_state(self.random_state)
        for _ in range(self.epochs):
            self._learn(X, y, random.permutation(len(X)) if self.shuffle else np.arange(len(X)))
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Learn from each input once, in the order given, on top of what is known.

        Args:
            X: (N, D) inputs, N >= 1; the same D as before.
            y: as for :meth:`fit`.

        Raises:
            ValueError: as for :meth:`fit`; another D; rows of labels that are NaN in part, or of another
                length than before. Nothing was learned then.
        """
        check_parameters(self)
        first = not hasattr(self, "_graph")
        X, y = self._checked(X, y, reset=first)
        if first:
            self._graph = Graph(X.shape[1], 0 if y is None else y.shape[1])
        elif y is not None and not self._graph.labels.shape[1]:
            self._graph.widen_labels(y.shape[1])
        self._learn(X, y, np.arange(len(X)))
        return self

    def step(self, x: ArrayLike, label: ArrayLike | None = None) -> Step:
        """Learn from one input, and tell what it did. Parameters are not checked here.

        Args:
            x: (D,) finite numbers; the network was fitted before.
            label: (L,), or None for an input that only moves prototypes.

        Raises:
            ValueError: numbers that are not finite, or too many or few of them; nothing was learned then.
        """
        graph = self._net()
        x = check_size("x", check_one("x", x, graph.weights.shape[1]))
        if label is not None:
            label = check_one("label", label, graph.labels.shape[1])
            if not graph.labels.shape[1]:
                graph.widen_labels(len(label))
        return learn(self, graph, x, label)

    def activity(self, X: ArrayLike) -> np.ndarray:
        """How well each input is known, (N,) in [0, 1]: the activity of its winner."""
        return activity_of(self._nearest(X)[1], squared=self.squared)

    def winners(self, X: ArrayLike) -> np.ndarray:
        """Index of the best-matching unit of each input, (N,)."""
        return self._nearest(X)[0]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Labels of the nearest labelled node: (N,) or (N, L) as ``y`` was; without labels, its index.

        Args:
            X: (N, D).

        Returns:
            NaN where all labels that were given were NaN.
        """
        check_is_fitted(self, "_graph")
        labels = self._graph.labels
        if not labels.shape[1]:
            return self._nearest(X)[0]
        answer = labels[self._nearest(X, np.flatnonzero(np.isfinite(labels[:, 0])))[0]]
        return answer[:, 0] if self._flat else answer

    def _nearest(self, X: ArrayLike, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Index of the nearest node of some, or of all, and the squared distance to it: (N,) each."""
        check_is_fitted(self, "_graph")
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        some = np.arange(self._graph.size) if among is None or not among.size else among
        nodes = self._graph.weights[some]
        index, squares, step = np.empty(len(rows), np.int64), np.empty(len(rows)), max(1, BLOCK // len(nodes))
        for at in range(0, len(rows), step):
            block = cdist(rows[at : at + step], nodes, "sqeuclidean")
            index[at : at + step], squares[at : at + step] = some[block.argmin(1)], block.min(1)
        return index, squares

    def _learn(self, X: np.ndarray, y: np.ndarray | None, order: np.ndarray) -> None:
        labelled = None if y is None else np.isfinite(y).all(1)
        for row in order:
            learn(
                self,
                self._graph,
                X[row],
                y[row] if y is not None and labelled is not None and labelled[row] else None,
            )

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray | None]:
        X = check_size("X", validate_data(self, X, reset=reset, dtype=np.float64))
        if reset:
            self._flat = False
        if y is None:
            return X, None
        flat, y = np.ndim(y) == 1, check_labels(y, X, 0 if reset else self._graph.labels.shape[1])
        self._flat = flat
        return X, y

    def save(self, path: str | Path) -> Path:
        """Write parameters and network to one file (.npz), whole or not at all.

        Raises:
            AttributeError: nothing was learned yet.
            ValueError: ``random_state`` is a generator, which no file can hold.
        """
        self._net()
        return files.write(path, FORM, *self._state())

    @classmethod
    def load(cls, path: str | Path) -> "GrowWhenRequired":
        """Open what :meth:`save` wrote; learning goes on from there.

        Raises:
            DataError: no such file, a damaged one, or one of another kind.
        """
        return files.read(path, FORM, cls._of_state)

    def _state(self) -> tuple[dict[str, Any], files.Arrays]:
        """All that a file must hold; no arrays before anything was learned."""
        if not (self.random_state is None or isinstance(self.random_state, Integral)):
            raise ValueError(
                f"random_state must be an integer or None to be saved; got {self.random_state!r}. Set a seed."
            )
        if not hasattr(self, "_graph"):
            return {"parameters": self.get_params()}, {}
        return {"parameters": self.get_params(), "flat": self._flat}, self._graph.arrays()

    @classmethod
    def _of_state(cls, told: dict[str, Any], arrays: files.Arrays) -> "GrowWhenRequired":
        net = cls(**told["parameters"])
        check_parameters(net)
        if arrays:
            net._graph, net._flat = Graph.of_arrays(arrays), told["flat"]
            net.n_features_in_ = net._graph.weights.shape[1]
        return net
