"""Chapter 04's drawings: the boxes are the module's own layers, the numbers the data's own."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.encoders import FaceChannel, count_parameters
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.views.decisions import confusion_matrix, decisions, label_texts
from fer_lib.views.facechannel import architecture, layers_of, ledger, response_surface
from fer_lib.views.paired import paired_runs
from fer_lib.views.trends import error_trends


@pytest.fixture(scope="module")
def model():
    encoder = FaceChannel(width=0.25)
    return FaceModel(encoder, DenseHead(encoder.feature_shape, 2))


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_boxes_are_the_layers_and_count_every_parameter(model):
    boxes = layers_of(model, model.encoder)
    kinds = [box.kind for box in boxes]
    assert kinds == (
        ["conv"] * 2 + ["pool"] + ["conv"] * 2 + ["pool"] + ["conv"] * 3 + ["pool"]
        + ["conv"] * 2 + ["shunting", "pool"] + ["dense"] * 2
    )  # fmt: skip
    assert sum(box.parameters for box in boxes) == count_parameters(model)
    assert [box.side for box in boxes if box.kind == "pool"] == [32, 16, 8, 4]


def test_looking_leaves_the_model_alone(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    figure = architecture(model, model.encoder)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(layer._forward_hooks for layer in model.modules())
    assert {"1", "10", "200", "2"} <= set(texts(figure))
    assert "64×4²" not in texts(figure)  # pools have no label
    assert "64×8²" in texts(figure)


def test_ledger_holds_the_published_count():
    encoder = FaceChannel()
    paper = FaceModel(encoder, DenseHead(encoder.feature_shape, 2, kind="valence_arousal"))
    numbers = ledger(paper).set_index("part")["numbers"]
    assert numbers["sum, as published architecture"] == 3_592_090
    assert numbers["learned by gradient in our version"] == 3_592_090 - 2_560 + 256
    assert numbers["inhibitory twin of the tenth"] == 590_080


def test_label_texts_by_task():
    classes = SimpleNamespace(task="categorical", classes=("a", "b"), targets=lambda: torch.tensor([1, 0, 1]))
    assert label_texts(classes, [0, 1]) == ["b", "a"]
    values = SimpleNamespace(task="valence_arousal", targets=lambda: torch.tensor([[0.5, -0.25]]))
    assert label_texts(values, [0]) == ["v +0.5, a -0.2"]


def test_decisions_are_drawn_by_the_task():
    classes = SimpleNamespace(
        task="categorical", classes=("a", "b"), synthetic=False, targets=lambda: np.array([1, 0, 1])
    )
    figure = decisions(np.array([[0.1, 0.9], [0.8, 0.2], [0.7, 0.3]]), classes)
    assert texts(figure)[:4] == ["100", "0", "50", "50"]
    truth = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    values = SimpleNamespace(task="valence_arousal", synthetic=True, targets=lambda: truth)
    figure = decisions(0.5 * truth, values)
    assert [ax.get_title(loc="left").split("\n")[0] for ax in figure.axes] == ["valence", "arousal"]


def test_surface_draws_equation_one():
    left, _, right, *_ = response_surface().axes
    for line, inhibition in zip(left.lines, (0.0, 0.5, 1.0, 2.0), strict=True):
        np.testing.assert_allclose(line.get_ydata(), line.get_xdata() / (0.5 + inhibition), rtol=1e-6)
    assert all(line.get_ydata()[-1] < 1 for line in right.lines)


def test_confusion_shows_per_cent_of_the_true_class():
    figure = confusion_matrix(np.array([[3, 1], [0, 0]]), ["a", "b"], synthetic=True)
    assert texts(figure)[:4] == ["75", "25", "0", "0"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["a (4)", "b (0)"]
    assert any(text.get_gid() == "synthetic-note" for text in figure.texts)
    with pytest.raises(ValueError, match=r"counts must be \(3, 3\); got \(2, 2\)"):
        confusion_matrix(np.zeros((2, 2)), ["a", "b", "c"])


def test_trends_show_each_bin():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0.3, 0.5], "low": [0.2, 0.4], "high": [0.5, 0.6]})
    figure = error_trends({"turn": frame, "light": frame}, synthetic=True)
    assert [ax.get_xlabel() for ax in figure.axes] == ["turn", "light"]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.3, 0.5]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    with pytest.raises(ValueError, match="trends must hold at least one property"):
        error_trends({})


def test_pairs_join_each_seed():
    rows = pd.DataFrame(
        {"seed": [0, 0, 1, 1], "model": ["x", "y"] * 2, "metric": "m", "value": [0.1, 0.2, 0.3, 0.5]}
    )
    gaps = pd.DataFrame({"model": ["y"], "metric": ["m"], "mean": [0.15], "low": [0.0], "high": [0.3]})
    figure = paired_runs(rows, gaps, metrics={"m": "metric"}, baseline="x")
    above, below = figure.axes
    assert [line.get_ydata().tolist() for line in above.lines[:2]] == [[0.1, 0.2], [0.3, 0.5]]
    np.testing.assert_allclose(above.lines[2].get_ydata(), [0.2, 0.35])
    assert below.get_xlabel() == "minus x"
    with pytest.raises(ValueError, match=r"metrics must be among the rows'; got \['n'\]"):
        paired_runs(rows, gaps, metrics={"n": "other"}, baseline="x")
