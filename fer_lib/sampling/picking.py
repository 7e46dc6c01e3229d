"""The five strategies by name, and the next frame to label for somebody who labels their own (chapter 11)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_lib.sampling.greedy import check_picks, gsx, gsy, igs


@dataclass(frozen=True)
class Pool:
    """What is known about N samples before they are labelled; each strategy reads what it needs.

    Args:
        features: (N, D) or (N, ...); read by "gsx" and "igs".
        predictions: (N,) or (N, L), of the model at hand; read by "gsy" and "igs".
        std: (N,), how unsure the model is, see `mc_dropout_std`; read by "mcdue".

    Raises:
        ValueError: arrays of different lengths.
    """

    features: ArrayLike
    predictions: ArrayLike | None = None
    std: ArrayLike | None = None

    def __post_init__(self) -> None:
        if np.ndim(self.features) == 0:
            raise ValueError("features must be an array (N, D); got one number. Give a row a sample.")
        for name in ("predictions", "std"):
            values = getattr(self, name)
            if values is not None and np.shape(values)[:1] != (len(self),):
                raise ValueError(
                    f"{name} must have as many rows as features, {len(self)}; got shape {np.shape(values)}. "
                    "Give all for the same samples."
                )

    def __len__(self) -> int:
        return int(np.shape(self.features)[0])


def random_pick(count: int, k: int, generator: np.random.Generator, labelled: ArrayLike = ()) -> np.ndarray:
    """Pick k of the samples without a label, all equally likely.

    Args:
        count: N, how many samples there are.
        k: how many to pick, 1 <= k <= N - number of labelled. Of one generator state, the picks for a
            smaller k are the first of those for a larger.
        generator: NumPy's.
        labelled: rows that have a label already.

    Returns:
        (k,) rows, the first pick first.

    Raises:
        ValueError: k out of its range, or labelled rows that do not exist or stand twice.
        TypeError: a generator of another kind, or a seed in its place.

    Example:
        >>> random_pick(5, 2, np.random.default_rng(0), labelled=[0])
        array([3, 1])
    """
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"generator must be a NumPy Generator; got {type(generator).__name__}. Take "
            "np.random.default_rng(seed)."
        )
    free = _free(count, k, labelled)
    return generator.permutation(free)[: int(k)]


def mcdue(std: ArrayLike, k: int, *, labelled: ArrayLike = ()) -> np.ndarray:
    """Pick the k samples that a model is least sure of; of equals the lowest row first.

    Args:
        std: (N,), from `mc_dropout_std`; finite.
        k: how many to pick, 1 <= k <= N - number of labelled.
        labelled: rows that have a label already.

    Returns:
        (k,) rows, the least sure first.

    Raises:
        ValueError: no single column, NaN, k out of its range, or bad labelled rows.

    Example:
        >>> mcdue([0.1, 0.3, 0.2, 0.3], 3)
        array([1, 3, 2])

    Reference: Tsymbalov, Panov and Shapeev (2018); Rescigno et al. (2020), Table 4.
    """
    values = np.asarray(std, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(
            f"std must be one finite number a sample; got shape {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} that are not. Give one dimension's spread."
        )
    free = _free(len(values), k, labelled)
    return free[np.argsort(-values[free], kind="stable")][: int(k)]


Strategy = Callable[[Pool, int, ArrayLike, np.random.Generator], np.ndarray]

STRATEGIES: dict[str, Strategy] = {
    "random": lambda pool, k, labelled, generator: random_pick(len(pool), k, generator, labelled),
    "gsx": lambda pool, k, labelled, generator: gsx(pool.features, k, labelled=labelled),
    "gsy": lambda pool, k, labelled, generator: gsy(_of(pool, "predictions"), k, labelled=labelled),
    "igs": lambda pool, k, labelled, generator: igs(
        pool.features, _of(pool, "predictions"), k, labelled=labelled
    ),
    "mcdue": lambda pool, k, labelled, generator: mcdue(_of(pool, "std"), k, labelled=labelled),
}
"""Name -> function of (pool, k, labelled, generator), which gives rows. Picks for a smaller k are the first
of those for a larger, of the same generator state."""


def pick(
    pool: Pool,
    k: int,
    strategy: str = "gsx",
    *,
    labelled: ArrayLike = (),
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """Pick k samples by a strategy's name.

    Args:
        pool: what is known of the samples.
        k: how many, 1 <= k <= N - number of labelled.
        strategy: a key of `STRATEGIES`.
        labelled: rows that have a label already.
        generator: of "random", which needs one.

    Raises:
        ValueError: an unknown strategy, one whose numbers the pool lacks, or what it refuses itself.
        TypeError: no pool.
    """
    if not isinstance(pool, Pool):
        raise TypeError(f"pool must be a Pool; got {type(pool).__name__}. Take Pool(features of its frames).")
    if strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise ValueError(f"strategy must be one of {known}; got {strategy!r}. Choose one of these.")
    if strategy == "random" and generator is None:
        raise ValueError("generator must be given for 'random'; got None. Take np.random.default_rng(seed).")
    return STRATEGIES[strategy](pool, k, labelled, generator or np.random.default_rng(0))


def next_to_label(
    pool: Pool, labelled: ArrayLike, strategy: str = "gsx", *, generator: np.random.Generator | None = None
) -> int:
    """The one sample to label next, for somebody who labels their own frames.

    Ask, label, add the row to ``labelled``, and ask again. "gsx" needs no model: begin with it. Where a model
    learns between the questions, give a new pool with its new predictions, or its new `mc_dropout_std`; with
    the same pool, the answers are those of picking many at once. An answer takes as many distances as there
    are labels times samples.

    Args:
        pool: what is known of all samples, labelled or not.
        labelled: rows that have a label, in any order; () to begin.
        strategy: a key of `STRATEGIES`.
        generator: of "random", which needs one.

    Returns:
        A row without a label.

    Raises:
        ValueError: everything is labelled, or see :func:`pick`.

    Example:
        Label until the curve of errors says that more brings little. Here a "model" answers with the label
        of the nearest labelled sample; ten samples are kept aside to measure its error.

        >>> from fer_lib.sampling import advise
        >>> features = np.random.default_rng(0).normal(size=(120, 2))
        >>> truth = np.tanh(features[:, 0])
        >>> pool, aside = Pool(features[:110]), slice(110, 120)
        >>> labelled, sizes, errors = [], [], []
        >>> while len(labelled) < len(pool):
        ...     labelled.append(next_to_label(pool, labelled, "gsx"))
        ...     if len(labelled) % 10 == 0:
        ...         far = np.linalg.norm(features[aside][:, None] - features[labelled], axis=2)
        ...         missed = truth[labelled][far.argmin(1)] - truth[aside]
        ...         sizes.append(len(labelled))
        ...         errors.append(np.sqrt(np.mean(missed**2)))
        ...         if len(sizes) >= 4 and advise(sizes, errors).stop:
        ...             break
        >>> len(labelled), advise(sizes, errors).elbow
        (50, 30)
    """
    return int(pick(pool, 1, strategy, labelled=labelled, generator=generator)[0])


def _of(pool: Pool, name: str) -> ArrayLike:
    values = getattr(pool, name)
    if values is None:
        raise ValueError(f"pool must hold {name} for this strategy; got None. Give it to Pool.")
    return values


def _free(count: int, k: int, labelled: ArrayLike) -> np.ndarray:
    """The rows without a label, if k of them may be picked."""
    return np.setdiff1d(np.arange(count), check_picks(count, k, labelled))
