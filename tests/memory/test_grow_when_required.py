"""The network against one written apart from it, its invariants on any stream, and bad input."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_network import PlainNetwork
from sklearn.utils.estimator_checks import check_estimator

from fer_lib.errors import DataError
from fer_lib.memory import GrowWhenRequired


def stream(n=600, d=5, seed=0):
    random = np.random.default_rng(seed)
    centres = random.uniform(-1, 1, (6, d))
    X = centres[random.integers(0, 6, n)] + 0.25 * random.normal(size=(n, d))
    return X, np.stack([X[:, 0], X[:, 1] ** 2], 1)


SETTINGS = (
    {},
    {"squared": True, "activity_threshold": 0.9},
    {"modulated": False},
    {"max_age": 3},
    {"max_nodes": 12},
    {"max_age": None, "tau_b": 0.5, "tau_n": 0.02, "kappa": 1.3, "habituation_threshold": 0.6},
)


@pytest.mark.parametrize("options", SETTINGS)
def test_equals_a_network_written_node_by_node(options):
    options = {"activity_threshold": 0.75} | options
    X, y = stream()
    labelled = np.arange(len(X)) % 3 > 0
    y[~labelled] = np.nan
    net = GrowWhenRequired(**options).partial_fit(X, y)
    renamed = {"activity_threshold": "ta", "habituation_threshold": "th"}
    plain = PlainNetwork(**{renamed.get(name, name): value for name, value in options.items()})
    for x, label, known in zip(X, y, labelled, strict=True):
        plain.step(x, label if known else None)
    assert len(plain.w) > 8
    order = np.argsort(net.ids_)
    assert net.ids_[order].tolist() == sorted(plain.w)
    names = sorted(plain.w)
    np.testing.assert_allclose(net.nodes_[order], [plain.w[k] for k in names], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.habituation_[order], [plain.h[k] for k in names], rtol=1e-9)
    nothing = np.full(2, np.nan)
    want = [nothing if plain.label[k] is None else plain.label[k] for k in names]
    np.testing.assert_allclose(net.labels_[order], want, rtol=1e-9, atol=1e-12)
    edges = {frozenset(net.ids_[list(pair)].tolist()) for pair in net.edges_}
    assert edges == set(plain.edge)


def test_habituation_ends_where_the_rule_says():
    net = GrowWhenRequired(activity_threshold=1e-9, kappa=1.25).partial_fit([[0.0], [10.0]])
    net.partial_fit(np.zeros((200, 1)))
    assert net.habituation_ == pytest.approx([0.2, 0.2])


def test_the_first_steps_by_hand():
    net = GrowWhenRequired(tau_b=0.5, kappa=1.1, eps_b=0.1, gamma=0.5).partial_fit([[0.0], [4.0]], [0.0, 1.0])
    net.partial_fit([[1.0]], [0.8])  # winner 0: h = 1 - .5 = .5, moved by .1 * .5 * 1 * (1 - e^-1)
    assert net.habituation_[0] == pytest.approx(0.5)
    assert net.nodes_[0, 0] == pytest.approx(0.05 * (1 - np.exp(-1)))
    assert net.labels_[0, 0] == pytest.approx(0.4)
    assert net.labels_[1, 0] == 1.0


def test_a_new_node_is_midway_and_takes_the_label_or_the_winners():
    base = GrowWhenRequired(activity_threshold=0.9, habituation_threshold=1.0, tau_b=0.5)
    base.partial_fit([[0.0], [4.0], [0.2]], [0.1, 0.9, 0.1])  # the third habituates the winner
    before = base.nodes_
    told = base.partial_fit([[1.0]], [0.7])
    assert len(told.nodes_) == 3
    assert told.nodes_[2, 0] == pytest.approx((before[0, 0] + 1) / 2)
    assert told.labels_[2, 0] == 0.7
    assert told.edges_.tolist() == [[0, 2], [1, 2]]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 80),
    repeats=st.booleans(),
    ta=st.floats(0.05, 1.0),
    th=st.floats(0.05, 1.0),
    age=st.one_of(st.none(), st.integers(1, 6)),
    top=st.integers(2, 30),
)
def test_invariants_on_any_stream(seed, n, repeats, ta, th, age, top):
    random = np.random.default_rng(seed)
    X = random.integers(-1, 2, (n, 2)).astype(float) if repeats else random.normal(size=(n, 3))
    net = GrowWhenRequired(activity_threshold=ta, habituation_threshold=th, max_age=age, max_nodes=top)
    again = GrowWhenRequired(**net.get_params())
    for x in X:
        net.partial_fit([x], [[x[0]]])
        again.partial_fit([x], [[x[0]]])
        size = len(net.nodes_)
        assert 1 <= size <= top
        edges = net.edges_
        assert (edges[:, 0] < edges[:, 1]).all()
        assert edges.size == 0 or edges.max() < size
        for i, others in enumerate(net._graph.neighbours):
            assert i not in others
            for j, years in others.items():
                assert net._graph.neighbours[j][i] == years
                assert age is None or years <= age
        assert size < 2 or len(np.unique(edges)) == size  # nobody is alone
        assert (net.habituation_ >= 1 - 1 / 1.05 - 1e-12).all()
        assert (net.habituation_ <= 1).all()
        assert len(set(net.ids_.tolist())) == size
    np.testing.assert_array_equal(net.nodes_, again.nodes_)
    np.testing.assert_array_equal(net.edges_, again.edges_)


def test_is_an_estimator():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(GrowWhenRequired(epochs=2))


def test_same_seed_same_network_other_seed_another():
    X, y = stream(200)
    nets = [GrowWhenRequired(random_state=seed, activity_threshold=0.7).fit(X, y) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(nets[0].nodes_, nets[1].nodes_)
    assert not np.array_equal(nets[0].nodes_[:5], nets[2].nodes_[:5])


def test_to_fit_is_to_learn_all_so_many_times():
    X, y = stream(60)
    options = {"activity_threshold": 0.7, "epochs": 3, "shuffle": False}
    whole, parts = GrowWhenRequired(**options).fit(X + 5, y).fit(X, y), GrowWhenRequired(**options)
    for _ in range(3):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(whole.nodes_, parts.nodes_)
    np.testing.assert_array_equal(whole.habituation_, parts.habituation_)
    shuffled = GrowWhenRequired(**options | {"shuffle": True, "random_state": 3}).fit(X, y)
    random, drawn = np.random.RandomState(3), GrowWhenRequired(**options)
    for order in [random.permutation(60) for _ in range(3)]:
        drawn.partial_fit(X[order], y[order])
    np.testing.assert_array_equal(shuffled.nodes_, drawn.nodes_)


def test_activity_and_winners_are_of_the_nearest():
    X, _ = stream(300)
    net = GrowWhenRequired(activity_threshold=0.8, random_state=0).fit(X)
    far = np.linalg.norm(X[:, None] - net.nodes_[None], axis=2)
    np.testing.assert_array_equal(net.winners(X), far.argmin(1))
    np.testing.assert_allclose(net.activity(X), np.exp(-far.min(1)))
    np.testing.assert_array_equal(net.predict(X), far.argmin(1))


def test_many_inputs_are_answered_in_blocks(monkeypatch):
    X, y = stream(300)
    net = GrowWhenRequired(activity_threshold=0.8, random_state=0, epochs=2).fit(X, y)
    whole = net.winners(X), net.activity(X), net.predict(X)
    monkeypatch.setattr("fer_lib.memory.gwr.BLOCK", 7 * len(net.nodes_))
    for one, other in zip(whole, (net.winners(X), net.activity(X), net.predict(X)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_first_node_waits_for_an_input_that_differs():
    net = GrowWhenRequired(gamma=0.5).partial_fit([[2.0], [2.0], [2.0]], [np.nan, 0.4, 0.8])
    assert net.nodes_.tolist() == [[2.0]]
    assert net.labels_.tolist() == [[pytest.approx(0.6)]]
    step = net.step([2.0])
    assert (step.winner, step.inserted, step.activity) == (0, False, 1.0)
    assert net.step([3.0]).inserted
    assert net.edges_.tolist() == [[0, 1]]
    assert GrowWhenRequired().fit(np.ones((5, 2))).nodes_.tolist() == [[1.0, 1.0]]


def test_of_nodes_equally_near_the_older_wins():
    net = GrowWhenRequired(max_age=None).partial_fit([[-1.0], [1.0]])
    step = net.step([0.0])
    assert (step.winner, step.number) == (0, 0)


def test_without_any_known_label_the_answer_is_not_known():
    net = GrowWhenRequired().fit([[0.0], [1.0]], [np.nan, np.nan])
    assert np.isnan(net.predict([[0.0], [5.0]])).all()
    assert net.labels_.shape == (2, 1)


def test_numbers_whose_squares_overflow_are_refused():
    net = GrowWhenRequired().partial_fit([[0.0], [1.0]])
    for call in (net.step, lambda x: net.partial_fit([x]), lambda x: GrowWhenRequired().fit([x])):
        with pytest.raises(ValueError, match=r"must be within 1e\+150 of 0; got 1e\+200"):
            call([-1e200])
    assert net.nodes_.tolist() == [[0.0], [1.0]]


def test_what_is_refused_was_not_learned():
    X, y = stream(50)
    net = GrowWhenRequired().partial_fit(X, y)
    before = net.nodes_, net.labels_, net.habituation_, net.edges_
    for bad_X, bad_y in (
        ([[np.nan] * 5], [[0.0, 0.0]]), (X[:, :4], y), (X[:3], y[:2]), (X[:2], [[0.0, np.nan], [0.0, 1.0]]),
        (X[:2], [[np.inf, 0.0], [0.0, 1.0]]), (X[:2], y[:2, :1]), (np.empty((0, 5)), np.empty((0, 2))),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"NaN|features|inconsistent|row 0|infinity|columns|minimum"):
            net.partial_fit(bad_X, bad_y)
    for one, other in zip(before, (net.nodes_, net.labels_, net.habituation_, net.edges_), strict=True):
        np.testing.assert_array_equal(one, other)


def test_predicts_only_with_labelled_nodes_and_in_the_shape_of_the_labels():
    net = GrowWhenRequired().partial_fit([[0.0], [3.0]], [np.nan, 0.5])
    assert net.predict([[0.0]]).tolist() == [0.5]
    wide = GrowWhenRequired().partial_fit([[0.0], [3.0]], [[0.1, 0.2], [0.3, 0.4]])
    assert wide.predict([[0.0], [2.9]]).tolist() == [[0.1, 0.2], [0.3, 0.4]]
    late = GrowWhenRequired().partial_fit([[0.0], [3.0]]).partial_fit([[0.1]], [0.7])
    assert late.predict([[5.0]]).tolist() == [0.7]


def test_saved_and_opened_it_goes_on_the_same(tmp_path):
    X, y = stream(400)
    whole = GrowWhenRequired(activity_threshold=0.75, max_age=4).partial_fit(X, y)
    half = GrowWhenRequired(activity_threshold=0.75, max_age=4).partial_fit(X[:200], y[:200])
    opened = GrowWhenRequired.load(half.save(tmp_path / "memory.npz")).partial_fit(X[200:], y[200:])
    np.testing.assert_array_equal(opened.nodes_, whole.nodes_)
    np.testing.assert_array_equal(opened.edges_, whole.edges_)
    np.testing.assert_array_equal(opened.ids_, whole.ids_)
    np.testing.assert_array_equal(opened.labels_, whole.labels_)


def test_a_broken_file_is_refused(tmp_path):
    path = GrowWhenRequired().partial_fit([[0.0], [1.0]]).save(tmp_path / "memory.npz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"memory\.npz: must be a whole file of a memory"):
        GrowWhenRequired.load(path)
    with pytest.raises(DataError, match=r"none\.npz"):
        GrowWhenRequired.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", told=np.array('{"format": "x"}'))
    with pytest.raises(DataError, match=r"must have the format fer_lib\.memory\.1; got x"):
        GrowWhenRequired.load(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no archive")
    np.save(tmp_path / "array.npz", np.zeros(3))  # lies under array.npz.npy
    np.savez(tmp_path / "pickled.npz", told=np.array([{"format": "x"}], dtype=object))
    for name in ("text.npz", "array.npz.npy", "pickled.npz"):
        with pytest.raises(DataError, match="must be a whole file of a memory"):
            GrowWhenRequired.load(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("edges", [[0, 5]]), ("edges", [[-1, 0]]), ("edges", [[1, 1]]), ("ages", [1, 2]), ("weights", [0.0]),
        ("weights", [0.0, 1.0]), ("weights", None), ("told", None),
        ("habituation", [1.0]),
    ],
)  # fmt: skip
def test_arrays_that_do_not_belong_together_are_refused(tmp_path, name, values):
    path = GrowWhenRequired().partial_fit([[0.0], [1.0]]).save(tmp_path / "memory.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays[name] = np.array(values)
    np.savez(path, **{key: array for key, array in arrays.items() if array.dtype != object})
    with pytest.raises(DataError, match=r"memory\.npz: must be a whole file of a memory"):
        GrowWhenRequired.load(path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    net = GrowWhenRequired().partial_fit([[0.0], [1.0]])
    path = net.save(tmp_path / "deep" / "memory.npz")
    kept = path.read_bytes()

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="disk full"):
        net.partial_fit([[5.0]]).save(path)
    assert path.read_bytes() == kept
    assert [entry.name for entry in path.parent.iterdir()] == ["memory.npz"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kappa": 1.0}, "kappa must be above 1; got 1.0"),
        ({"kappa": 0.032}, "kappa must be above 1; got 0.032"),
        ({"tau_b": 0.0}, r"tau_b must be in \(0, 1\); got 0.0"),
        ({"tau_b": 0.9, "kappa": 1.5}, r"tau_b \* kappa must be at most 1"),
        ({"activity_threshold": 0}, r"activity_threshold must be in \(0, 1\]; got 0"),
        ({"gamma": 1.1}, r"gamma must be in \[0, 1\]; got 1.1"),
        ({"eps_n": float("nan")}, "eps_n must be a finite number"),
        ({"max_nodes": 1}, "max_nodes must be a whole number of at least 2; got 1"),
        ({"max_age": 0}, "max_age must be a whole number of at least 1; got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1; got 1.5"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
        ({"squared": "no"}, "squared must be True or False; got 'no'"),
        ({"modulated": 1}, "modulated must be True or False; got 1"),
        ({"tau_n": 0.8, "kappa": 1.3}, r"tau_n \* kappa must be at most 1"),
        ({"habituation_threshold": 1.01}, r"habituation_threshold must be in \(0, 1\]; got 1.01"),
        ({"eps_b": -0.1}, r"eps_b must be in \[0, 1\]; got -0.1"),
        ({"tau_n": 1.0}, r"tau_n must be in \(0, 1\); got 1.0"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        GrowWhenRequired(**options).fit([[0.0], [1.0]])


@pytest.mark.parametrize("squared", [False, True])
def test_a_step_tells_what_it_did(squared):
    X, y = stream(500, seed=3)
    options = {"activity_threshold": 0.8, "max_age": 2, "squared": squared}
    net = GrowWhenRequired(**options).partial_fit(X[:20], y[:20])
    gone = born = 0
    for x, label in zip(X[20:], y[20:], strict=True):
        nodes, ids = net.nodes_, net.ids_
        step = net.step(x, label)
        far = np.linalg.norm(nodes - x, axis=1)
        assert step.winner == far.argmin()
        assert step.number == ids[step.winner]
        assert step.distance == pytest.approx(far.min())
        assert step.activity == pytest.approx(np.exp(-(far.min() ** (2 if squared else 1))))
        (row,) = np.flatnonzero(net.ids_ == step.number)  # the winner never goes, but its row may change
        assert net.habituation_[row] == step.habituation
        assert len(net.ids_) == len(ids) + step.inserted - step.removed
        gone, born = gone + step.removed, born + step.inserted
    assert gone > 3
    assert born > 10
    assert type(step.inserted) is bool


def test_the_printed_activity_needs_other_distances():
    for squared, near, far in ((False, 0.91, 0.92), (True, 0.95, 0.96)):  # exp(-d) or exp(-d^2) < .4
        for distance, size in ((near, 2), (far, 3)):
            net = GrowWhenRequired(squared=squared, habituation_threshold=1.0, eps_b=0.0, eps_n=0.0)
            net.partial_fit([[0.0], [9.0], [0.0]]).partial_fit([[-distance]])
            assert len(net.nodes_) == size


def test_a_step_refuses_what_would_spoil_the_network():
    net = GrowWhenRequired().partial_fit([[0.0, 1.0], [2.0, 3.0]])
    for x, told in (([np.nan, 0.0], r"\[nan +0"), ([0.0, np.inf], r"\[ *0\. +inf"), ([1.0], r"shape \(1,\)")):
        with pytest.raises(ValueError, match=rf"x must be 2 finite numbers, shape \(2,\); got {told}"):
            net.step(x)
    with pytest.raises(ValueError, match="label must be some finite numbers"):
        net.step([0.0, 0.0], [np.nan])
    assert net.labels_ is None
    net.step([0.0, 0.0], [0.5])  # the first label there is
    with pytest.raises(ValueError, match=r"label must be 1 finite numbers, shape \(1,\); got shape \(2,\)"):
        net.step([0.0, 0.0], [0.5, 0.5])
    assert net.predict([[0.0, 1.0]]).tolist() == [[0.5]]
    assert np.isfinite(net.nodes_).all()
    with pytest.raises(AttributeError, match="must be fitted first"):
        GrowWhenRequired().step([0.0])


def test_numbers_of_numpy_are_saved_too(tmp_path):
    net = GrowWhenRequired(max_nodes=np.int64(7), eps_b=np.float64(0.5)).partial_fit([[0.0], [1.0]])
    opened = GrowWhenRequired.load(net.save(tmp_path / "net.npz"))
    assert (opened.max_nodes, opened.eps_b) == (7, 0.5)
    generator = np.random.RandomState(0)
    with pytest.raises(ValueError, match="random_state must be an integer or None to be saved"):
        GrowWhenRequired(random_state=generator).partial_fit([[0.0]]).save(tmp_path / "net.npz")


def test_bad_labels_are_named():
    with pytest.raises(ValueError, match=r"row 1"):
        GrowWhenRequired().fit([[0.0], [1.0]], [[0.1, 0.2], [0.3, np.nan]])
    net = GrowWhenRequired().fit([[0.0], [1.0]], [0.1, 0.2])
    with pytest.raises(ValueError, match="y must have 1 columns as before; got 2"):
        net.partial_fit([[0.0]], [[0.1, 0.2]])
    with pytest.raises(AttributeError, match="must be fitted first"):
        _ = GrowWhenRequired().nodes_
