"""One contract over every layer, encoder and model: the list of the house style."""

import copy

import pytest
import torch
from torch import nn

from fer_lib.encoders import FaceChannel, InputSpec, LastConv, ShuntingInhibition, count_parameters
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.train import seeded


def _encoder(**options):
    return FaceChannel(width=0.125, size=32, **options)


def _model(kind: str, outputs: int, **options):
    encoder = _encoder(**options)
    return FaceModel(encoder, DenseHead(encoder.feature_shape, outputs, hidden=(16,), kind=kind))


# name: (how to build it, shape of one input, shape of one output)
LAYERS = {
    "shunting": (lambda: ShuntingInhibition(3, 5), (3, 6, 6), (5, 6, 6)),
    "shunting, constant decay": (lambda: ShuntingInhibition(3, 5, learn_decay=False), (3, 6, 6), (5, 6, 6)),
    "facechannel": (_encoder, (1, 32, 32), (32, 2, 2)),
    "facechannel, constant decay": (lambda: _encoder(learn_decay=False), (1, 32, 32), (32, 2, 2)),
    "facechannel, no inhibition": (lambda: _encoder(inhibition=False), (1, 32, 32), (32, 2, 2)),
    "head, classes": (lambda: DenseHead((4, 2, 2), 3), (4, 2, 2), (3,)),
    "head, two hidden": (lambda: DenseHead((4, 2, 2), 3, hidden=(8, 6)), (4, 2, 2), (3,)),
    "head, linear": (lambda: DenseHead((4, 2, 2), 3, hidden=()), (4, 2, 2), (3,)),
    "model, classes": (lambda: _model("softmax", 4), (1, 32, 32), (4,)),
    "model, values": (lambda: _model("valence_arousal", 2), (1, 32, 32), (2,)),
}
ENCODERS = [name for name in LAYERS if name.startswith("facechannel")]
MODELS = {"softmax": 8, "distribution": 8, "valence_arousal": 2, "multi_label": 8}


@pytest.fixture(params=LAYERS)
def case(request):
    build, given, wanted = LAYERS[request.param]
    with seeded(3):
        return build(), torch.rand(4, *given), wanted


def test_shape(case):
    layer, inputs, wanted = case
    assert layer(inputs).shape == (4, *wanted)
    assert layer(inputs[:2]).shape == (2, *wanted)


def test_every_parameter_gets_a_gradient(case):
    layer, inputs, _ = case
    with seeded(0):
        layer(inputs).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_no_leak_between_the_images_of_a_batch(case):
    layer, inputs, _ = case
    layer.eval()
    inputs.requires_grad_(True)
    layer(inputs)[1].sum().backward()
    reached = inputs.grad.flatten(1).abs().sum(1) > 0
    assert reached.tolist() == [False, True, False, False]


def test_evaluation_is_deterministic(case):
    layer, inputs, _ = case
    layer.eval()
    assert torch.equal(layer(inputs), layer(inputs))


def test_state_survives_a_round_trip(case):
    layer, inputs, _ = case
    other = copy.deepcopy(layer)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    assert not torch.allclose(other.eval()(inputs), layer.eval()(inputs))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(inputs), layer(inputs))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cpu_equals_gpu(case):
    layer, inputs, _ = case
    layer.eval()
    expected = layer(inputs)
    torch.testing.assert_close(layer.cuda()(inputs.cuda()).cpu(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_is_its_trunk_then_its_last_convolution(name):
    encoder = LAYERS[name][0]().eval()
    images = torch.rand(2, 1, 32, 32)
    map_before = encoder.trunk(images)
    assert torch.equal(encoder.last_conv(map_before), encoder(images))
    assert torch.equal(encoder.last_conv.finish(encoder.last_conv.units(map_before)), encoder(images))
    assert encoder(images).shape[1:] == encoder.feature_shape
    assert encoder.num_parameters == sum(p.numel() for p in encoder.parameters())


@pytest.mark.parametrize(("kind", "outputs"), MODELS.items())
def test_a_model_learns_eight_images_by_heart(kind, outputs):
    images = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    targets = {
        "softmax": torch.arange(8),
        "distribution": torch.eye(8),
        "valence_arousal": torch.stack([torch.linspace(-1, 1, 8), torch.linspace(1, -1, 8).abs()], dim=1),
        "multi_label": torch.tril(torch.ones(8, 8)),
    }[kind]
    with seeded(1):
        model = _model(kind, outputs, dropout=0.0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(120):
            loss = model.loss(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss.item() < 0.05


def test_frozen_parts_stay_as_they_are_while_the_rest_trains():
    with seeded(0):
        model = _model("softmax", 3)
    model.encoder.freeze("trunk")
    model.train()
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.loss(model(torch.rand(6, 1, 32, 32)), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    optimizer.step()
    changed = {name for name, old in before.items() if not torch.equal(model.encoder.state_dict()[name], old)}
    assert changed == {name for name, _ in model.encoder.named_parameters() if name.startswith("last_conv")}


def test_batch_norm_of_a_frozen_encoder_keeps_its_statistics_in_training_mode():
    encoder = _encoder().freeze()
    norm = next(layer for layer in encoder.modules() if isinstance(layer, nn.BatchNorm2d))
    before = norm.running_mean.clone()
    encoder.train()
    encoder(torch.rand(4, 1, 32, 32))
    assert torch.equal(norm.running_mean, before)
    encoder.unfreeze().train()
    encoder(torch.rand(4, 1, 32, 32))
    assert not torch.equal(norm.running_mean, before)


def test_freezing_counts_as_not_trainable():
    encoder = _encoder()
    assert count_parameters(encoder.freeze(), trainable=True) == 0
    encoder.unfreeze("last_conv")
    assert count_parameters(encoder, trainable=True) == count_parameters(encoder.last_conv)
    assert count_parameters(encoder) == encoder.num_parameters


def test_last_conv_without_a_finish_is_its_units():
    layer = LastConv(nn.Conv2d(1, 2, 1))
    inputs = torch.rand(1, 1, 3, 3)
    assert torch.equal(layer(inputs), layer.units(inputs))


def test_refuses_an_unknown_part():
    with pytest.raises(ValueError, match=r"part must be one of trunk, last_conv; got 'head'\. Name those"):
        _encoder().freeze("head")


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (1, 32, 32), (2, 1, 16, 16)])
def test_refuses_images_of_another_shape(shape):
    message = r"images must be floating-point of shape \(B, 1, 32, 32\); got .*Call prepare"
    with pytest.raises(ValueError, match=message):
        _encoder()(torch.rand(shape))


def test_refuses_bytes():
    with pytest.raises(ValueError, match=r"images must be floating-point .*; got torch.uint8"):
        _encoder()(torch.zeros(2, 1, 32, 32, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0, "channels": 1}, "size must be at least 1 pixel; got 0"),
        ({"size": 8, "channels": 2}, "channels must be 1 or 3; got 2"),
        ({"size": 8, "channels": 1, "low": 1.0, "high": 1.0}, "low must be below high; got 1.0 and 1.0"),
    ],
)
def test_input_spec_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        InputSpec(**options)
