"""Nodes that come and go: rows stay dense, and everything follows its node, whatever is removed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.memory.graph import Graph


def named(graph: Graph) -> dict[int, tuple]:
    """What each node carries, by its number of birth; edges by the numbers of both ends, with their age."""
    ids = graph.ids.tolist()
    edges = zip(graph.edges().tolist(), graph.ages().tolist(), strict=True)
    return {
        "nodes": {
            name: (w.tolist(), h, label.tolist())
            for name, w, h, label in zip(
                ids, graph.weights, graph.habituation.tolist(), graph.labels, strict=True
            )
        },
        "edges": {frozenset((ids[i], ids[j])): age for (i, j), age in edges},
    }


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 200), removing=st.floats(0.0, 0.6))
def test_any_history_of_nodes_and_edges(seed, steps, removing) -> None:
    """A dictionary that never renames anything is told the same, step by step."""
    random = np.random.default_rng(seed)
    graph, nodes, edges = Graph(3, 2), {}, {}
    for step in range(steps):
        if graph.size > 1 and random.random() < removing:
            row = int(random.integers(graph.size))
            name = int(graph.ids[row])
            graph.remove(row)
            del nodes[name]
            edges = {pair: age for pair, age in edges.items() if name not in pair}
        elif graph.size > 1 and random.random() < 0.6:
            i, j = random.choice(graph.size, 2, replace=False).tolist()
            pair = frozenset(graph.ids[[i, j]].tolist())
            if random.random() < 0.8:
                graph.connect(i, j)
                edges[pair] = 0
            else:
                graph.disconnect(i, j)
                edges.pop(pair, None)
        else:
            w, label = random.normal(size=3), random.normal(size=2)
            row = graph.add(w, label)
            graph.habituation[row] = h = step / steps
            nodes[int(graph.ids[row])] = (w.tolist(), h, label.tolist())
        if graph.size and random.random() < 0.3:
            row, limit = int(random.integers(graph.size)), int(random.integers(1, 4))
            name, size = int(graph.ids[row]), graph.size
            went = graph.age(row, limit)
            assert size - went == graph.size
            for pair in [pair for pair in edges if name in pair]:
                edges[pair] += 1
                if edges[pair] > limit:
                    del edges[pair]
                    (other,) = pair - {name}
                    if not any(other in pair for pair in edges):
                        del nodes[other]
        assert named(graph) == {"nodes": nodes, "edges": edges}
        assert len(graph.neighbours) == graph.size
    again = Graph.of_arrays(graph.arrays())
    assert named(again) == named(graph)
    assert again.ids.tolist() == graph.ids.tolist()
    assert again.born == graph.born


def test_a_thousand_nodes_keep_what_they_carry() -> None:
    graph = Graph(2, 1)
    for k in range(1000):
        assert graph.add(np.array([k, -k]), np.array([k / 10])) == k
        graph.habituation[k] = 1 / (k + 1)
    np.testing.assert_array_equal(graph.weights, np.stack([np.arange(1000), -np.arange(1000)], 1))
    np.testing.assert_array_equal(graph.labels[:, 0], np.arange(1000) / 10)
    np.testing.assert_array_equal(graph.habituation, 1 / np.arange(1, 1001))
    np.testing.assert_array_equal(graph.ids, np.arange(1000))


def test_the_last_takes_the_place_of_one_that_goes() -> None:
    graph = Graph(1)
    for k in range(4):
        graph.add(np.array([float(k)]))
    graph.connect(0, 3)
    graph.connect(1, 3)
    graph.connect(1, 2)
    graph.age(3, None)
    graph.remove(1)
    assert graph.weights[:, 0].tolist() == [0.0, 3.0, 2.0]
    assert graph.ids.tolist() == [0, 3, 2]
    assert graph.edges().tolist() == [[0, 1]]
    assert graph.ages().tolist() == [1]


def test_several_that_are_left_alone_go_at_once() -> None:
    graph = Graph(1)
    for k in range(6):
        graph.add(np.array([float(k)]))
    for other in (0, 4, 5):
        graph.connect(1, other)
    graph.connect(2, 3)
    assert graph.age(1, 1) == 0
    graph.connect(1, 2)
    assert graph.age(1, 1) == 3
    assert sorted(graph.weights[:, 0].tolist()) == [1.0, 2.0, 3.0]
    assert sorted(sorted(graph.ids[[i, j]].tolist()) for i, j in graph.edges()) == [[1, 2], [2, 3]]


def test_no_node_is_joined_to_itself() -> None:
    graph = Graph(1)
    graph.add(np.zeros(1))
    with pytest.raises(ValueError, match="an edge must join two nodes; got 0 twice"):
        graph.connect(0, 0)
