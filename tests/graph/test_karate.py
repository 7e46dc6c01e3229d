"""The karate club, untrained networks on it, and the refinement of colours, against networkx and by hand."""

import networkx as nx
import numpy as np
import pytest

from fer_lib.embedding import separation
from fer_lib.graph import normalised_adjacency
from fer_lib.graph.karate import (
    karate_club,
    modularity,
    rewired,
    sameness,
    spectral_embedding,
    untrained_gcn,
)
from fer_lib.graph.refining import may_be_equal, refine


@pytest.fixture(scope="module")
def club():
    return karate_club()


def ring(n):
    return np.roll(np.eye(n), 1, 0) + np.roll(np.eye(n), -1, 0)


def test_the_club_is_zacharys(club):
    assert club.adjacency.shape == (34, 34)
    assert set(np.unique(club.adjacency)) == {0, 1}
    assert club.adjacency.sum() / 2 == 78
    assert club.adjacency[0].sum() == 16  # the teacher
    assert club.adjacency[33].sum() == 17  # the officer
    assert club.factions[[0, 33]].tolist() == [0, 1]
    assert modularity(club.adjacency, club.groups) == pytest.approx(
        0.41979, abs=1e-5
    )  # Brandes: the greatest


def test_modularity_is_networkxs_and_zero_for_one_group(club):
    graph = nx.from_numpy_array(club.adjacency)
    for groups in (club.groups, club.factions):
        parts = [set(np.flatnonzero(groups == k)) for k in np.unique(groups)]
        wanted = nx.community.modularity(graph, parts, weight=None)
        assert modularity(club.adjacency, groups) == pytest.approx(wanted)
    assert modularity(club.adjacency, np.zeros(34)) == pytest.approx(0)


def test_each_layer_is_the_loop(club):
    found = untrained_gcn(club.adjacency, sizes=(3, 2), seed=4)
    generator = np.random.default_rng(4)
    before, loops = np.eye(34), club.adjacency + np.eye(34)
    for wide, after in zip((3, 2), found, strict=True):
        reach = np.sqrt(6 / (before.shape[1] + wide))
        weight = generator.uniform(-reach, reach, (before.shape[1], wide))
        mixed = before @ weight
        wanted = np.zeros((34, wide))
        for i in range(34):
            for j in range(34):
                wanted[i] += loops[i, j] / np.sqrt(loops[i].sum() * loops[j].sum()) * mixed[j]
        np.testing.assert_allclose(after, np.tanh(wanted), atol=1e-12)
        before = after


def test_the_ties_are_what_an_untrained_network_knows(club):
    def votes(ties):
        embeddings = [untrained_gcn(ties, seed=seed)[-1] for seed in range(8)]
        return np.mean([separation(one, club.groups)["knn_accuracy"] for one in embeddings])

    assert votes(club.adjacency) > votes(np.zeros((34, 34))) + 0.2
    assert votes(club.adjacency) > votes(rewired(club.adjacency)) + 0.2


def test_equal_starts_end_equal_for_nodes_of_one_colour(club):
    colours = refine(club.adjacency)[-1]
    found = untrained_gcn(club.adjacency, nodes=np.ones((34, 1)), sizes=(6, 6, 6))[-1]
    for colour in np.unique(colours):
        assert np.ptp(found[colours == colour], axis=0).max() < 1e-12
    assert np.ptp(found, axis=0).min() > 1e-3  # but not all nodes alike


def test_many_linear_layers_leave_the_degree_alone(club):
    deep = untrained_gcn(club.adjacency, sizes=(4,) * 60, activation=lambda x: 10 * x / np.abs(x).max())[-1]
    assert sameness(np.abs(deep)) == pytest.approx(1, abs=1e-3)
    ratio = np.abs(deep[:, 0]) / np.sqrt(club.adjacency.sum(1) + 1)
    assert ratio.std() / ratio.mean() < 0.02


def test_spectral_embedding_solves_the_eigenproblem(club):
    spread, found = normalised_adjacency(club.adjacency), spectral_embedding(club.adjacency)
    values = np.linalg.eigvalsh(spread)[::-1]
    np.testing.assert_allclose(spread @ found, found * values[1:3], atol=1e-10)


def test_exchanged_ties_keep_degrees_and_move(club):
    other = rewired(club.adjacency, seed=3)
    np.testing.assert_array_equal(other.sum(1), club.adjacency.sum(1))
    np.testing.assert_array_equal(other, other.T)
    assert (other != club.adjacency).any()
    assert not np.diag(other).any()


def test_colours_are_networkxs(club):
    graph = nx.from_numpy_array(club.adjacency)
    for node in graph:
        graph.nodes[node]["start"] = "0"
    rounds = refine(club.adjacency)
    hashes = nx.weisfeiler_lehman_subgraph_hashes(graph, node_attr="start", iterations=6)
    last = [hashes[node][-1] for node in graph]
    same = np.array([[a == b for a in last] for b in last])
    np.testing.assert_array_equal(same, rounds[-1][:, None] == rounds[-1])


def test_colours_follow_the_nodes(club):
    order = np.random.default_rng(0).permutation(34)
    turned = refine(club.adjacency[np.ix_(order, order)])
    for found, wanted in zip(turned, refine(club.adjacency), strict=True):
        np.testing.assert_array_equal(found, wanted[order])


def test_refinement_by_hand():
    star = np.zeros((4, 4))
    star[0, 1:] = star[1:, 0] = 1
    assert refine(star)[-1].tolist() == [1, 0, 0, 0]
    assert len(refine(ring(5))) == 1  # nothing ever splits
    given = refine(ring(4), [0, 1, 1, 1])
    assert [len(np.unique(one)) for one in given] == [
        2,
        3,
    ]  # the node opposite is told from its two neighbours
    assert [len(one) for one in refine(star, rounds=3)] == [4] * 4


def test_what_it_cannot_tell():
    assert may_be_equal(ring(6), np.kron(np.eye(2), ring(3)))
    path = ring(6)
    path[0, 5] = path[5, 0] = 0
    assert not may_be_equal(ring(6), path)
    assert not may_be_equal(ring(6), ring(5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: untrained_gcn(np.zeros((3, 3)), sizes=()), "sizes must name a layer"),
        (lambda: untrained_gcn(np.zeros((3, 3)), nodes=np.ones((2, 1))), r"nodes be \(3, F\)"),
        (lambda: refine([[0, 1], [0, 0]]), "adjacency must be square and symmetric"),
        (lambda: refine(np.zeros((2, 2)), [0.5, 1]), "colours must be whole numbers"),
    ],
)
def test_wrong_values_of_the_club_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
