"""Correlations, adjacency, graph convolution and Emotion-GCN against independent computations and limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch.autograd import gradcheck
from torch.nn import functional as F

from fer_lib.encoders import FaceChannel, make_encoder
from fer_lib.errors import DataError
from fer_lib.graph import (
    AFFECTS,
    EXPRESSIONS,
    EmotionGCN,
    GraphConvolution,
    GraphHead,
    conditional_probability,
    emotion_adjacency,
    normalised_adjacency,
    read_glove,
    spearman_correlation,
)


def drawn(count=200, classes=7, seed=0):
    rng = np.random.default_rng(seed)
    va = rng.uniform(-1, 1, (count, 2)).round(1)  # with ties
    return rng.integers(0, classes, count), va


def test_correlations_are_scipys():
    labels, va = drawn()
    columns = np.column_stack([*(labels == k for k in range(7)), va])
    np.testing.assert_allclose(spearman_correlation(labels, va), spearmanr(columns).statistic, atol=1e-12)


def test_order_of_nodes_is_fixed_whatever_the_order_of_classes():
    labels, va = drawn()
    turned = EXPRESSIONS[::-1]
    np.testing.assert_allclose(
        spearman_correlation(6 - labels, va, turned), spearman_correlation(labels, va), atol=1e-12
    )
    with_contempt = spearman_correlation(labels, va, (*EXPRESSIONS, "contempt"))
    assert with_contempt.shape == (10, 10)
    assert (with_contempt[7, :7] == 0).all()  # nobody shows it
    assert (*EXPRESSIONS, *AFFECTS) == (
        "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "valence", "arousal",
    )  # fmt: skip


def test_happy_faces_that_are_pleased_correlate_fully():
    found = spearman_correlation([0, 0, 1, 1], [[-1.0, 0], [-1.0, 1], [1.0, 0], [1.0, 1]], EXPRESSIONS[:2])
    np.testing.assert_allclose(found[1], [-1, 1, 1, 0], atol=1e-12)


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_rows_sum_to_one_and_code_is_the_transpose(seed, tau, p):
    size = np.random.default_rng(seed).uniform(-1, 1, (9, 9))
    size = (size + size.T) / 2
    rows = emotion_adjacency(size, tau=tau, p=p)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-12)
    assert (rows >= 0).all()
    assert not np.delete(rows[:7, :7] * (1 - np.eye(7)), []).any()  # no edges between expressions
    assert rows[7, 8] == rows[8, 7] == 0
    np.testing.assert_array_equal(emotion_adjacency(size, tau=tau, p=p, mode="code"), rows.T)


def test_each_mode_has_the_weight_of_its_source():
    size = np.random.default_rng(1).uniform(-1, 1, (9, 9))
    for mode, p in (("paper", 0.7), ("code", 0.5)):
        wanted = emotion_adjacency(size, p=p, mode=mode)
        np.testing.assert_array_equal(emotion_adjacency(size, mode=mode), wanted)
        assert 1 - p in wanted.diagonal()


def test_adjacency_by_hand():
    size = np.eye(4)
    size[0, 2] = size[2, 0] = -0.3
    size[0, 3] = size[3, 0] = 0.1
    size[0, 1] = size[1, 0] = 0.9  # between expressions: not an edge
    found = emotion_adjacency(size, tau=0.1, p=0.7)
    wanted = [[0.3, 0, 0.35, 0.35], [0, 1, 0, 0], [0.7, 0, 0.3, 0], [0.7, 0, 0, 0.3]]  # node 1 is alone
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    more = emotion_adjacency(size, tau=0.15, p=0.6, between=[[1, 0.2], [0.1, 1]])
    np.testing.assert_allclose(
        more, [[0.4, 0.3, 0.3, 0], [0, 1, 0, 0], [0.6, 0, 0.4, 0], [0, 0, 0, 1]], atol=1e-12
    )


def test_conditional_probability_counts_pairs():
    states = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    found = conditional_probability(states)
    np.testing.assert_allclose(found, [[1, 2 / 3, 0], [2 / 3, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(conditional_probability(np.eye(3)), np.eye(3))


def test_normalised_adjacency_is_kipfs():
    edges = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0.0]])
    found = normalised_adjacency(edges)
    for i in range(3):
        for j in range(3):
            loop = edges + np.eye(3)
            wanted = loop[i, j] / np.sqrt(loop[i].sum() * loop[j].sum())
            assert found[i, j] == pytest.approx(wanted)
    assert np.abs(np.linalg.eigvalsh(found)).max() == pytest.approx(1)
    assert not normalised_adjacency(np.zeros((2, 2)), self_loops=False).any()


def test_graph_convolution_is_the_loop():
    torch.manual_seed(0)
    layer = GraphConvolution(4, 3, bias=True).double()
    edges, nodes = torch.rand(5, 5).double(), torch.randn(5, 4).double()
    found = layer(edges, nodes)
    for i in range(5):
        for out in range(3):
            total = layer.bias[out].item()
            for j in range(5):
                total += sum((edges[i, j] * nodes[j, f] * layer.weight[f, out]).item() for f in range(4))
            assert found[i, out].item() == pytest.approx(total, abs=1e-10)
    assert layer.weight.abs().max() <= 1 / np.sqrt(3)
    assert gradcheck(layer, (edges, nodes.requires_grad_(True)))


def graph_head(classes=EXPRESSIONS, **options):
    torch.manual_seed(2)
    size = np.random.default_rng(3).uniform(-1, 1, (9, 9))
    return GraphHead((6, 2, 2), classes, emotion_adjacency((size + size.T) / 2), **options)


def test_outputs_are_made_by_the_graphs_weights():
    head = graph_head(words=torch.randn(9, 5), hidden=(8,))
    features = torch.randn(3, 6, 2, 2)
    first, second = (layer.weight for layer in head.layers)
    a = head.adjacency
    w = a @ F.leaky_relu(a @ head.words @ first, 0.2) @ second
    torch.testing.assert_close(head(features), features.amax((2, 3)) @ w.T, atol=1e-5, rtol=1e-5)
    assert sum(p.numel() for p in head.parameters()) == 5 * 8 + 8 * 6


def test_outputs_follow_the_order_of_the_classes():
    features = torch.randn(3, 6, 2, 2)
    turned = graph_head(EXPRESSIONS[::-1])(features)
    torch.testing.assert_close(turned[:, :7].flip(1), graph_head()(features)[:, :7])
    torch.testing.assert_close(turned[:, 7:], graph_head()(features)[:, 7:])


def test_one_layer_with_p_zero_is_a_linear_layer_of_free_rows():
    alone = emotion_adjacency(np.eye(9), p=0.0)
    head = GraphHead((6, 2, 2), EXPRESSIONS, alone, hidden=())
    torch.testing.assert_close(head.weights(), head.layers[0].weight)


def test_emotion_gcn_learns_both_views_on_any_backbone():
    torch.manual_seed(0)
    graph = emotion_adjacency(spearman_correlation(*drawn()), tau=0.05)
    model = EmotionGCN(FaceChannel(width=0.125, size=32), None, EXPRESSIONS, graph, hidden=(8,))
    images = torch.rand(8, 1, 32, 32)
    targets = torch.column_stack([torch.arange(8.0) % 7, torch.linspace(-1, 1, 8), torch.rand(8)])
    before = model.training_loss(images, targets)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        loss = model.training_loss(images, targets)
        loss.backward()
        optimizer.step()
    assert loss < 0.85 * before
    assert model.predict(model(images)).sum(1).tolist() == pytest.approx([1] * 8, abs=1e-5)


@pytest.mark.parametrize("name", ["densenet121", "bregnext", "facechannel"])
def test_any_backbone_gives_classifiers_of_its_width(name):
    backbone = make_encoder(name, width=0.125, size=32).eval()
    model = EmotionGCN(backbone, None, EXPRESSIONS, np.full((9, 9), 1 / 9), hidden=(4,))
    assert model.head.weights().shape == (9, backbone.feature_shape[0])
    images = torch.rand(2, backbone.input_spec.channels, 32, 32)
    assert model(images).shape == (2, 9)


def test_a_binary_graph_of_all_pairs_makes_all_classifiers_one():
    everyone = np.full((9, 9), 1 / 9)
    weights = GraphHead((6, 2, 2), EXPRESSIONS, everyone).weights()
    torch.testing.assert_close(weights, weights[:1].expand_as(weights))


def test_glove_files_are_read_by_word(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("the 9 9\nsad 0.5 -1\nhappy 1.5 2\n", encoding="utf-8")
    assert read_glove(path, ["happiness", "sadness"]).tolist() == [[1.5, 2.0], [0.5, -1.0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("happy 1 2\n", r"must hold the words happy, sad; got none of \['sad'\]"),
        ("happy 1 2\nsad 1\n", "as many numbers"),
        ("happy 1 2\nsad 1 x\n", "line 2"),
        ("happy 1 nan\nsad 1 2\n", "line 1"),
        ("happy\nsad 1\n", "line 1"),
    ],
)
def test_damaged_glove_files_are_told(tmp_path, text, words):
    path = tmp_path / "glove.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_glove(path, ["happiness", "sadness"])


def test_a_missing_glove_file_is_told(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_glove(tmp_path / "none.txt", ["anger"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spearman_correlation([0], [[0, 0]]), "N >= 2"),
        (lambda: spearman_correlation([0, 9], [[0, 0]] * 2), r"labels must lie in \[0, 7\)"),
        (lambda: spearman_correlation([0, 1], [[0, np.nan]] * 2), "finite"),
        (lambda: emotion_adjacency(np.eye(9), tau=2), "tau must lie"),
        (lambda: emotion_adjacency(np.eye(9), p=-0.1), "p must lie"),
        (lambda: emotion_adjacency(np.eye(9), mode="both"), "mode must be one of"),
        (lambda: emotion_adjacency(np.eye(2)), "correlation must be"),
        (lambda: emotion_adjacency(np.eye(9), between=np.eye(9)), "between must be"),
        (lambda: normalised_adjacency([[0, 1], [0, 0]]), "symmetric"),
        (lambda: conditional_probability([1, 0]), "shares must be"),
        (lambda: GraphConvolution(0, 1), "at least 1"),
        (lambda: graph_head(EXPRESSIONS[:6]), "adjacency must be"),
        (lambda: graph_head(affect="eight"), "affect must be ccc or mse"),
    ],
)
def test_wrong_values_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
