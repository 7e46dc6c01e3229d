import warnings

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.neighbors import KNeighborsClassifier

from fer_lib.embedding import embed, separation, trustworthiness


def blobs(apart, *, count=20, classes=3, dimensions=8, seed=0):
    rng = np.random.default_rng(seed)
    middles = apart * np.eye(classes, dimensions)
    return np.concatenate([m + rng.normal(size=(count, dimensions)) for m in middles]), np.repeat(
        np.arange(classes), count
    )


def test_umap_leaves_torch_its_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # numba wants a thread for every core
    try:
        embed(blobs(5.0)[0], "umap", 0)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_blobs_stay_apart_and_seeds_repeat(method):
    features, labels = blobs(30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = embed(features, method, seed=3)
    assert points.shape == (60, 2)
    assert points.dtype == np.float32
    assert separation(points, labels)["knn_accuracy"] == 1
    assert trustworthiness(features, points) > 0.8
    np.testing.assert_array_equal(points, embed(features, method, seed=3))


def test_maps_are_flattened_and_wide_ones_brought_to_their_leading_components():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(64, 16, 3, 3))
    points = embed(maps, seed=0)
    np.testing.assert_array_equal(points, embed(maps.reshape(64, -1), seed=0))
    plane = rng.normal(size=(70, 2)) * 5 @ rng.normal(size=(2, 300))  # all of it lies in two dimensions
    assert trustworthiness(plane, embed(plane)) > 0.95


def test_trustworthiness_by_hand():
    points = np.arange(10.0)[:, None] * [1.0, 0.0]
    assert trustworthiness(points, points, neighbours=2) == 1
    rng = np.random.default_rng(0)
    noise = [trustworthiness(rng.normal(size=(60, 9)), rng.normal(size=(60, 2))) for _ in range(5)]
    assert abs(np.mean(noise) - 0.5) < 0.05


def silhouette_by_definition(features, labels):
    total = 0.0
    for i, one in enumerate(features):
        apart = {}
        for name in set(labels.tolist()):
            others = [
                np.sqrt(((one - features[j]) ** 2).sum())
                for j in range(len(labels))
                if labels[j] == name and j != i
            ]
            apart[name] = np.mean(others) if others else None
        own = apart.pop(int(labels[i]))
        nearest = min(apart.values())
        total += 0.0 if own is None else (nearest - own) / max(own, nearest)
    return total / len(features)


def neighbours_by_definition(features, labels, k, groups):
    right = 0
    for i, one in enumerate(features):
        order = sorted(
            (float(((one - features[j]) ** 2).sum()), j) for j in range(len(labels)) if groups[j] != groups[i]
        )
        votes = [labels[j] for _, j in order[:k]]
        most = max(votes.count(v) for v in votes)
        right += next(v for v in votes if votes.count(v) == most) == labels[i]
    return right / len(labels)


@pytest.mark.parametrize("apart", [0.0, 2.0, 6.0])
def test_separation_equals_its_definitions(apart):
    features, labels = blobs(apart, count=12, seed=1)
    labels[-1] = 7  # a class of one
    found = separation(features, labels, neighbours=4)
    assert found["silhouette"] == pytest.approx(silhouette_by_definition(features, labels), abs=1e-5)
    assert found["silhouette"] == pytest.approx(metrics.silhouette_score(features, labels), abs=1e-5)
    assert found["knn_accuracy"] == neighbours_by_definition(features, labels, 4, np.arange(36))
    assert found["chance"] == pytest.approx(12 / 36)
    assert found["n"] == 36


def test_one_neighbour_left_out_equals_scikit_learn():
    features, labels = blobs(2.0)
    right = 0
    for i in range(60):
        rest = np.arange(60) != i
        model = KNeighborsClassifier(1).fit(features[rest], labels[rest])
        right += model.predict(features[i : i + 1])[0] == labels[i]
    assert separation(features, labels, neighbours=1)["knn_accuracy"] == right / 60


def test_own_group_does_not_vote():
    rng = np.random.default_rng(0)
    clips = np.repeat(np.arange(15), 8)
    features = rng.normal(size=(15, 6))[clips] + 0.01 * rng.normal(
        size=(120, 6)
    )  # frames of a clip are alike
    labels = rng.integers(0, 3, 15)[clips]  # drawn by chance for each clip
    assert separation(features, labels)["knn_accuracy"] == 1
    apart = separation(features, labels, groups=clips)["knn_accuracy"]
    assert apart < 0.7
    assert apart == neighbours_by_definition(features, labels, 5, clips)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0] * 6}, "labels must name two classes or more, fewer than the samples; got 1 for 6"),
        ({"labels": [0, 1, 2, 3, 4, 5]}, "fewer than the samples; got 6 for 6"),
        ({"labels": [0, 1]}, r"labels and groups must be one a sample, 6; got \(2,\)"),
        ({"neighbours": 6}, "neighbours must lie in 1-5"),
        ({"groups": [0, 0, 0, 0, 0, 1]}, "neighbours must lie in 1-1"),
        ({"features": np.full((6, 2), np.nan)}, "features must be .* finite; got 12 numbers"),
        ({"features": np.zeros(6)}, r"features must be .*; got \(6,\)"),
    ],
)
def test_bad_input(arguments, message):
    plain = {"features": np.arange(12.0).reshape(6, 2), "labels": [0, 0, 0, 1, 1, 1], "neighbours": 2}
    with pytest.raises(ValueError, match=message):
        separation(**(plain | arguments))


def test_embed_refuses_what_it_cannot_lay_out():
    with pytest.raises(ValueError, match="method must be one of tsne, umap; got 'pca'"):
        embed(np.zeros((20, 3)), "pca")
    with pytest.raises(ValueError, match="features must be 10 or more rows; got 3"):
        embed(np.zeros((3, 3)))
    with pytest.raises(
        ValueError, match="perplexity must be above 0 and neighbours at least 2; got 0 and 15"
    ):
        embed(np.zeros((20, 3)), perplexity=0)
    with pytest.raises(ValueError, match="below half of 10 points; got 5"):
        trustworthiness(np.zeros((10, 3)), np.zeros((10, 2)))


def test_tensors_that_learn_are_taken():
    features = torch.randn(12, 3, requires_grad=True)
    found = separation(features, [0] * 6 + [1] * 6)
    assert found == separation(features.detach().numpy(), [0] * 6 + [1] * 6)
