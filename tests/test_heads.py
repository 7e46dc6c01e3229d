"""Decision layers: sizes by hand, kinds, and the head that fits a face set."""

from types import SimpleNamespace

import pytest
import torch

from fer_lib.encoders import FaceChannel, count_parameters
from fer_lib.heads import DenseHead, FaceModel, head_for
from fer_lib.losses import ccc_loss


def test_equals_matrix_products():
    head = DenseHead((2, 2, 2), 3, hidden=(4,)).double()
    features = torch.rand(5, 2, 2, 2, dtype=torch.float64)
    first, second = (layer for layer in head.layers if hasattr(layer, "weight"))
    hidden = (features.reshape(5, 8) @ first.weight.T + first.bias).clamp(min=0)
    torch.testing.assert_close(head(features), hidden @ second.weight.T + second.bias)


def test_count_by_hand():
    assert count_parameters(DenseHead((2, 3, 3), 7, hidden=(10, 5))) == 18 * 10 + 10 + 10 * 5 + 5 + 5 * 7 + 7
    assert count_parameters(DenseHead((4,), 2, hidden=())) == 10


def test_predictions_are_in_the_units_of_the_targets():
    outputs = torch.tensor([[0.0, 2.0, -1.0], [3.0, 3.0, 3.0]])
    for kind in ("softmax", "distribution"):
        pred = DenseHead((4,), 3, kind=kind).predict(outputs)
        torch.testing.assert_close(pred.sum(1), torch.ones(2))
        assert pred[0].argmax() == 1
    torch.testing.assert_close(pred[1], torch.full((3,), 1 / 3))
    values = DenseHead((4,), 3, kind="valence_arousal").predict(outputs)
    assert torch.equal(values, outputs)
    states = DenseHead((4,), 3, kind="multi_label").predict(outputs)
    torch.testing.assert_close(states[0], 1 / (1 + torch.exp(-outputs[0])))


def test_each_kind_has_its_loss():
    outputs = torch.tensor([[0.0, 1.0], [2.0, -1.0]])
    pairs = torch.tensor([[0.5, 0.5], [0.1, -0.2]])
    values = DenseHead((4,), 2, kind="valence_arousal").loss(outputs, pairs)
    assert torch.equal(values, ccc_loss(outputs, pairs))
    by_class = DenseHead((4,), 2).loss(outputs, torch.tensor([1, 0]))
    assert by_class.item() == pytest.approx((0.31326 + 0.04859) / 2, abs=1e-4)  # log(1+e^-1), log(1+e^-3)
    one_hot = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    by_share = DenseHead((4,), 2, kind="distribution").loss(outputs, one_hot)
    assert by_share.item() == pytest.approx(by_class.item())
    states = DenseHead((4,), 2, kind="multi_label").loss(torch.zeros(2, 2), one_hot)
    assert states.item() == pytest.approx(0.6931, abs=1e-4)


def test_a_loss_of_ones_own():
    def worst(outputs, targets):
        return (outputs - targets).abs().max()

    head = DenseHead((4,), 1, kind="valence_arousal", loss=worst)
    assert head.loss(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.5], [0.0]])).item() == 2.0


@pytest.mark.parametrize(
    ("task", "classes", "outputs", "kind"),
    [
        ("categorical", ("a", "b", "c"), 3, "softmax"),
        ("distribution", ("a", "b"), 2, "distribution"),
        ("multi_label", ("a", "b", "c", "d"), 4, "multi_label"),
        ("valence_arousal", ("a", "b", "c"), 2, "valence_arousal"),
    ],
)
def test_the_head_that_fits_a_face_set(task, classes, outputs, kind):
    head = head_for(SimpleNamespace(task=task, classes=classes), (4, 1, 1), hidden=())
    assert (head.outputs, head.kind, count_parameters(head)) == (outputs, kind, 5 * outputs)


def test_model_is_head_after_encoder():
    encoder = FaceChannel(width=0.125, size=16)
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 2)).eval()
    images = torch.rand(3, 1, 16, 16)
    assert torch.equal(model(images), model.head(encoder(images)))


def test_refuses():
    with pytest.raises(ValueError, match=r"kind must be one of softmax, .*; got 'sigmoid'\. Choose by"):
        DenseHead((4,), 2, kind="sigmoid")
    with pytest.raises(ValueError, match=r"outputs must be at least 1; got 0\."):
        DenseHead((4,), 0)
    with pytest.raises(ValueError, match=r"faces must have a task among .*; got 'ranking'\. Change it"):
        head_for(SimpleNamespace(task="ranking", classes=()), (4, 1, 1))
